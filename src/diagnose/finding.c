/* Makes a finding from a group: owner, endpoints, peers, ages, severity. The rule adds the sentences. */
#include "diagnose/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "diagnose/totals.h"
#include "model/holders.h"

enum { PEERS_SHOWN = 10 };

/* --- tallies of addresses and processes ------------------------------------------------------------------------- */

struct peer_table {
    struct peer_count *items;
    size_t count, capacity;
    struct hash_index index;
};

static void peer_add(struct peer_table *table, const struct ip *address)
{
    uint64_t words[2];
    memcpy(words, address->bytes, sizeof words);
    uint64_t hash = hash_words(0, words, 2);
    struct hash_walk walk = hash_index_walk(&table->index, hash);
    for (uint32_t number; (number = hash_walk_next(&table->index, &walk)) != HASH_NONE;) {
        if (ip_equal(&table->items[number].address, address)) {
            table->items[number].count++;
            return;
        }
    }
    xvec_grow((void **)&table->items, table->count, &table->capacity, sizeof *table->items);
    hash_index_add(&table->index, hash, (uint32_t)table->count);
    table->items[table->count++] = (struct peer_count){ .address = *address, .count = 1 };
}

static int more_peers_first(const void *a, const void *b)
{
    const struct peer_count *one = a, *other = b;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    return ip_compare(&one->address, &other->address);
}

static void count_peers(const struct snapshot *snapshot, struct arena *arena, struct finding *finding)
{
    struct peer_table table = { 0 };
    for (size_t i = 0; i < finding->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[finding->conns[i]];
        if (!conn_is_listener(conn) && (conn->state != STATE_CLOSED || conn->remote_port != 0))
            peer_add(&table, &conn->remote);
    }
    if (table.count > 0)
        qsort(table.items, table.count, sizeof *table.items, more_peers_first);
    /* Equal redacted words may be different addresses, so their number is not known. */
    bool unknown = false;
    for (size_t i = 0; i < table.count; i++)
        unknown |= ip_is_redacted(&table.items[i].address);
    finding->distinct_peers = unknown ? 0 : table.count;
    finding->peer_count = table.count < PEERS_SHOWN ? table.count : PEERS_SHOWN;
    struct peer_count *peers = arena_alloc(arena, finding->peer_count * sizeof *peers);
    for (size_t i = 0; i < finding->peer_count; i++)
        peers[i] = table.items[i];
    finding->peers = peers;
    free(table.items);
    hash_index_deinit(&table.index);
}

static int more_conns_first(const void *a, const void *b)
{
    const struct process_count *one = a, *other = b;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    return one->process->pid < other->process->pid ? -1 : one->process->pid > other->process->pid;
}

/* Counts the connections that each process holds, most first. A connection counts once for each of its holders. */
static size_t count_processes(const struct context *context, const uint32_t *conns, size_t count, struct arena *arena,
    const struct process_count **ret_processes)
{
    const struct snapshot *snapshot = context->snapshot;
    uint64_t *counts = context->process_counts;
    size_t distinct = 0, filled = 0;
    for (size_t i = 0; i < count; i++) {
        const struct holder *holder = holders_first(snapshot, &snapshot->conns[conns[i]]);
        for (; holder != NULL; holder = holders_next_process(snapshot, holder))
            distinct += counts[holder->process]++ == 0;
    }
    struct process_count *processes = arena_alloc(arena, distinct * sizeof *processes);
    for (size_t i = 0; filled < distinct; i++) {
        const struct holder *holder = holders_first(snapshot, &snapshot->conns[conns[i]]);
        for (; holder != NULL; holder = holders_next_process(snapshot, holder)) {
            if (counts[holder->process] == 0)
                continue;
            processes[filled++] = (struct process_count){ holders_process(snapshot, holder), counts[holder->process] };
            counts[holder->process] = 0;
        }
    }
    qsort(processes, distinct, sizeof *processes, more_conns_first);
    *ret_processes = processes;
    return distinct;
}

void finding_fill_from_conns(const struct context *context, struct arena *arena, struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    finding->process_count = count_processes(context, finding->conns, finding->conn_count, arena, &finding->processes);
    finding->owner = finding->process_count > 0 ? finding->processes[0].process : NULL;
    count_peers(snapshot, arena, finding);
}

/* --- ends ------------------------------------------------------------------------------------------------------- */

