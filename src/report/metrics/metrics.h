#pragma once
/*
 * Writes a diagnosis as metrics, for a monitoring system that records them every minute. The number of series is
 * limited: the first `top` of each kind have their own series, the rest is counted as "other". Counters of the rest are
 * left out. Their sum would fall when a member leaves, and a monitoring system would take that for a restart.
 */
#include "model/diagnosis.h"
#include "model/select.h"
#include "report/metrics/options.h"

/*
 * Appends the metrics of the selected connections (selection NULL: all) and of the host to `out`. Returns 0, or -EEXIST
 * with err filled if a series was written twice.
 */
int report_metrics(const struct diagnosis *diagnosis, const struct selection *selection,
    const struct metrics_options *options, struct buf *out, struct error *err);
