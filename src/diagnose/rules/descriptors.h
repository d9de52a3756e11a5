#pragma once
/*
 * Descriptors run out.
 */
#include "diagnose/rule.h"

DECLARE_ASSESSMENT(descriptor_exhaustion);
