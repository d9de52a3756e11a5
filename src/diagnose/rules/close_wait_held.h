#pragma once
/*
 * CLOSE_WAIT, where a capture leaves open why.
 */
#include "diagnose/rule.h"

DECLARE_RULE(close_wait_held);
