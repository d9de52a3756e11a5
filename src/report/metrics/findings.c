/* Findings by id, severity and owner, and the age of the oldest connection. */
#include "report/metrics/findings.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Findings with the same labels. */
struct finding_tally {
    const struct finding *finding; /* the first one */
    const char *owner;
    uint64_t findings, connections;
};

struct finding_tallies {
    struct finding_tally *items;
    size_t count;
    uint32_t named; /* tallies that have an owner of their own */
};

static struct finding_tally *find(
    const struct finding_tallies *tallies, const struct finding *finding, const char *owner)
{
    for (size_t i = 0; i < tallies->count; i++) {
        struct finding_tally *tally = &tallies->items[i];
        if (strcmp(tally->finding->id, finding->id) == 0 && tally->finding->severity == finding->severity &&
            strcmp(tally->owner, owner) == 0)
            return tally;
    }
    return NULL;
}

static struct finding_tally *find_or_add(
    struct metrics *metrics, struct finding_tallies *tallies, const struct finding *finding)
{
    const char *owner = metrics_label(metrics, finding->owner != NULL ? finding->owner->name : NULL);
    struct finding_tally *tally = find(tallies, finding, owner);
    if (tally != NULL)
        return tally;
    bool named = *owner != '\0' && strcmp(owner, METRICS_OTHER) != 0;
    if (named && tallies->named == metrics->options->top) {
        owner = METRICS_OTHER;
        named = false;
        tally = find(tallies, finding, owner);
        if (tally != NULL)
            return tally;
    }
    tallies->named += named;
    tally = &tallies->items[tallies->count++];
    *tally = (struct finding_tally){ .finding = finding, .owner = owner };
    return tally;
}

static void write_tallies(struct metrics *metrics, const struct finding_tallies *tallies, enum metric metric)
{
    openmetrics_family(&metrics->writer, &metric_families[metric]);
    for (size_t i = 0; i < tallies->count; i++) {
        const struct finding_tally *tally = &tallies->items[i];
        const char *const labels[] = { tally->finding->id, severity_name(tally->finding->severity), tally->owner };
        openmetrics_uint(&metrics->writer, labels, metric == METRIC_FINDINGS ? tally->findings : tally->connections);
    }
}

/* Ignored findings: their connections, by id. */
static void write_ignored(struct metrics *metrics)
{
    const struct diagnosis *diagnosis = metrics->diagnosis;
    openmetrics_family(&metrics->writer, &metric_families[METRIC_IGNORED]);
    for (size_t i = 0; i < diagnosis->ignored_count; i++) {
        const char *id = diagnosis->ignored[i].id;
        uint64_t connections = 0;
        bool is_first = true;
        for (size_t j = 0; j < diagnosis->ignored_count && is_first; j++) {
            if (strcmp(diagnosis->ignored[j].id, id) != 0)
                continue;
            is_first = j >= i;
            connections += diagnosis->ignored[j].count;
        }
        if (is_first)
            openmetrics_uint(&metrics->writer, &id, connections);
    }
}

/* An age that answers to keepalive probes set back tells nothing of how long a fault has lasted. */
static bool has_steady_age(const struct metrics *metrics, const struct finding *finding)
{
    return finding->age_known && (finding->reset_count == 0 || !metrics->options->ages_may_shrink);
}

/* The oldest age of each id, written at its first finding. */
static void write_ages(struct metrics *metrics)
{
    const struct diagnosis *diagnosis = metrics->diagnosis;
    openmetrics_family(&metrics->writer, &metric_families[METRIC_OLDEST_AGE]);
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const char *id = diagnosis->findings[i].id;
        bool is_first = true, known = false;
        uint64_t oldest_ms = 0;
        for (size_t j = 0; j < diagnosis->finding_count && is_first; j++) {
            const struct finding *finding = &diagnosis->findings[j];
            if (strcmp(finding->id, id) != 0)
                continue;
            is_first = j >= i;
            bool steady = has_steady_age(metrics, finding);
            known |= steady;
            if (steady && finding->oldest_ms > oldest_ms)
                oldest_ms = finding->oldest_ms;
        }
        if (is_first && known)
            openmetrics_ms(&metrics->writer, &id, oldest_ms);
    }
}

void metrics_write_findings(struct metrics *metrics)
{
    const struct diagnosis *diagnosis = metrics->diagnosis;
    struct finding_tallies tallies = { .items = xcalloc(diagnosis->finding_count + 1, sizeof *tallies.items) };
    for (size_t i = 0; i < diagnosis->finding_count; i++) { /* the worst ones come first */
        struct finding_tally *tally = find_or_add(metrics, &tallies, &diagnosis->findings[i]);
        tally->findings++;
        tally->connections += diagnosis->findings[i].count;
    }
    write_tallies(metrics, &tallies, METRIC_FINDINGS);
    write_tallies(metrics, &tallies, METRIC_FINDING_CONNECTIONS);
    write_ignored(metrics);
    write_ages(metrics);
    free(tallies.items);
}
