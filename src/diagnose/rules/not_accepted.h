#pragma once
/* What waits in an accept queue that is not full, and that nobody takes out of it. */
#include "diagnose/rule.h"

DECLARE_RULE(established_not_accepted);
