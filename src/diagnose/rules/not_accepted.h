#pragma once
/* Connections that nobody accepts, in an accept queue that is not full. */
#include "diagnose/rule.h"

DECLARE_RULE(established_not_accepted);
