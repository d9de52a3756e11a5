#pragma once
#include "diagnose/rule.h"

DECLARE_RULE(half_open);
