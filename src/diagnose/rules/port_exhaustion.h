#pragma once
/*
 * Ephemeral ports run out.
 */
#include "diagnose/rule.h"

DECLARE_ASSESSMENT(port_exhaustion);
