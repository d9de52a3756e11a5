#include "diagnose/diagnose.h"

#include "diagnose/answer.h"
#include "diagnose/command.h"
#include "diagnose/confirm.h"
#include "diagnose/consequences.h"
#include "diagnose/context.h"
#include "diagnose/delivery.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/limits.h"
#include "diagnose/list_options.h"
#include "diagnose/logged.h"
#include "diagnose/notes.h"
#include "diagnose/pair.h"
#include "diagnose/phrases.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "diagnose/selected.h"
#include "diagnose/totals.h"
#include "diagnose/unknown_verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/host.h"
#include "model/previous.h"

static bool can_judge(const struct rule *rule, const struct context *context)
{
    return (rule->looks_at & ~context->seen) == 0;
}

/* The number of the first rule that applies; 0: normal. */
static uint8_t cause_of(const struct context *context, const struct conn *conn)
{
    unsigned service = context_service(context, conn);
    for (unsigned i = 1; i < rule_count; i++) {
        if ((rules[i].states & STATE_BIT(conn->state)) != 0 && can_judge(&rules[i], context) &&
            rules[i].applies(context, conn, context_limits(context, service, &rules[i])))
            return (uint8_t)i;
    }
    return 0;
}

/* Fills in causes, and makes the array of the connections that have one. The caller frees the array. */
static void find_causes(const struct context *context, const struct confirm *confirm, uint8_t *causes,
    struct stuck **ret_stuck, size_t *ret_count)
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
        if (causes[i] != 0 && !confirm_holds(confirm, snapshot, conn, causes[i]))
            causes[i] = 0;
        if (causes[i] == 0)
            continue;
        xvec_grow((void **)&stuck, count, &capacity, sizeof *stuck);
        stuck[count++] = (struct stuck){ .conn = (uint32_t)i, .pair = NO_INDEX, .rule = causes[i] };
    }
    *ret_stuck = stuck;
    *ret_count = count;
}

/* How many connections the user asks about; 0 for a whole host, live: there the user points at none of them. */
static uint64_t count_asked(const struct context *context, const struct diagnosis *diagnosis)
{
    if (context->selects_all && context->snapshot->origin == NULL)
        return 0;
    return diagnosis->selected_count - diagnosis->by_state[STATE_LISTEN] - diagnosis->by_state[STATE_BOUND];
}

/* If a listener of this host holds a stuck connection up, that listener becomes the connection's other end. */
static void pair_with_listeners(const struct context *context, struct stuck *stuck, size_t count)
{
    for (size_t i = 0; stuck != NULL && i < count; i++) {
        const struct conn *conn = &context->snapshot->conns[stuck[i].conn];
        if (conn->state == STATE_CLOSE_WAIT) /* it has its own finding: close-wait-not-accepted */
            continue;
        const struct conn *listener = context_stalled_listener(context, conn);
        if (listener != NULL)
            stuck[i].pair = (uint32_t)(listener - context->snapshot->conns);
        stuck[i].has_stranger |= queues_may_refuse(&context->queues, conn);
    }
}

/* True if the other end, which received the SYN, is stuck too: its finding says in which direction packets are lost. */
static bool explains_more(const struct context *context, uint32_t pair)
{
    return context->snapshot->conns[pair].state == STATE_SYN_RECEIVED && context->causes[pair] != 0;
}

/* True if there will be a finding about the listener, or about the connections that nobody accepted there. */
static bool listener_is_at_fault(const struct context *context, const struct conn *listener)
{
    const struct queue *queue = context_queue(context, listener);
    return queue != NULL && (queue->closed > 0 || context->causes[listener - context->snapshot->conns] != 0);
}

/* True for FIN_WAIT_2 whose other end is stuck in CLOSE_WAIT or LAST_ACK, for any cause. */
static bool waits_for_close(const struct context *context, uint32_t conn, uint32_t other_end)
{
    return context->snapshot->conns[conn].state == STATE_FIN_WAIT_2 && context->causes[other_end] != 0;
}

