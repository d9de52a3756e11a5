/*
 * Connections by state, namespace and process. The process names with the most stuck connections have their own series,
 * then those with the most connections. TIME_WAIT and orphans, which no process holds, always have their own.
 */
#include "report/metrics/connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "query/group_by.h"

/* The connections of one process name in one namespace. */
struct holder_tally {
    const char *process; /* value of the label */
    uint32_t slot;       /* of the namespace: struct metrics */
    uint64_t total, stuck;
    uint64_t by_state[STATE_COUNT];
};

/* Sorts by namespace and name, so that equal labels become neighbours. */
static int by_labels(const void *a, const void *b)
{
    const struct holder_tally *one = a, *other = b;
    if (one->slot != other->slot)
        return one->slot < other->slot ? -1 : 1;
    return strcmp(one->process, other->process);
}

static int most_stuck_first(const void *a, const void *b)
{
    const struct holder_tally *one = a, *other = b;
    if (one->stuck != other->stuck)
        return one->stuck > other->stuck ? -1 : 1;
    if (one->total != other->total)
        return one->total > other->total ? -1 : 1;
    return by_labels(a, b);
}

static void add(struct holder_tally *tally, const struct holder_tally *more)
{
    tally->total += more->total;
    tally->stuck += more->stuck;
    for (unsigned state = 0; state < STATE_COUNT; state++)
        tally->by_state[state] += more->by_state[state];
}

/* Makes one tally for each group. The caller frees them. */
static struct holder_tally *tally_groups(struct metrics *metrics, struct groups *groups)
{
    const struct snapshot *snapshot = metrics->snapshot;
    struct holder_tally *tallies = xcalloc(groups->count + 1, sizeof *tallies);
    for (size_t i = 0; i < groups->count; i++) {
        const struct group *group = &groups->items[i];
        const struct conn *conn = &snapshot->conns[group->first];
        struct value process = group_key_value(groups, group, 0);
        tallies[i].process = metrics_label(metrics, process.kind == VALUE_TEXT ? process.text : NULL);
        tallies[i].slot = metrics_netns_slot(metrics, conn->netns);
        tallies[i].total = group->count;
        tallies[i].stuck = metrics->diagnosis->causes[group->first] != 0 ? group->count : 0;
        tallies[i].by_state[conn->state < STATE_COUNT ? conn->state : STATE_UNKNOWN] = group->count;
    }
    return tallies;
}

/* Adds up tallies with equal labels. Returns the number that is left. */
static size_t merge(struct holder_tally *tallies, size_t count)
{
    size_t merged = 0;
    qsort(tallies, count, sizeof *tallies, by_labels);
    for (size_t i = 0; i < count; i++) {
        if (merged > 0 && by_labels(&tallies[merged - 1], &tallies[i]) == 0)
            add(&tallies[merged - 1], &tallies[i]);
        else
            tallies[merged++] = tallies[i];
    }
    return merged;
}

static void write_tally(struct metrics *metrics, const struct holder_tally *tally)
{
    for (unsigned state = 0; state < STATE_COUNT; state++) {
        const char *const labels[] = { state_name((enum conn_state)state), metrics->slot_labels[tally->slot],
            tally->process };
        if (tally->by_state[state] > 0)
            openmetrics_uint(&metrics->writer, labels, tally->by_state[state]);
    }
}

static void write_tallies(struct metrics *metrics, struct holder_tally *tallies, size_t count)
{
    struct holder_tally *others = xcalloc(metrics->slot_count, sizeof *others);
    for (uint32_t slot = 0; slot < metrics->slot_count; slot++)
        others[slot] = (struct holder_tally){ .process = METRICS_OTHER, .slot = slot };
    openmetrics_family(&metrics->writer, &metric_families[METRIC_CONNECTIONS]);
    qsort(tallies, count, sizeof *tallies, most_stuck_first);
    uint32_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        const struct holder_tally *tally = &tallies[i];
        bool named = *tally->process != '\0';
        if (strcmp(tally->process, METRICS_OTHER) == 0 || (named && shown == metrics->options->top)) {
            add(&others[tally->slot], tally);
            continue;
        }
        shown += named;
        write_tally(metrics, tally);
    }
    for (uint32_t slot = 0; slot < metrics->slot_count; slot++)
        write_tally(metrics, &others[slot]);
    free(others);
}

int metrics_write_connections(struct metrics *metrics)
{
    static const char *const names[] = { "process", "netns", "state", "cause" };
    enum { KEYS = sizeof names / sizeof *names };
    struct key_use keys[KEYS];
    for (unsigned i = 0; i < KEYS; i++)
        key_find(names[i], &keys[i]);
    const struct group_options options = { .keys = keys, .key_count = KEYS };
    struct groups groups;
    groups_init(&groups, metrics->diagnosis, metrics->selection, &options);
    struct holder_tally *tallies = tally_groups(metrics, &groups);
    size_t count = merge(tallies, groups.count);
    groups_deinit(&groups);
    write_tallies(metrics, tallies, count);
    free(tallies);
    return 0;
}
