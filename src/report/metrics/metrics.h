#pragma once
/*
 * A diagnosis as metrics: what a monitoring system records every minute. How many series there are is bounded, whatever the
 * host: `top` of each kind stand for themselves, the rest is counted as "other". Counters are left out instead, because
 * a sum over changing members would fall, which is read as a restart.
 */
#include "model/diagnosis.h"
#include "model/select.h"
#include "report/metrics/openmetrics.h"

enum { METRICS_TOP_DEFAULT = 20, METRICS_TOP_MOST = 1000 };

struct metrics_options {
    const char *tool_version;
    enum metrics_dialect dialect;
    uint32_t top;        /* at least 1 */
    uint64_t elapsed_us; /* what it took to look and to diagnose */
};

/*
 * Of the connections that the selection (or NULL) takes in, and of the host. Appends to `out`. Returns 0, -ENOMEM, or
 * -EEXIST with err filled where the same series came twice.
 */
int report_metrics(const struct diagnosis *diagnosis, const struct selection *selection,
    const struct metrics_options *options, struct buf *out, struct error *err);

/* The families that exist, for tests and documentation; NULL past the end. */
const struct metric_family *metrics_family_at(size_t index);
