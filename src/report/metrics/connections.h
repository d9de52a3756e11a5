#pragma once
/* Connections by state and process. */
#include "report/metrics/parts.h"

int metrics_write_connections(struct metrics *metrics);
