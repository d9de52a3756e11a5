#pragma once
/* Windows: a socket whose owner has ended. */
#include "diagnose/rule.h"

DECLARE_RULE(owner_ended);