/*
 * True if the packets of this end are lost on the way to the other end. A kernel acknowledges what arrives, whatever
 * its program does, unless its receive buffer is full (tcp_data_queue(); before Linux 6.6 it then dropped the segment
 * without an answer). So the program at the other end is not the reason that nothing comes back.
 */
static bool is_lost_on_the_way(const struct context *context, const struct conn *conn, const struct conn *other)
{
    return delivery_of(context->snapshot, conn) == DELIVERY_UNANSWERED && conn_has(other, CONN_QUEUES) &&
        other->recv_q_bytes <= 1;
}

/* True if the finding about the other end, which is no listener, explains why this connection is stuck. */
static bool is_explained(const struct context *context, const struct stuck *stuck)
{
    const struct conn *conns = context->snapshot->conns;
    if (rules[stuck->rule].fault == FAULT_LOCAL_APPLICATION)
        return false;
    bool by_program = rules[context->causes[stuck->pair]].fault == FAULT_LOCAL_APPLICATION &&
        !is_lost_on_the_way(context, &conns[stuck->conn], &conns[stuck->pair]);
    return by_program || explains_more(context, stuck->pair) || waits_for_close(context, stuck->conn, stuck->pair);
}

/* Finds the connections whose other end is in this snapshot and will have the finding. One root cause gives one. */
static void find_yielding(const struct context *context, struct stuck *stuck, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct conn *other = stuck[i].pair == NO_INDEX ? NULL : &context->snapshot->conns[stuck[i].pair];
        if (other != NULL)
            stuck[i].yields = conn_is_listener(other) ? listener_is_at_fault(context, other)
                                                      : is_explained(context, &stuck[i]);
    }
}

/* Removes them from `stuck`. They are still evidence, as other ends. */
static size_t remove_yielding(struct stuck *stuck, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!stuck[i].yields)
            stuck[kept++] = stuck[i];
    }
    return kept;
}

/* True if some connections in this state are normal because they are few: those count that do not yield. */
static bool counts_by_pair(uint32_t state)
{
    for (unsigned i = 1; i < rule_count; i++) {
        if ((rules[i].states & state) != 0 && rules[i].limits.min_count > 0)
            return true;
    }
    return false;
}

uint32_t diagnose_states(const struct selection *selection, bool findings)
{
    /* These states use up ports. A finding about a shortage of ports needs the connections in all states. */
    const uint32_t port_users = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_TIME_WAIT) | STATE_BIT(STATE_SYN_SENT);
    uint32_t wanted = selection->states;
    if (wanted == 0 || (findings && (wanted & port_users) != 0))
        return 0;
    for (int state = 0; state < STATE_COUNT; state++) {
        if ((selection->states & STATE_BIT(state)) != 0 && (findings || counts_by_pair(STATE_BIT(state))))
            wanted |= pair_opposites((enum conn_state)state);
    }
    uint32_t judged = wanted;
    for (unsigned i = 1; i < rule_count; i++) {
        if ((rules[i].states & judged) != 0)
            wanted |= rules[i].looks_at | (findings ? rules[i].tells_by : 0);
    }
    return wanted | STATE_BIT(STATE_LISTEN); /* listeners tell incoming connections from outgoing ones */
}

static int worst_first(const void *a, const void *b)
{
    const struct finding *one = a, *other = b;
    if ((one->ignored != NULL) != (other->ignored != NULL))
        return one->ignored != NULL ? 1 : -1;
    if (one->severity != other->severity)
        return one->severity > other->severity ? -1 : 1;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    return strcmp(one->id, other->id);
}

