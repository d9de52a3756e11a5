/*
 * Folds thousands of stuck connections into a few groups. The connections of a group have the same cause, owner and
 * service.
 *
 * Processes that are copies of one another count as one owner: workers of one parent with the same name, command line
 * and control group. A service is the local port if this host listens there, otherwise the address and port that the
 * connections go to. Many services are folded too: fold.c.
 */
#include "diagnose/group.h"
#include "diagnose/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "diagnose/acceptors.h"
#include "diagnose/context.h"
#include "diagnose/fold.h"
#include "diagnose/kin.h"
#include "diagnose/limits.h"
#include "diagnose/platform.h"
#include "diagnose/rule.h"
#include "model/holders.h"
#include "model/previous.h"

/* --- owners ----------------------------------------------------------------------------------------------------- */

/*
 * The command line. If the process shows its current work there ("postgres: app db 10.0.0.7(40122) SELECT"), the name
 * of the process instead.
 */
static const char *program_of(const struct process *process)
{
    if (process->name == NULL)
        return process->command ? process->command : "";
    size_t length = strlen(process->name);
    if (process->command == NULL ||
        (strncmp(process->command, process->name, length) == 0 && process->command[length] == ':'))
        return process->name;
    return process->command;
}

static bool are_copies(const struct process *one, const struct process *other)
{
    if (one->host != other->host || one->name == NULL || other->name == NULL || one->parent_pid != other->parent_pid ||
        one->cgroup != other->cgroup || strcmp(one->name, other->name) != 0)
        return false;
    return (one->command == NULL) == (other->command == NULL) && strcmp(program_of(one), program_of(other)) == 0;
}

static uint64_t hash_copies(const struct process *process)
{
    const char *command = program_of(process);
    const uint64_t words[] = { hash_bytes(0, command, strlen(command)), process->parent_pid, process->cgroup };
    return hash_words(0, words, sizeof words / sizeof *words);
}

static uint32_t *find_copies(const struct snapshot *snapshot)
{
    uint32_t *stands_for = xrealloc_array(NULL, snapshot->process_count, sizeof *stands_for);
    struct hash_index index = { 0 };
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const struct process *process = &snapshot->processes[i];
        stands_for[i] = (uint32_t)i;
        if (process->name == NULL)
            continue;
        uint64_t hash = hash_copies(process);
        struct hash_walk walk = hash_index_walk(&index, hash);
        uint32_t number;
        do
            number = hash_walk_next(&index, &walk);
        while (number != HASH_NONE && !are_copies(&snapshot->processes[number], process));
        if (number == HASH_NONE)
            hash_index_add(&index, hash, (uint32_t)i);
        else
            stands_for[i] = number;
    }
    hash_index_deinit(&index);
    return stands_for;
}

/* --- services --------------------------------------------------------------------------------------------------- */

static struct fold_key endpoint_key(const struct conn *conn, bool local)
{
    struct fold_key key = { .netns = conn->netns, .incoming = local };
    key.port = local ? conn->local_port : conn->remote_port;
    if (!local)
        key.remote = conn->remote;
    return key;
}

/*
 * Counts how often each local port and each remote end occurs among the stuck connections. If nobody listens on the
 * local port any more, the end that more of them share is the service.
 */
struct tally {
    struct fold_key_table ends;
    uint32_t *counts;
};

static void tally_init(struct tally *tally, const struct snapshot *snapshot, const struct stuck *stuck, size_t count)
{
    *tally = (struct tally){ .counts = xcalloc(count * 2, sizeof *tally->counts) };
    for (size_t i = 0; i < count; i++) {
        const struct conn *conn = &snapshot->conns[stuck[i].conn];
        struct fold_key local = endpoint_key(conn, true), remote = endpoint_key(conn, false);
        tally->counts[fold_key_number(&tally->ends, &local)]++;
        tally->counts[fold_key_number(&tally->ends, &remote)]++;
    }
}

/*
 * Sets stuck->guessed if the direction is a guess. That is the case if no end is shared by more than two connections
 * (among hundreds of connections of one client this happens by chance), and the port numbers do not confirm the result.
 */
