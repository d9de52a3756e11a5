#pragma once
/*
 * ESTABLISHED.
 */
#include "diagnose/rule.h"

DECLARE_RULE(established_unanswered);
DECLARE_RULE(established_zero_window);
DECLARE_RULE(established_unread);
DECLARE_RULE(established_idle);
