#pragma once
/* Limits and counters of the host. */
#include "report/metrics/parts.h"

void metrics_write_host(struct metrics *metrics);