static void fill_endpoints(const struct snapshot *snapshot, const struct group *group, struct finding *finding)
{
    const struct conn *first = &snapshot->conns[group->conns[0]];
    struct endpoint local = { .known = true, .address = first->local, .port = first->local_port };
    struct endpoint remote = { .known = true, .address = first->remote, .port = first->remote_port };
    for (size_t i = 1; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        local.any_address |= !ip_equal(&local.address, &conn->local);
        remote.any_address |= !ip_equal(&remote.address, &conn->remote);
    }
    struct endpoint *service = group->incoming ? &local : &remote;
    service->any_port = group->distinct_ports > 1;
    service->ports = service->any_port ? group->distinct_ports : 0;
    if (group->incoming)
        remote = (struct endpoint){ .known = false };
    else
        local.any_port = true;
    if (first->state == STATE_CLOSED) { /* the kernel, or the source, may not know the ends any more */
        local.known &= first->local_port != 0;
        remote.known &= first->remote_port != 0;
    }
    finding->local = local;
    finding->remote = remote;
}

static void fill_give_up(const struct snapshot *snapshot, const struct group *group, struct finding *finding)
{
    uint64_t first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < group->count; i++) {
        uint64_t ms;
        if (!conn_give_up_ms(snapshot, &snapshot->conns[group->conns[i]], &ms))
            return;
        first = ms < first ? ms : first;
        last = ms > last ? ms : last;
    }
    finding->give_up_known = true;
    finding->first_give_up_ms = first;
    finding->last_give_up_ms = last;
}

/* --- severity --------------------------------------------------------------------------------------------------- */

static uint64_t number_of(const struct group *group)
{
    return group->counted > group->kindred ? group->counted : group->kindred;
}

/* Ages that come from the time between two snapshots are only lower bounds, so they count as unknown here. */
bool finding_is_critical_by_number(const struct group *group, const struct limits *limits)
{
    uint64_t count = number_of(group);
    return limits->critical_count != 0 && count >= limits->critical_count && limits->critical_without_age != 0 &&
        count >= limits->critical_without_age && (!group->ages_known || group->ages_from_snapshots);
}

static enum severity severity_of(const struct group *group, const struct limits *limits)
{
    enum severity severity = SEVERITY_INFO;
    if (limits->warning_count != 0 && number_of(group) >= limits->warning_count)
        severity = SEVERITY_WARNING;
    if (limits->warning_age_ms != 0 && group->ages_known && group->oldest_ms >= limits->warning_age_ms)
        severity = SEVERITY_WARNING;
    if (limits->critical_count != 0 && number_of(group) >= limits->critical_count && group->ages_known &&
        group->oldest_ms >= limits->critical_age_ms)
        severity = SEVERITY_CRITICAL;
    if (finding_is_critical_by_number(group, limits))
        severity = SEVERITY_CRITICAL;
    return severity;
}

/* The severity that follows from the descriptors that these connections use up in their process. */
static enum severity descriptor_risk(const struct process *process, uint64_t held)
{
    enum { WARNING_PERCENT = 50, CRITICAL_PERCENT = 80 };
    if (!process_has_limit(process) || process->fds_open == 0)
        return SEVERITY_INFO;
    /*
     * Only if these connections are a quarter of the open descriptors: descriptor-exhaustion reports other shortages.
     */
    if (held * 4 < process->fds_open)
        return SEVERITY_INFO;
    unsigned percent = process_descriptors_percent(process);
    return percent >= CRITICAL_PERCENT ? SEVERITY_CRITICAL
        : percent >= WARNING_PERCENT   ? SEVERITY_WARNING
                                       : SEVERITY_INFO;
}

static void add_confirmation(const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *later = phrases_duration(arena, group->confirmed_ms);
    if (group->ages_from_snapshots)
        lines_add(&finding->evidence, arena,
            "Confirmed by a second look %s later: the same state, cause and queues. Whether bytes passed in "
            "between is not known from this source.",
            later);
    else
        lines_add(&finding->evidence, arena,
            "Confirmed by a second look %s later: the same state and cause, and no byte had moved.", later);
}

/* For a group that was folded over ports: adds the ports that stand out. */
static void add_ports_evidence(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    if (group->distinct_ports < 2)
        return;
    const char *used = "";
    for (unsigned i = 0; i < group->used_count; i++)
        used = arena_printf(arena, "%s%s%u (%s)", used, i > 0 ? ", " : "", group->used_ports[i].port,
            phrases_count(arena, group->used_ports[i].count));
    if (group->used_count > 0)
        lines_add(&finding->evidence, arena, "Most used of the %s ports: %s.",
            phrases_count(arena, group->distinct_ports), used);
    else if (group->distinct_ports < group->count)
        lines_add(
            &finding->evidence, arena, "None of the %s ports stands out.", phrases_count(arena, group->distinct_ports));
    else if (group->incoming)
        lines_add(&finding->evidence, arena,
            "Each has a local port of its own, as the data connections of FTP, RPC and peer-to-peer programs have.");
    else
        lines_add(&finding->evidence, arena, "Each goes to a port of its own.");
    if (finding->owner == NULL && !conn_is_unheld(&context->snapshot->conns[group->conns[0]]))
        lines_add(&finding->evidence, arena,
            "Who holds them was not seen: they may belong to several programs that have the same trouble.");
}

