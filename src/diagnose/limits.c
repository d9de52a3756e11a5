/*
 * Applies the policy of the user: other limits, for a finding everywhere or for one service, and known findings that do
 * not count. An ignored finding is made like any other, so that it can be shown.
 */
#include "diagnose/limits.h"

#include "diagnose/context.h"
#include "diagnose/rule.h"
#include "model/policy.h"

#include <fnmatch.h>
#include <string.h>

/* --- limits ----------------------------------------------------------------------------------------------------- */

const struct limits *limits_make(const struct policy *policy, struct arena *arena)
{
    size_t services = policy != NULL ? policy->service_count : 0;
    struct limits *limits = arena_alloc(arena, (services + 1) * rule_count * sizeof *limits);
    for (size_t service = 0; service <= services; service++) {
        for (unsigned i = 0; i < rule_count; i++) {
            struct limits *one = &limits[service * rule_count + i];
            *one = rules[i].limits;
            one->severity_at_most = SEVERITY_CRITICAL;
            if (policy != NULL)
                policy_apply(&policy->settings, rules[i].id, one);
            if (service > 0)
                policy_apply(&policy->services[service - 1].settings, rules[i].id, one);
        }
    }
    return limits;
}

unsigned context_service(const struct context *context, const struct conn *conn)
{
    size_t count = context->policy != NULL ? context->policy->service_count : 0;
    for (size_t i = 0; i < count; i++) {
        if (selection_matches(&context->policy->services[i].selection, context->snapshot, conn))
            return (unsigned)i + 1;
    }
    return 0;
}

/* A service whose selection has other terms than process names is a property of connections, not of a process. */
unsigned context_process_service(const struct context *context, const struct process *process)
{
    size_t count = context->policy != NULL ? context->policy->service_count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct selection *selection = &context->policy->services[i].selection;
        struct selection rest = *selection;
        rest.name_count = 0;
        if (selection->name_count > 0 && selection_is_empty(&rest) && selection_matches_name(selection, process->name))
            return (unsigned)i + 1;
    }
    return 0;
}

const struct limits *context_limits(const struct context *context, unsigned service, const struct rule *rule)
{
    return &context->limits[service * rule_count + (size_t)(rule - rules)];
}

/* --- ignores ---------------------------------------------------------------------------------------------------- */

static bool is_ignored(
    const struct ignore *ignore, const struct snapshot *snapshot, const struct conn *conn, const char *cause)
{
    return !ignore_is_over(ignore, snapshot->taken_at_ms) && selection_matches_cause(&ignore->selection, cause) &&
        selection_matches(&ignore->selection, snapshot, conn);
}

const uint8_t *ignores_make(const struct context *context, struct diagnosis *diagnosis)
{
    const struct policy *policy = context->policy;
    const struct snapshot *snapshot = context->snapshot;
    if (policy == NULL || policy->ignore_count == 0)
        return NULL;
    uint8_t *ignores = arena_alloc(&diagnosis->arena, snapshot->conn_count);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        for (size_t k = 0; k < policy->ignore_count && ignores[i] == 0; k++) {
            if (is_ignored(&policy->ignores[k], snapshot, &snapshot->conns[i], diagnosis_cause(diagnosis, i)))
                ignores[i] = (uint8_t)(k + 1);
        }
    }
    for (size_t k = 0; k < policy->ignore_count; k++) {
        const struct ignore *ignore = &policy->ignores[k];
        if (ignore_is_over(ignore, snapshot->taken_at_ms))
            lines_add(&diagnosis->notes, &diagnosis->arena,
                "The ignore '%s' (%s) was meant until %s: what it took in is judged again.", ignore->name,
                ignore->reason, ignore->until);
    }
    return ignores;
}

/*
 * For findings about the host or a process. True if the ignore matches all connections of the finding. Without
 * connections, only an ignore that selects nothing but the finding matches.
 */
static bool takes_in(const struct ignore *ignore, const struct snapshot *snapshot, const struct finding *finding)
{
    if (ignore_is_over(ignore, snapshot->taken_at_ms) || !selection_matches_cause(&ignore->selection, finding->id))
        return false;
    struct selection rest = ignore->selection;
    rest.cause_count = 0;
    for (size_t i = 0; i < finding->conn_count; i++) {
        if (!selection_matches(&rest, snapshot, &snapshot->conns[finding->conns[i]]))
            return false;
    }
    return finding->conn_count > 0 || selection_is_empty(&rest);
}

static const struct ignore *ignore_of(
    const struct context *context, const uint8_t *ignores, const struct finding *finding, const struct rule *rule)
{
    if (ignores == NULL)
        return NULL;
    /* All connections of a group have the same ignore: group.c. */
    if (rule->applies != NULL && finding->conn_count > 0 && ignores[finding->conns[0]] != 0)
        return &context->policy->ignores[ignores[finding->conns[0]] - 1];
    for (size_t i = 0; i < context->policy->ignore_count; i++) {
        if (takes_in(&context->policy->ignores[i], context->snapshot, finding))
            return &context->policy->ignores[i];
    }
    return NULL;
}

void policy_apply_to_finding(const struct context *context, const uint8_t *ignores, struct finding *finding)
{
    unsigned i = 1;
    while (i < rule_count - 1 && strcmp(rules[i].id, finding->id) != 0)
        i++;
    unsigned service = 0;
    if (finding->conn_count > 0)
        service = context_service(context, &context->snapshot->conns[finding->conns[0]]);
    if (service == 0 && finding->owner != NULL)
        service = context_process_service(context, finding->owner);
    uint64_t most = context_limits(context, service, &rules[i])->severity_at_most;
    if ((uint64_t)finding->severity > most)
        finding->severity = (enum severity)most;
    finding->ignored = ignore_of(context, ignores, finding, &rules[i]);
}
