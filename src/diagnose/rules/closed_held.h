#pragma once
/* Open descriptors of TCP sockets that have no connection any more. */
#include "diagnose/rule.h"

DECLARE_RULE(closed_held);