static void add_kindred_evidence(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    if (group->kindred <= group->count)
        return;
    uint64_t others = group->kindred - group->count;
    lines_add(&finding->evidence, arena, "%s more of the same service and owner %s in %s for another cause: %s in all.",
        phrases_count(arena, others), others == 1 ? "is" : "are",
        state_name((enum conn_state)context->snapshot->conns[group->conns[0]].state),
        phrases_count(arena, group->kindred));
}

void finding_lower_confidence(const struct group *group, uint64_t certain_ms, struct finding *finding)
{
    /* If keepalive may reset the clocks, the proven age falls after each answer to a probe, so it is never certain. */
    bool young = group->oldest_ms < certain_ms || group->resets > 0 || group->keepalives > 0;
    if (group->confirmed_ms == 0 && young && finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
}

/* True if some process holds the connections, whether it was seen or not. Then the listener does not show the owner. */
static bool is_held(const struct snapshot *snapshot, const struct group *group)
{
    const struct conn *first = &snapshot->conns[group->conns[0]];
    return conn_has(first, CONN_INODE) && first->inode != 0;
}

/* A process that cannot act has to be freed before anything else helps. */
static const char *action_for(const struct rule *rule, const struct finding *finding)
{
    const char *action = finding->fault == FAULT_LOCAL_APPLICATION ? obstacle_action(obstacle_of(finding->owner))
                                                                   : NULL;
    return action != NULL ? action : rule->action;
}

void finding_make(const struct context *context, const struct answer_part *parts, const struct group *group,
    struct arena *arena, struct finding *ret_finding)
{
    const struct snapshot *snapshot = context->snapshot;
    struct finding finding = {
        .id = group->rule->id,
        .fault = group->rule->fault,
        .severity = severity_of(group, group->limits),
        .confidence = group->ages_known && !group->ages_from_snapshots ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
        .count = group->count,
        .netns = group->netns,
        .host = group->netns != NULL ? group->netns->host : NULL,
        .conns = group->conns,
        .conn_count = group->count,
        .age_known = group->ages_known,
        .age_at_least = true,
        .oldest_ms = group->proven_oldest_ms,
        .median_ms = group->proven_median_ms,
        .reset_count = group->resets,
        .quiet_ms = group->resets > 0 ? group->oldest_ms : 0,
        .oldest_at_most_ms = group->possible_oldest_ms,
    };
    finding_fill_from_conns(context, arena, &finding);
    finding.counterpart_count = count_processes(context, group->pairs, group->pair_count, arena, &finding.counterparts);
    finding.owner_inferred = finding.process_count == 0 && group->listener_holder != NULL && !is_held(snapshot, group);
    if (finding.owner_inferred)
        finding.owner = group->listener_holder;
    fill_endpoints(snapshot, group, &finding);
    fill_give_up(snapshot, group, &finding);

    for (size_t i = 0; i < finding.process_count; i++) {
        enum severity risk = descriptor_risk(finding.processes[i].process, finding.processes[i].count);
        if (risk > finding.severity)
            finding.severity = risk;
    }
    finding.is_answer = answer_is(context, parts, group);
    answer_raise_severity(context, parts, group, &finding); /* before describe(), which may change the severity */
    group->rule->describe(context, group, arena, &finding);
    add_ports_evidence(context, group, arena, &finding);
    add_kindred_evidence(context, group, arena, &finding);
    totals_correct_count(snapshot, group, arena, &finding);
    if (group->confirmed_ms > 0)
        add_confirmation(group, arena, &finding);
    finding.action = action_for(group->rule, &finding);
    *ret_finding = finding;
}

struct finding *finding_list_add(struct finding_list *list, const struct rule *rule)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 8;
        list->items = xrealloc_array(list->items, list->capacity, sizeof *list->items);
    }
    struct finding *finding = &list->items[list->count++];
    *finding = (struct finding){
        .id = rule->id, .fault = rule->fault, .action = rule->action, .confidence = CONFIDENCE_CERTAIN
    };
    return finding;
}
