#pragma once
/*
 * A diagnosis as metrics: what a monitoring system records every minute. How many series there are is bounded, whatever
 * the host: `top` of each kind stand for themselves, the rest is counted as "other". Counters are left out instead,
 * because a sum over changing members would fall, which is read as a restart.
 */
#include "model/diagnosis.h"
#include "model/select.h"
#include "report/metrics/options.h"

/*
 * Of the connections that the selection (or NULL) takes in, and of the host. Appends to `out`. Returns 0, -ENOMEM, or
 * -EEXIST with err filled where the same series came twice.
 */
int report_metrics(const struct diagnosis *diagnosis, const struct selection *selection,
    const struct metrics_options *options, struct buf *out, struct error *err);
