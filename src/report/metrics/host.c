/* The kernel's own numbers, for the whole host and for each network namespace. */
#include "report/metrics/host.h"

enum { PAGE_BYTES_DEFAULT = 4096 };

/* --- numbers of the whole host ------------------------------------------------------------------------------------ */

static void write_first_counter(struct metrics *metrics, enum metric metric, enum counter counter, uint64_t factor)
{
    const struct snapshot *snapshot = metrics->snapshot;
    openmetrics_family(&metrics->writer, &metric_families[metric]);
    for (size_t i = 0; i < snapshot->netns_count; i++) {
        const struct net_values *values = &snapshot->net_values[i];
        if (values->has_counter[counter] && values->counters[counter] >= 0) {
            openmetrics_uint(&metrics->writer, NULL, (uint64_t)values->counters[counter] * factor);
            return;
        }
    }
}

static void write_first_setting(struct metrics *metrics, enum metric metric, enum setting setting, uint64_t factor)
{
    const struct snapshot *snapshot = metrics->snapshot;
    openmetrics_family(&metrics->writer, &metric_families[metric]);
    for (size_t i = 0; i < snapshot->netns_count; i++) {
        int64_t value = setting_value(&snapshot->net_values[i], setting, -1);
        if (value >= 0) {
            openmetrics_uint(&metrics->writer, NULL, (uint64_t)value * factor);
            return;
        }
    }
}

/* --- each namespace --------------------------------------------------------------------------------------------- */

/* The rows of one metric are neighbours. */
static const struct {
    enum metric metric;
    enum counter counter;
    const char *label; /* the value of the second label; the namespace is the first */
} namespace_counters[] = {
    { METRIC_TIME_WAIT, COUNTER_TIME_WAIT, NULL },
    { METRIC_RETRANSMITTED, COUNTER_RETRANS_SEGS, NULL },
    { METRIC_TIMEOUTS, COUNTER_TIMEOUTS, NULL },
    { METRIC_ABORTS, COUNTER_ABORT_ON_CLOSE, "close" },
    { METRIC_ABORTS, COUNTER_ABORT_ON_MEMORY, "memory" },
    { METRIC_ABORTS, COUNTER_ABORT_ON_TIMEOUT, "timeout" },
    { METRIC_ABORTS, COUNTER_ABORT_ON_LINGER, "linger" },
    { METRIC_ACCEPT_QUEUE_OVERFLOWS, COUNTER_LISTEN_OVERFLOWS, NULL },
    { METRIC_LISTEN_DROPS, COUNTER_LISTEN_DROPS, NULL },
    { METRIC_REQUEST_QUEUE_FULL, COUNTER_REQ_Q_FULL_DO_COOKIES, "cookie" },
    { METRIC_REQUEST_QUEUE_FULL, COUNTER_REQ_Q_FULL_DROP, "drop" },
    { METRIC_SYN_COOKIES, COUNTER_SYNCOOKIES_SENT, "sent" },
    { METRIC_SYN_COOKIES, COUNTER_SYNCOOKIES_RECV, "received" },
    { METRIC_SYN_COOKIES, COUNTER_SYNCOOKIES_FAILED, "failed" },
    { METRIC_TIME_WAIT_OVERFLOWS, COUNTER_TIME_WAIT_OVERFLOW, NULL },
    { METRIC_MEMORY_PRESSURES, COUNTER_MEMORY_PRESSURES, NULL },
    { METRIC_OPENS, COUNTER_ACTIVE_OPENS, "active" },
    { METRIC_OPENS, COUNTER_PASSIVE_OPENS, "passive" },
    { METRIC_FAILED_OPENS, COUNTER_ATTEMPT_FAILS, NULL },
    { METRIC_RESETS, COUNTER_ESTAB_RESETS, NULL },
    { METRIC_RESETS_SENT, COUNTER_OUT_RSTS, NULL },
};

static void write_namespace_counters(struct metrics *metrics)
{
    for (size_t c = 0; c < sizeof namespace_counters / sizeof *namespace_counters; c++) {
        enum counter counter = namespace_counters[c].counter;
        openmetrics_family(&metrics->writer, &metric_families[namespace_counters[c].metric]);
        for (uint32_t slot = 0; slot < metrics->other_slot; slot++) {
            const struct net_values *values = &metrics->snapshot->net_values[metrics->slot_netns[slot]];
            const char *const labels[] = { metrics->slot_labels[slot], namespace_counters[c].label };
            if (values->has_counter[counter] && values->counters[counter] >= 0)
                openmetrics_uint(&metrics->writer, labels, (uint64_t)values->counters[counter]);
        }
    }
}

static void write_time_wait_limits(struct metrics *metrics)
{
    openmetrics_family(&metrics->writer, &metric_families[METRIC_TIME_WAIT_LIMIT]);
    for (uint32_t slot = 0; slot < metrics->other_slot; slot++) {
        const struct net_values *values = &metrics->snapshot->net_values[metrics->slot_netns[slot]];
        int64_t limit = setting_value(values, SETTING_MAX_TW_BUCKETS, -1);
        const char *const labels[] = { metrics->slot_labels[slot] };
        if (limit >= 0)
            openmetrics_uint(&metrics->writer, labels, (uint64_t)limit);
    }
}

void metrics_write_host(struct metrics *metrics)
{
    uint64_t page = metrics->snapshot->page_bytes ? metrics->snapshot->page_bytes : PAGE_BYTES_DEFAULT;
    write_first_counter(metrics, METRIC_ORPHANS, COUNTER_ORPHANS, 1);
    write_first_setting(metrics, METRIC_ORPHANS_LIMIT, SETTING_MAX_ORPHANS, 1);
    write_first_counter(metrics, METRIC_MEMORY, COUNTER_MEMORY_PAGES, page);
    write_first_setting(metrics, METRIC_MEMORY_PRESSURE, SETTING_MEM_PRESSURE, page);
    write_first_setting(metrics, METRIC_MEMORY_LIMIT, SETTING_MEM_LIMIT, page);
    write_namespace_counters(metrics);
    write_time_wait_limits(metrics);
}
