#pragma once
/*
 * Memory of TCP.
 */
#include "diagnose/rule.h"

DECLARE_ASSESSMENT(tcp_memory_pressure);
