#include "report/metrics/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "report/metrics/connections.h"
#include "report/metrics/findings.h"
#include "report/metrics/host.h"
#include "report/metrics/limits.h"
#include "report/metrics/parts.h"

/* --- selection of connections and namespaces -------------------------------------------------------------------- */

static void select_conns(struct metrics *metrics)
{
    const struct snapshot *snapshot = metrics->snapshot;
    const struct selection *selection = metrics->selection;
    metrics->selected = xcalloc(snapshot->conn_count + 1, sizeof *metrics->selected);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        metrics->selected[i] = selection == NULL ||
            (selection_matches(selection, snapshot, &snapshot->conns[i]) &&
                selection_matches_cause(selection, diagnosis_cause(metrics->diagnosis, i)));
    }
}

struct ranking {
    const struct snapshot *snapshot;
    const uint64_t *counts;
};

static int busiest_first(const void *context, uint32_t a, uint32_t b)
{
    const struct ranking *ranking = context;
    const struct netns *one = &ranking->snapshot->netns[a], *other = &ranking->snapshot->netns[b];
    if (one->is_own != other->is_own)
        return one->is_own ? -1 : 1;
    if (ranking->counts[a] != ranking->counts[b])
        return ranking->counts[a] > ranking->counts[b] ? -1 : 1;
    return one->inode < other->inode ? -1 : one->inode > other->inode;
}

/*
 * Several namespaces may have the same name, for example that of a container; or one may be named "other". The inode
 * makes the label unique.
 */
static const char *netns_label(struct metrics *metrics, const struct netns *netns, uint32_t slot)
{
    const char *label = metrics_label(metrics, netns->name);
    bool taken = strcmp(label, METRICS_OTHER) == 0 || *label == '\0';
    for (uint32_t i = 0; i < slot && !taken; i++)
        taken = strcmp(metrics->slot_labels[i], label) == 0;
    return taken ? arena_printf(&metrics->arena, "%s net:[%llu] %u", label, (unsigned long long)netns->inode, slot)
                 : label;
}

/* Orders the namespaces. With a selection, those without a selected connection are left out. */
static void rank_namespaces(struct metrics *metrics)
{
    const struct snapshot *snapshot = metrics->snapshot;
    size_t count = snapshot->netns_count;
    uint64_t *counts = xcalloc(count + 1, sizeof *counts);
    uint32_t *order = xcalloc(count + 1, sizeof *order);
    metrics->netns_slots = xcalloc(count + 1, sizeof *metrics->netns_slots);
    metrics->slot_netns = xcalloc(count + 1, sizeof *metrics->slot_netns);
    metrics->slot_labels = xcalloc(count + 2, sizeof *metrics->slot_labels);
    for (size_t i = 0; i < snapshot->conn_count; i++)
        counts[snapshot->conns[i].netns < count ? snapshot->conns[i].netns : count] += metrics->selected[i];
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    const struct ranking ranking = { .snapshot = snapshot, .counts = counts };
    sort_indexes(order, count, busiest_first, &ranking);

    uint32_t slots = 0;
    for (size_t i = 0; i < count && slots < metrics->options->top; i++) {
        if (metrics->selection != NULL && counts[order[i]] == 0)
            continue;
        metrics->slot_labels[slots] = netns_label(metrics, &snapshot->netns[order[i]], slots);
        metrics->slot_netns[slots++] = order[i];
    }
    metrics->other_slot = slots;
    metrics->slot_count = slots + 2;
    for (size_t i = 0; i < count; i++)
        metrics->netns_slots[i] = slots;
    for (uint32_t i = 0; i < slots; i++)
        metrics->netns_slots[metrics->slot_netns[i]] = i;
    metrics->slot_labels[slots] = METRICS_OTHER;
    metrics->slot_labels[slots + 1] = "";
    free(counts);
    free(order);
}

/* --- the report ------------------------------------------------------------------------------------------------- */

static void write_scrape(struct metrics *metrics)
{
    struct openmetrics *writer = &metrics->writer;
    const struct snapshot *snapshot = metrics->snapshot;
    const char *const version[] = { metrics->options->tool_version };
    openmetrics_family(writer, &metric_families[METRIC_BUILD_INFO]);
    openmetrics_uint(writer, version, 1);
    openmetrics_family(writer, &metric_families[METRIC_SNAPSHOT_TIMESTAMP]);
    openmetrics_ms(writer, NULL, snapshot->taken_at_ms);
    openmetrics_family(writer, &metric_families[METRIC_SCRAPE_DURATION]);
    openmetrics_us(writer, NULL, metrics->options->elapsed_us);
    openmetrics_family(writer, &metric_families[METRIC_VERDICT]);
    openmetrics_uint(writer, NULL, metrics->diagnosis->verdict);
    openmetrics_family(writer, &metric_families[METRIC_GAPS]);
    size_t gap_count;
    struct gap *gaps = diagnosis_all_gaps(metrics->diagnosis, &gap_count);
    for (size_t i = 0; i < gap_count; i++) {
        const char *const id[] = { gaps[i].id };
        openmetrics_uint(writer, id, 1);
    }
    free(gaps);
}

int report_metrics(const struct diagnosis *diagnosis, const struct selection *selection,
    const struct metrics_options *options, struct buf *out, struct error *err)
{
    struct metrics metrics = {
        .diagnosis = diagnosis,
        .snapshot = diagnosis->snapshot,
        .selection = selection != NULL && selection_is_empty(selection) ? NULL : selection,
        .options = options,
    };
    arena_init(&metrics.arena);
    openmetrics_begin(&metrics.writer, options->dialect, out);
    select_conns(&metrics);
    rank_namespaces(&metrics);

    write_scrape(&metrics);
    int result = metrics_write_connections(&metrics);
    metrics_write_findings(&metrics);
    metrics_write_descriptors(&metrics);
    metrics_write_ports(&metrics);
    metrics_write_listeners(&metrics);
    metrics_write_host(&metrics);
    int refused = openmetrics_end(&metrics.writer, err);
    if (result < 0)
        error_set(err, result, NULL, "the connections cannot be counted: %s", strerror(-result));

    free(metrics.selected);
    free(metrics.netns_slots);
    free(metrics.slot_netns);
    free(metrics.slot_labels);
    arena_deinit(&metrics.arena);
    return result < 0 ? result : refused;
}
