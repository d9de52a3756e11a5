#pragma once
/* CLOSE_WAIT in a capture that does not show the cause. */
#include "diagnose/rule.h"

DECLARE_RULE(close_wait_held);