/* True if the group has too few connections for a finding. Then their cause becomes "normal". */
static bool is_too_small(
    const struct context *context, const struct answer_part *parts, const struct group *group, uint8_t *causes)
{
    const struct limits *limits = group->limits;
    bool has_ages = group->ages_known && !group->ages_from_snapshots;
    bool blind = !group->timers_known && !has_ages && limits->min_without_age > 0;
    uint64_t count = group->counted > group->count ? group->counted : group->count;
    if (count >= (blind ? limits->min_without_age : limits->min_count))
        return false;
    /* If most of a paste is such connections, the user asks about them, and should get an answer. */
    bool may_answer = group->rule->answers_few || (blind && group->count >= limits->min_count);
    if (may_answer && answer_is(context, parts, group))
        return false;
    for (size_t i = 0; i < group->count; i++)
        causes[group->conns[i]] = 0;
    return true;
}

static void raise_verdict(const struct finding *finding, struct diagnosis *diagnosis)
{
    if (finding->severity == SEVERITY_CRITICAL)
        diagnosis->verdict = VERDICT_CRITICAL;
    else if (finding->severity == SEVERITY_WARNING && diagnosis->verdict == VERDICT_HEALTHY)
        diagnosis->verdict = VERDICT_WARNING;
}

/* The host of a finding: that of its namespace, of its owner, or of its first connection. */
static const struct host *host_of(const struct snapshot *snapshot, const struct finding *finding)
{
    if (finding->host != NULL || snapshot->host_count == 0)
        return finding->host;
    if (finding->netns != NULL)
        return finding->netns->host;
    if (finding->owner != NULL)
        return finding->owner->host;
    return finding->conn_count > 0 ? hosts_of_conn(snapshot, &snapshot->conns[finding->conns[0]]) : NULL;
}

static void make_findings(const struct context *context, struct group *groups, size_t count, const bool *concerns,
    uint8_t *causes, struct diagnosis *diagnosis)
{
    struct finding_list list = { 0 };
    const struct answer_part *parts = answer_parts(groups, count, &diagnosis->arena);
    for (size_t i = 0; i < count; i++) {
        groups[i].counted = totals_of_group(context->snapshot, &groups[i]);
        if (is_too_small(context, parts, &groups[i], causes))
            continue;
        struct finding finding;
        finding_make(context, parts, &groups[i], &diagnosis->arena, &finding);
        finding.other_ends = groups[i].pairs;
        finding.other_end_count = groups[i].pair_count;
        if (finding.confidence > CONFIDENCE_LIKELY && pair_is_hidden(context, &groups[i]))
            finding.confidence = CONFIDENCE_LIKELY; /* the hidden other ends might contradict it */
        *finding_list_add(&list, groups[i].rule) = finding;
    }
    for (unsigned i = 1; i < rule_count; i++) {
        if (rules[i].assess != NULL && can_judge(&rules[i], context))
            rules[i].assess(context, &rules[i], &diagnosis->arena, &list);
    }
    consequences_fold(context->snapshot, &diagnosis->arena, &list);
    totals_add_findings(context, diagnosis, &list);
    logged_add_findings(context, &diagnosis->arena, &list);
    selected_filter(context, concerns, &diagnosis->arena, &list);
    for (size_t i = 0; i < list.count; i++)
        policy_apply_to_finding(context, diagnosis->ignores, &list.items[i]);
    diagnosis->findings = arena_alloc(&diagnosis->arena, list.count * sizeof *list.items);
    diagnosis->wants_rates = list.wants_rates;
    if (list.count > 0) {
        qsort(list.items, list.count, sizeof *list.items, worst_first);
        memcpy(diagnosis->findings, list.items, list.count * sizeof *list.items);
    }
    for (size_t i = 0; i < list.count; i++) {
        diagnosis->findings[i].host = host_of(context->snapshot, &list.items[i]);
        command_place(&diagnosis->arena, &diagnosis->findings[i]);
        list_options_set(diagnosis, &diagnosis->findings[i]);
    }
    while (diagnosis->finding_count < list.count && list.items[diagnosis->finding_count].ignored == NULL)
        raise_verdict(&list.items[diagnosis->finding_count++], diagnosis);
    diagnosis->ignored = diagnosis->findings + diagnosis->finding_count;
    diagnosis->ignored_count = list.count - diagnosis->finding_count;
    free(list.items);
}