static bool is_incoming(
    const struct context *context, struct tally *tally, const struct conn *conn, struct stuck *stuck)
{
    enum { BY_CHANCE = 2 };
    if (stuck->listened)
        return true;
    struct fold_key local = endpoint_key(conn, true), remote = endpoint_key(conn, false);
    uint32_t share_local = tally->counts[fold_key_number(&tally->ends, &local)];
    uint32_t share_remote = tally->counts[fold_key_number(&tally->ends, &remote)];
    if (conn->state == STATE_CLOSED && conn->remote_port == 0) /* the peer is not known any more */
        return share_local > BY_CHANCE;
    bool by_ports = context_is_incoming(context, conn);
    bool incoming = share_local != share_remote ? share_local > share_remote : by_ports;
    bool by_chance = share_local <= BY_CHANCE && share_remote <= BY_CHANCE;
    stuck->guessed = by_chance && (incoming != by_ports || context_guesses_direction(context, conn));
    return incoming;
}

/* --- folding ---------------------------------------------------------------------------------------------------- */

static struct fold_key key_of(
    const struct context *context, struct stuck *stuck, const uint32_t *stands_for, struct tally *tally)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *conn = &snapshot->conns[stuck->conn];
    const struct conn *listener = context_listener(context, conn);
    const struct process *owner = conn_is_listener(conn) ? acceptors_first(context, conn)
                                                         : snapshot_owner(snapshot, conn);
    if (owner == NULL)
        owner = acceptors_first(context, listener);
    stuck->listened = listener != NULL;
    struct fold_key key = endpoint_key(conn, is_incoming(context, tally, conn, stuck));
    key.owner = owner ? stands_for[owner - snapshot->processes] : NO_INDEX;
    key.rule = stuck->rule;
    key.service = (uint8_t)context_service(context, conn);
    return key;
}

bool group_may_be_pool(const struct group *group)
{
    enum { OF_ITS_OWN_ACCORD = 4096 };
    return !group->incoming && group->unread_max <= OF_ITS_OWN_ACCORD;
}

/* --- facts ------------------------------------------------------------------------------------------------------ */

struct aged {
    uint64_t age_ms;
    uint32_t conn;
    uint32_t pair;
};

static uint64_t judged_age_ms(const struct snapshot *snapshot, const struct conn *conn)
{
    struct age age = conn_age(snapshot, conn);
    return age_judged_ms(&age);
}

static int oldest_first(const void *a, const void *b)
{
    const struct aged *one = a, *other = b;
    if (one->age_ms != other->age_ms)
        return one->age_ms > other->age_ms ? -1 : 1;
    return one->conn < other->conn ? -1 : one->conn > other->conn;
}

static void add_facts(
    struct group *group, const struct context *context, const struct conn *conn, const struct conn *other)
{
    if (conn_has(conn, CONN_QUEUES)) {
        /* A FIN counts 1 in the queues: the peer's FIN in CLOSE_WAIT, our own FIN in these three states. */
        static const uint32_t sent_fin = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_CLOSING) |
            STATE_BIT(STATE_LAST_ACK);
        uint32_t counted = platform_of(context->snapshot)->counts_fin ? 1 : 0;
        if (conn->state == STATE_CLOSE_WAIT && conn->recv_q_bytes > counted) {
            group->unread_bytes += conn->recv_q_bytes - counted;
            group->with_unread++;
        }
        if (conn->recv_q_bytes > group->unread_max)
            group->unread_max = conn->recv_q_bytes;
        uint32_t fin = (sent_fin & STATE_BIT(conn->state)) != 0 ? counted : 0;
        group->unsent_bytes += conn->send_q_bytes > fin ? conn->send_q_bytes - fin : 0;
    }
    if (conn_has(conn, CONN_TIMER)) {
        group->timers_known = true;
        group->keepalives += conn->timer == TIMER_KEEPALIVE;
        unsigned attempts = delivery_attempts(conn);
        if (attempts < group->retransmits_min)
            group->retransmits_min = (uint8_t)attempts;
        if (attempts > group->retransmits_max)
            group->retransmits_max = (uint8_t)attempts;
    }
    if (conn_has(conn, CONN_TCP_INFO)) {
        if (conn->last_ack_recv_ms < group->silent_min_ms)
            group->silent_min_ms = conn->last_ack_recv_ms;
        if (conn->last_ack_recv_ms > group->silent_max_ms)
            group->silent_max_ms = conn->last_ack_recv_ms;
    }
    group->zero_windows += conn_has_zero_window(conn);
    enum delivery delivery = delivery_of(context->snapshot, conn);
    group->taken_back += delivery == DELIVERY_WINDOW_TAKEN_BACK;
    group->heard += delivery == DELIVERY_REFUSED;
    group->silent += delivery == DELIVERY_UNANSWERED;
    group->unanswered += conn->state == STATE_CLOSE_WAIT && context_is_unanswered(context, conn, other);
    group->answers_known &= conn_has(conn, CONN_TCP_INFO);
    group->shared += holders_count_processes(context->snapshot, conn) > 1;
}

