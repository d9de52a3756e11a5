#pragma once
/* Options of the metrics. */
#include <stdbool.h>
#include <stdint.h>

#include "report/metrics/openmetrics.h"

enum { METRICS_TOP_DEFAULT = 20, METRICS_TOP_MAX = 1000 };

struct metrics_options {
    const char *tool_version;
    enum metrics_dialect dialect;
    uint32_t top;         /* at least 1 */
    uint64_t elapsed_us;  /* how long reading and diagnosing took */
    bool ages_may_shrink; /* the next run may give a smaller age though nothing changed: then there is none */
};
