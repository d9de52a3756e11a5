/*
 * Finds both ends of a connection in one snapshot: over loopback, between two network namespaces of a host, or between
 * two hosts. A finding is about the end that must act; the other end is evidence.
 *
 * Only the stuck connections are put into a hash table, which is small on most hosts. One pass looks up all connections
 * there with their ends swapped. Between namespaces of one host, the counters of both ends must agree
 * (pair_evidence.h). If more than one connection may be the other end, none is taken.
 */
#include "diagnose/pair.h"

#include <errno.h>

#include "base/hash_index.h"
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/pair_evidence.h"
#include "diagnose/phrases.h"
#include "hosts/clock_skew.h"
#include "hosts/nat.h"
#include "model/conn_hash.h"
#include "model/host.h"

uint32_t pair_opposites(enum conn_state state)
{
    /*
     * RFC 9293 §3.3.2, figure 5, for both ends. While a segment is on its way, the other end may still have the state
     * before it.
     */
    static const uint32_t opposites[STATE_COUNT] = {
        [STATE_SYN_SENT] = STATE_BIT(STATE_SYN_RECEIVED) | STATE_BIT(STATE_SYN_SENT),
        [STATE_SYN_RECEIVED] = STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_FIN_WAIT_1),
        [STATE_ESTABLISHED] = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_SYN_RECEIVED) |
            STATE_BIT(STATE_FIN_WAIT_1),
        [STATE_FIN_WAIT_1] = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_FIN_WAIT_1) |
            STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK) | STATE_BIT(STATE_SYN_RECEIVED),
        [STATE_FIN_WAIT_2] = STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_LAST_ACK) | STATE_BIT(STATE_CLOSING),
        [STATE_CLOSE_WAIT] = STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_FIN_WAIT_1),
        [STATE_CLOSING] = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_CLOSING) |
            STATE_BIT(STATE_TIME_WAIT),
        [STATE_LAST_ACK] = STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_TIME_WAIT),
    };
    return (unsigned)state < STATE_COUNT ? opposites[state] : 0;
}

/* Whether a connection with swapped ends is the other end. */
enum fit {
    FIT_NOT,
    FIT_STRANGER, /* addresses and ports fit, but the counters show that it belongs to another connection */
    FIT_POSSIBLE,
    FIT_SURE, /* it is in the same namespace, where addresses and ports are unique */
};

static enum fit fit_of(const struct snapshot *snapshot, const struct conn *one, const struct conn *other)
{
    bool swapped = one->local_port == other->remote_port && one->remote_port == other->local_port &&
        ip_is_same(&one->local, &other->remote) && ip_is_same(&one->remote, &other->local);
    if (!swapped || (pair_opposites(one->state) & STATE_BIT(other->state)) == 0)
        return FIT_NOT;
    if (one->netns == other->netns)
        return one != other ? FIT_SURE : FIT_NOT;
    /* each namespace has a loopback of its own */
    if (ip_is_loopback(&one->local) || !hosts_may_pair(snapshot, one, other))
        return FIT_NOT;
    if (hosts_of_conn(snapshot, one) != hosts_of_conn(snapshot, other))
        return FIT_POSSIBLE; /* hosts_may_pair() has checked the addresses */
    return pair_evidence_allows(snapshot, one, other) ? FIT_POSSIBLE : FIT_STRANGER;
}

/* Adds a candidate for the other end. One in the same namespace is taken. Several in other namespaces are ambiguous. */
static void add_candidate(const struct snapshot *snapshot, struct stuck *one, uint32_t candidate)
{
    const struct conn *conn = &snapshot->conns[one->conn];
    bool settled = one->pair != NO_INDEX && snapshot->conns[one->pair].netns == conn->netns;
    switch (fit_of(snapshot, conn, &snapshot->conns[candidate])) {
    case FIT_SURE:
        one->pair = candidate;
        one->is_pair_unsure = one->has_stranger = false;
        break;
    case FIT_POSSIBLE:
        one->is_pair_unsure |= one->pair != NO_INDEX && !settled;
        if (one->pair == NO_INDEX)
            one->pair = candidate;
        break;
    case FIT_STRANGER:
        one->has_stranger |= !settled;
        break;
    case FIT_NOT:
        break;
    }
}

static bool is_in_other_netns(const struct snapshot *snapshot, const struct stuck *one)
{
    return one->pair != NO_INDEX && snapshot->conns[one->pair].netns != snapshot->conns[one->conn].netns;
}

/*
 * A connection with the same ends in a third namespace (a twin) may be the real partner of the other end that was
 * found.
 */