/* Counts the distinct ports, and finds those that stand out. */
static void count_ports(const struct snapshot *snapshot, struct group *group)
{
    enum { STANDS_OUT = 2 }; /* times the average */
    uint32_t *counts = xcalloc(UINT16_MAX + 1, sizeof *counts);
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        group->distinct_ports += counts[group->incoming ? conn->local_port : conn->remote_port]++ == 0;
    }
    for (unsigned shown = 0; shown < PORTS_SHOWN; shown++) {
        unsigned most = 0;
        for (unsigned port = 1; port <= UINT16_MAX; port++)
            most = counts[port] > counts[most] ? port : most;
        if ((uint64_t)counts[most] * group->distinct_ports < STANDS_OUT * group->count)
            break;
        group->used_ports[group->used_count++] = (struct port_count){ (uint16_t)most, counts[most] };
        counts[most] = 0;
    }
    free(counts);
}

static int by_ms(const void *a, const void *b)
{
    const uint64_t *one = a, *other = b;
    return *one < *other ? -1 : *one > *other;
}

/* If keepalive resets clocks, the proven ages are lower than the ages that are compared with limits. */
static void find_proven_ages(const struct snapshot *snapshot, struct group *group)
{
    group->proven_oldest_ms = group->oldest_ms;
    group->proven_median_ms = group->median_ms;
    if (group->resets == 0)
        return;
    uint64_t *ages = xcalloc(group->count, sizeof *ages);
    group->possible_oldest_ms = group->oldest_ms;
    for (size_t i = 0; i < group->count; i++) {
        struct age age = conn_age(snapshot, &snapshot->conns[group->conns[i]]);
        ages[i] = age.ms;
        if (age.is_reset && age.most_ms > group->possible_oldest_ms)
            group->possible_oldest_ms = age.most_ms;
    }
    qsort(ages, group->count, sizeof *ages, by_ms);
    group->proven_oldest_ms = ages[group->count - 1];
    group->proven_median_ms = ages[group->count - 1 - group->count / 2];
    free(ages);
}

static uint64_t count_selected(const struct context *context, const struct group *group)
{
    uint64_t selected = 0;
    for (size_t i = 0; i < group->count; i++)
        selected += context->selected[group->conns[i]];
    for (size_t i = 0; i < group->pair_count; i++)
        selected += context->selected[group->pairs[i]];
    return selected;
}

static void make_group(const struct context *context, const struct fold_key *key, struct aged *aged, size_t count,
    struct arena *arena, struct group *group)
{
    const struct snapshot *snapshot = context->snapshot;
    qsort(aged, count, sizeof *aged, oldest_first);
    uint32_t *conns = arena_alloc(arena, count * sizeof *conns);
    uint32_t *pairs = NULL, *pair_of = NULL;
    const struct conn *first = &snapshot->conns[aged[0].conn];
    *group = (struct group){
        .rule = &rules[key->rule],
        .limits = context_limits(context, key->service, &rules[key->rule]),
        .netns = snapshot_netns(snapshot, first),
        .incoming = key->incoming,
        .listener = context_listener(context, first),
        .conns = conns,
        .count = count,
        .ages_known = true,
        .answers_known = true,
        .confirmed_ms = previous_apart_ms(snapshot),
        .oldest_ms = aged[0].age_ms,
        .youngest_ms = aged[count - 1].age_ms,
        .median_ms = aged[count / 2].age_ms,
        .retransmits_min = UINT8_MAX,
        .silent_min_ms = UINT64_MAX,
    };
    group->listener_holder = acceptors_first(context, group->listener);
    if (key->any_port)
        group->listener = NULL; /* the ports have several listeners, or none */
    for (size_t i = 0; i < count; i++) {
        const struct conn *conn = &snapshot->conns[aged[i].conn];
        conns[i] = aged[i].conn;
        struct age age = conn_age(snapshot, conn);
        group->ages_known &= age.kind != AGE_UNKNOWN;
        group->resets += age.is_reset;
        group->ages_from_snapshots |= age.from_snapshots;
        group->ages_from_timer |= age.from_timer;
        if (group->holder == NULL)
            group->holder = snapshot_owner(snapshot, conn);
        if (aged[i].pair != NO_INDEX) {
            if (pairs == NULL) {
                pairs = arena_alloc(arena, count * sizeof *pairs);
                pair_of = arena_alloc(arena, count * sizeof *pair_of);
                memset(pair_of, 0xff, count * sizeof *pair_of); /* NO_INDEX */
            }
            pairs[group->pair_count++] = pair_of[i] = aged[i].pair;
        }
        add_facts(group, context, conn, aged[i].pair != NO_INDEX ? &snapshot->conns[aged[i].pair] : NULL);
    }
    group->pairs = pairs;
    group->pair_of = pair_of;
    group->asked = context->selects_all ? count : count_selected(context, group);
    find_proven_ages(snapshot, group);
    if (key->any_port)
        count_ports(snapshot, group);
}

