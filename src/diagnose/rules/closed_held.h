#pragma once
/*
 * Descriptors of TCP sockets whose connections are gone.
 */
#include "diagnose/rule.h"

DECLARE_RULE(closed_held);
