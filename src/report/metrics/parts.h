#pragma once
/* The data and the labels that the files of this folder share. */
#include "model/diagnosis.h"
#include "model/select.h"
#include "report/metrics/families.h"
#include "report/metrics/options.h"

/* The label of all that have no series of their own. A process with this name is counted here. */
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
     * A slot is a place in the order of namespaces: first this program's own, then those with the most connections.
     * Then comes one slot for all other namespaces (other_slot), and one for connections whose namespace is not known.
     */
    uint32_t *netns_slots; /* for each namespace */
    uint32_t *slot_netns;  /* for each slot before other_slot */
    const char **slot_labels;
    uint32_t other_slot, slot_count;
};

uint32_t metrics_netns_slot(const struct metrics *metrics, uint32_t netns);
/* A text from outside as a label; "" for NULL. */
const char *metrics_label(struct metrics *metrics, const char *text);
