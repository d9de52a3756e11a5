#pragma once
/* Findings by severity and owner. */
#include "report/metrics/parts.h"

void metrics_write_findings(struct metrics *metrics);
