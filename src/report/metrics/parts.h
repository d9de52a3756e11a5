#pragma once
/* What the files of the metrics share. */
#include "report/metrics/metrics.h"

enum metric {
    METRIC_BUILD_INFO,
    METRIC_SNAPSHOT_TIMESTAMP,
    METRIC_SCRAPE_DURATION,
    METRIC_VERDICT,
    METRIC_GAPS,
    METRIC_CONNECTIONS,
    METRIC_FINDINGS,
    METRIC_FINDING_CONNECTIONS,
    METRIC_IGNORED,
    METRIC_OLDEST_AGE,
    METRIC_OPEN_FDS,
    METRIC_MAX_FDS,
    METRIC_PORTS_USED,
    METRIC_ACCEPT_QUEUE,
    METRIC_ACCEPT_QUEUE_LIMIT,
    METRIC_LISTENER_DROPS,
    METRIC_ORPHANS,
    METRIC_ORPHANS_LIMIT,
    METRIC_MEMORY,
    METRIC_MEMORY_PRESSURE,
    METRIC_MEMORY_LIMIT,
    METRIC_TIME_WAIT,
    METRIC_TIME_WAIT_LIMIT,
    METRIC_RETRANSMITTED,
    METRIC_TIMEOUTS,
    METRIC_ABORTS,
    METRIC_ACCEPT_QUEUE_OVERFLOWS,
    METRIC_LISTEN_DROPS,
    METRIC_REQUEST_QUEUE_FULL,
    METRIC_SYN_COOKIES,
    METRIC_TIME_WAIT_OVERFLOWS,
    METRIC_MEMORY_PRESSURES,
    METRIC_OPENS,
    METRIC_FAILED_OPENS,
    METRIC_RESETS,
    METRIC_RESETS_SENT,
    METRIC_COUNT
};

extern const struct metric_family metric_families[METRIC_COUNT];

/* What the rest is counted as. A name from outside that says so too is counted with it. */
#define METRICS_OTHER "other"

struct metrics {
    const struct diagnosis *diagnosis;
    const struct snapshot *snapshot;
    const struct selection *selection; /* NULL: all connections */
    const struct metrics_options *options;
    struct arena arena; /* of labels */
    struct openmetrics writer;

    bool *selected; /* for each connection */
    /*
     * Namespaces by slots: those with most connections, this one first of all; then the rest; then that of connections of
     * which none is known.
     */
    uint32_t *netns_slots; /* for each namespace */
    uint32_t *slot_netns;  /* for each slot before other_slot */
    const char **slot_labels;
    uint32_t other_slot, slot_count;
};

uint32_t metrics_netns_slot(const struct metrics *metrics, uint32_t netns);
/* A text from outside as a label; "" for NULL. */
const char *metrics_label(struct metrics *metrics, const char *text);

/* metrics_connections.c */
int metrics_write_connections(struct metrics *metrics);
/* metrics_findings.c */
void metrics_write_findings(struct metrics *metrics);
/* metrics_limits.c: what runs out */
void metrics_write_descriptors(struct metrics *metrics);
void metrics_write_ports(struct metrics *metrics);
void metrics_write_listeners(struct metrics *metrics);
/* metrics_host.c */
void metrics_write_host(struct metrics *metrics);
