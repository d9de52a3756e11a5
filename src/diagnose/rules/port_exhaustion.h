#pragma once
/* Ephemeral ports that run out. */
#include "diagnose/rule.h"

DECLARE_ASSESSMENT(port_exhaustion);
