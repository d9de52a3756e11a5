#pragma once
/* The memory of all TCP sockets, and its limits in tcp_mem. */
#include "diagnose/rule.h"

DECLARE_ASSESSMENT(tcp_memory_pressure);