/*
 * The same key with the first rule that has the same states and fault: groups that differ only by the cause get one
 * key.
 */
static struct fold_key kindred_key(const struct fold_key *key)
{
    struct fold_key kindred = *key;
    const struct rule *rule = &rules[key->rule];
    kindred.rule = 1;
    while (rules[kindred.rule].states != rule->states || rules[kindred.rule].fault != rule->fault)
        kindred.rule++;
    return kindred;
}

/*
 * A source that shows more causes splits connections into more groups. Their number must not count less for that. So
 * the largest of the groups with one kindred_key() is judged by the number of all of them.
 */
static void count_kindred(const struct fold_key_table *keys, struct group *groups)
{
    struct fold_key_table table = { 0 };
    uint64_t *counts = xcalloc(keys->count, sizeof *counts);
    size_t *greatest = xcalloc(keys->count, sizeof *greatest);
    for (size_t g = 0; g < keys->count; g++) {
        struct fold_key key = kindred_key(&keys->keys[g]);
        uint32_t number = fold_key_number(&table, &key);
        if (counts[number] == 0 || groups[g].count > groups[greatest[number]].count)
            greatest[number] = g;
        counts[number] += groups[g].count;
        groups[g].kindred = groups[g].count;
    }
    for (size_t number = 0; number < table.count; number++)
        groups[greatest[number]].kindred = counts[number];
    free(counts);
    free(greatest);
    fold_key_table_deinit(&table);
}

void group_fold(const struct context *context, const uint8_t *ignores, struct stuck *stuck, size_t count,
    struct arena *arena, struct group **ret_groups, size_t *ret_count)
{
    const struct snapshot *snapshot = context->snapshot;
    *ret_groups = NULL;
    *ret_count = 0;
    if (count == 0)
        return;
    struct aged *aged = xrealloc_array(NULL, count, sizeof *aged);

    uint32_t *stands_for = find_copies(snapshot);
    struct tally tally;
    tally_init(&tally, snapshot, stuck, count);
    struct fold_key_table keys = { 0 };
    for (size_t i = 0; i < count; i++) {
        struct fold_key key = key_of(context, &stuck[i], stands_for, &tally);
        key.ignored = ignores != NULL ? ignores[stuck[i].conn] : 0;
        stuck[i].group = fold_key_number(&keys, &key);
    }
    kin_join(snapshot, stuck, count, &keys);
    fold_keys(snapshot, stuck, count, &keys);

    /* Counting sort by group. Afterwards ends[g] is the end of group g. */
    size_t *ends = xcalloc(keys.count + 1, sizeof *ends);
    for (size_t i = 0; i < count; i++)
        ends[stuck[i].group + 1]++;
    for (size_t g = 0; g < keys.count; g++)
        ends[g + 1] += ends[g];
    for (size_t i = 0; i < count; i++)
        aged[ends[stuck[i].group]++] = (struct aged){
            .age_ms = judged_age_ms(snapshot, &snapshot->conns[stuck[i].conn]),
            .conn = stuck[i].conn,
            .pair = stuck[i].pair,
        };
    struct group *groups = arena_alloc(arena, keys.count * sizeof *groups);
    for (size_t g = 0; g < keys.count; g++) {
        size_t start = g == 0 ? 0 : ends[g - 1];
        make_group(context, &keys.keys[g], aged + start, ends[g] - start, arena, &groups[g]);
    }
    count_kindred(&keys, groups);
    *ret_groups = groups;
    *ret_count = keys.count;

    free(ends);
    free(aged);
    free(stands_for);
    free(tally.counts);
    fold_key_table_deinit(&tally.ends);
    fold_key_table_deinit(&keys);
}