static void check_twin(const struct snapshot *snapshot, struct stuck *one, const struct conn *twin)
{
    const struct conn *conn = &snapshot->conns[one->conn];
    bool is_twin = twin->netns != conn->netns && twin->local_port == conn->local_port &&
        twin->remote_port == conn->remote_port && ip_equal(&twin->local, &conn->local) &&
        ip_equal(&twin->remote, &conn->remote);
    if (!is_twin || !is_in_other_netns(snapshot, one))
        return;
    switch (fit_of(snapshot, twin, &snapshot->conns[one->pair])) {
    case FIT_SURE:
        one->pair = NO_INDEX;
        one->has_stranger = true;
        break;
    case FIT_POSSIBLE:
        one->is_pair_unsure = true;
        break;
    case FIT_STRANGER:
    case FIT_NOT:
        break;
    }
}

static void check_twins(const struct snapshot *snapshot, struct stuck *stuck, const struct hash_index *table)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        struct hash_walk walk = hash_index_walk(table, conn_hash_ends(&snapshot->conns[i]));
        uint32_t index;
        while ((index = hash_walk_next(table, &walk)) != HASH_NONE)
            check_twin(snapshot, &stuck[index], &snapshot->conns[i]);
    }
}

void pair_find(const struct snapshot *snapshot, struct stuck *stuck, size_t count)
{
    if (count == 0)
        return;
    struct hash_index table;
    hash_index_init(&table, count);
    uint32_t states = 0; /* in which an other end may be */
    for (size_t i = 0; i < count; i++) {
        const struct conn *conn = &snapshot->conns[stuck[i].conn];
        hash_index_add(&table, conn_hash_ends(conn), (uint32_t)i);
        states |= pair_opposites(conn->state);
    }
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if ((states & STATE_BIT(conn->state)) == 0)
            continue;
        struct hash_walk walk = hash_index_walk(&table, conn_hash_opposite(conn));
        uint32_t index;
        while ((index = hash_walk_next(&table, &walk)) != HASH_NONE)
            add_candidate(snapshot, &stuck[index], (uint32_t)i);
    }
    bool crosses = false;
    for (size_t i = 0; i < count; i++)
        crosses |= is_in_other_netns(snapshot, &stuck[i]);
    if (crosses)
        check_twins(snapshot, stuck, &table);
    for (size_t i = 0; i < count; i++) {
        if (stuck[i].is_pair_unsure)
            stuck[i].pair = NO_INDEX;
    }
    hash_index_deinit(&table);
}

void pair_note_unsure(const struct stuck *stuck, size_t count, const bool *selected, struct diagnosis *diagnosis)
{
    uint64_t unsure = 0;
    for (size_t i = 0; i < count; i++)
        unsure += selected[stuck[i].conn] &&
            (stuck[i].is_pair_unsure || (stuck[i].has_stranger && stuck[i].pair == NO_INDEX));
    if (unsure == 0)
        return;
    diagnosis_add_gap(diagnosis, GAP_ENDS_AMBIGUOUS,
        arena_printf(&diagnosis->arena,
            "which other ends %s that may be stuck %s: other network namespaces of this host use the same addresses "
            "and ports, as isolated containers do; none of those was taken for an other end",
            phrases_conns(&diagnosis->arena, unsure), unsure == 1 ? "has" : "have"),
        NULL);
}

/* How many connections of the group may have an other end at this host that was not recognised. */
static uint64_t count_hidden(const struct context *context, const struct group *group, uint32_t host)
{
    const struct snapshot *snapshot = context->snapshot;
    uint64_t count = 0, seen = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        uint32_t peer = local_addresses_host(&context->local_addresses, &conn->remote);
        count += !conn_is_listener(conn) && (peer == host || peer == LOCAL_TO_NOBODY);
    }
    for (size_t i = 0; i < group->pair_count; i++)
        seen += hosts_number(snapshot, &snapshot->conns[group->pairs[i]]) == host;
    return count > seen ? count - seen : 0;
}

bool pair_is_hidden(const struct context *context, const struct group *group)
{
    const struct snapshot *snapshot = context->snapshot;
    if (snapshot->host_count == 0 || group->count == 0)
        return false;
    const struct host *own = hosts_of_conn(snapshot, &snapshot->conns[group->conns[0]]);
    for (uint32_t i = 0; i < snapshot->host_count; i++) {
        const struct host *host = &snapshot->hosts[i];
        /* Snapshots that are too far apart in time prove nothing. */
        if (host != own && !hosts_are_apart(own, host) && hosts_hide_ends(snapshot, own, host) &&
            count_hidden(context, group, i) > 0)
            return true;
    }
    return false;
}
