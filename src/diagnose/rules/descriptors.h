#pragma once
/* Processes that run out of descriptors. */
#include "diagnose/rule.h"

DECLARE_ASSESSMENT(descriptor_exhaustion);
