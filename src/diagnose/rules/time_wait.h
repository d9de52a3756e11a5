#pragma once
/*
 * TIME_WAIT.
 */
#include "diagnose/rule.h"

DECLARE_RULE(time_wait_churn);
DECLARE_ASSESSMENT(time_wait_overflow);
