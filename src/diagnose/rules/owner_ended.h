#pragma once
/* Windows: sockets whose owner, the process that created them, has ended. */
#include "diagnose/rule.h"

DECLARE_RULE(owner_ended);