static const char *const *cause_ids(struct arena *arena)
{
    const char **ids = arena_alloc(arena, rule_count * sizeof *ids);
    for (unsigned i = 0; i < rule_count; i++)
        ids[i] = rules[i].id;
    return ids;
}

/* Adds a note about the connections that this snapshot alone would have called stuck. */
static void add_passing_note(const struct context *context, struct diagnosis *diagnosis)
{
    const struct snapshot *snapshot = context->snapshot;
    uint64_t passing = 0;
    for (size_t i = 0; snapshot->confirms && i < snapshot->conn_count; i++) {
        if (!context->selected[i] || context->causes[i] != 0)
            continue;
        uint8_t cause = cause_of(context, &snapshot->conns[i]);
        passing += cause != 0 &&
            context_limits(context, 0, &rules[cause])->min_count == 0; /* others may just be too few */
    }
    struct arena *arena = &diagnosis->arena;
    if (passing > 0)
        lines_add(&diagnosis->notes, arena,
            "%s looked stuck, but had just come or had moved since the look %s earlier: normal so far.",
            phrases_conns(arena, passing), phrases_duration(arena, previous_apart_ms(snapshot)));
}

void diagnose(const struct snapshot *snapshot, const struct selection *selection, const struct policy *policy,
    struct diagnosis *ret_diagnosis)
{
    struct diagnosis diagnosis = { .snapshot = snapshot, .verdict = VERDICT_HEALTHY };
    arena_init(&diagnosis.arena);
    struct stuck *stuck = NULL;
    struct group *groups = NULL;
    size_t count = 0, group_count = 0;
    uint8_t *causes = arena_alloc(&diagnosis.arena, snapshot->conn_count);
    bool *selected = arena_alloc(&diagnosis.arena, snapshot->conn_count * sizeof *selected);
    diagnosis.causes = causes;
    struct context context = {
        .selected = selected,
        .selects_all = selected_all(selection),
        .causes = causes,
        .policy = policy,
        .limits = limits_make(policy, &diagnosis.arena),
    };
    diagnosis.cause_ids = cause_ids(&diagnosis.arena);

    context_init(&context, snapshot);
    struct confirm confirm;
    confirm_init(&confirm, &context);
    find_causes(&context, &confirm, causes, &stuck, &count);
    selected_mark(selection, &diagnosis, selected);
    context.asked_count = count_asked(&context, &diagnosis);
    totals_count(selection, &diagnosis);
    pair_find(snapshot, stuck, count);
    pair_with_listeners(&context, stuck, count);
    pair_note_unsure(stuck, count, selected, &diagnosis);
    unknown_verdict_note_unsure(&context, &diagnosis);
    find_yielding(&context, stuck, count);
    const bool *concerns = selected_concerns(&context, selection, stuck, count, &diagnosis.arena);
    count = remove_yielding(stuck, count);
    diagnosis.ignores = ignores_make(&context, &diagnosis);
    group_fold(&context, diagnosis.ignores, stuck, count, &diagnosis.arena, &groups, &group_count);
    make_findings(&context, groups, group_count, concerns, causes, &diagnosis);
    if (selection != NULL && selection->cause_count > 0)
        selected_mark(selection, &diagnosis, selected); /* some groups were too small for a finding */
    selected_gaps(selection, &diagnosis);
    if (snapshot->counts_only)
        totals_add_notes(&context, &diagnosis);
    notes_make(&context, &diagnosis, selected);
    add_passing_note(&context, &diagnosis);
    *ret_diagnosis = diagnosis;
    free(stuck);
    confirm_deinit(&confirm);
    context_deinit(&context);
}
