#include "diagnose/diagnose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/rule.h"

/* The number of the first rule that applies; 0: the connection is as it should be. */
static uint8_t cause_of(const struct context *context, const struct conn *conn)
{
    for (unsigned i = 1; i < rule_count; i++) {
        if ((rules[i].states & STATE_BIT(conn->state)) != 0 && rules[i].applies(context, conn, &rules[i].limits))
            return (uint8_t)i;
    }
    return 0;
}

/* The connections with a cause. Returns 0 or -ENOMEM. */
static int find_causes(const struct context *context, uint8_t *causes, struct stuck **ret_stuck, size_t *ret_count)
{
    const struct snapshot *snapshot = context->snapshot;
    uint32_t judged = 0;
    for (unsigned i = 1; i < rule_count; i++)
        judged |= rules[i].states;

    struct stuck *stuck = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        causes[i] = (judged & STATE_BIT(conn->state)) != 0 ? cause_of(context, conn) : 0;
        if (causes[i] == 0)
            continue;
        if (vec_grow((void **)&stuck, count, &capacity, sizeof *stuck) < 0) {
            free(stuck);
            return -ENOMEM;
        }
        stuck[count++] = (struct stuck){ .conn = (uint32_t)i, .pair = NO_INDEX, .rule = causes[i] };
    }
    *ret_stuck = stuck;
    *ret_count = count;
    return 0;
}

/* Marks what the selection takes in, counts it, and drops the other stuck connections. */
static void apply_selection(
    const struct selection *selection, struct diagnosis *diagnosis, bool *selected, struct stuck *stuck, size_t *count)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    bool all = selection == NULL || selection_is_empty(selection);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        selected[i] = all ||
            (selection_matches(selection, snapshot, conn) &&
                selection_matches_cause(selection, diagnosis_cause(diagnosis, i)));
        diagnosis->selected_count += selected[i];
        diagnosis->by_state[conn->state] += selected[i];
    }
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (selected[stuck[i].conn])
            stuck[kept++] = stuck[i];
    }
    *count = kept;
}

static int worst_first(const void *a, const void *b)
{
    const struct finding *one = a, *other = b;
    if (one->severity != other->severity)
        return one->severity > other->severity ? -1 : 1;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    return strcmp(one->id, other->id);
}

static void make_findings(
    const struct context *context, const struct group *groups, size_t count, struct diagnosis *diagnosis)
{
    diagnosis->findings = arena_alloc(&diagnosis->arena, count * sizeof *diagnosis->findings);
    diagnosis->finding_count = count;
    for (size_t i = 0; i < count; i++) {
        finding_make(context, &groups[i], &diagnosis->arena, &diagnosis->findings[i]);
        if (diagnosis->findings[i].severity == SEVERITY_CRITICAL)
            diagnosis->verdict = VERDICT_CRITICAL;
        else if (diagnosis->findings[i].severity == SEVERITY_WARNING && diagnosis->verdict == VERDICT_HEALTHY)
            diagnosis->verdict = VERDICT_WARNING;
    }
    qsort(diagnosis->findings, count, sizeof *diagnosis->findings, worst_first);
}

static const char *const *cause_ids(struct arena *arena)
{
    const char **ids = arena_alloc(arena, rule_count * sizeof *ids);
    for (unsigned i = 0; i < rule_count; i++)
        ids[i] = rules[i].id;
    return ids;
}

int diagnose(const struct snapshot *snapshot, const struct selection *selection, struct diagnosis *ret_diagnosis)
{
    struct diagnosis diagnosis = { .snapshot = snapshot, .verdict = VERDICT_HEALTHY };
    arena_init(&diagnosis.arena);
    struct context context = { 0 };
    struct stuck *stuck = NULL;
    struct group *groups = NULL;
    size_t count = 0, group_count = 0;
    uint8_t *causes = arena_alloc(&diagnosis.arena, snapshot->conn_count);
    bool *selected = calloc(snapshot->conn_count + 1, sizeof *selected);
    diagnosis.causes = causes;
    diagnosis.cause_ids = cause_ids(&diagnosis.arena);

    context_init(&context, snapshot);
    int result = selected == NULL ? -ENOMEM : 0;
    if (result == 0)
        result = find_causes(&context, causes, &stuck, &count);
    if (result == 0) {
        apply_selection(selection, &diagnosis, selected, stuck, &count);
        result = pair_find(snapshot, stuck, count);
    }
    if (result == 0)
        result = group_fold(&context, stuck, count, &diagnosis.arena, &groups, &group_count);
    if (result == 0) {
        make_findings(&context, groups, group_count, &diagnosis);
        notes_make(&context, &diagnosis, selected);
        *ret_diagnosis = diagnosis;
    } else {
        diagnosis_deinit(&diagnosis);
    }
    free(selected);
    free(stuck);
    context_deinit(&context);
    return result;
}
