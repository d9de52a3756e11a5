#pragma once
/*
 * CLOSE_WAIT.
 */
#include "diagnose/rule.h"

DECLARE_RULE(close_wait_not_accepted);
DECLARE_RULE(close_wait_blocked_writer);
DECLARE_RULE(close_wait_inherited);
DECLARE_RULE(close_wait_unread);
DECLARE_RULE(close_wait_leak);
