/*
 * Both ends of a connection in one snapshot: over loopback, between two network namespaces of a host, or between two
 * hosts that were both looked at. The one that must act is reported, the other is proof.
 *
 * Only the stuck connections are put into a table, which is small on most hosts; one pass over all connections looks
 * each up there with its ends swapped.
 */
#include "diagnose/pair.h"

#include <errno.h>

#include "base/hash_index.h"
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "hosts/clock_skew.h"
#include "hosts/nat.h"
#include "model/conn_hash.h"
#include "model/host.h"

static bool are_ends_of_one(const struct snapshot *snapshot, const struct conn *one, const struct conn *other)
{
    return one->local_port == other->remote_port && one->remote_port == other->local_port &&
        ip_equal(&one->local, &other->remote) && ip_equal(&one->remote, &other->local) &&
        (one->netns == other->netns ||
            /* each namespace has a loopback of its own */
            (!ip_is_loopback(&one->local) && hosts_may_meet(snapshot, one, other)));
}

uint32_t pair_opposites(enum conn_state state)
{
    /* RFC 9293 §3.3.2, figure 5, seen from both ends; what is on its way makes neighbours of some states. */
    static const uint32_t opposites[STATE_COUNT] = {
        [STATE_SYN_SENT] = STATE_BIT(STATE_SYN_RECEIVED) | STATE_BIT(STATE_SYN_SENT),
        [STATE_SYN_RECEIVED] = STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_FIN_WAIT_1),
        [STATE_ESTABLISHED] = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_SYN_RECEIVED) |
            STATE_BIT(STATE_FIN_WAIT_1),
        [STATE_FIN_WAIT_1] = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_FIN_WAIT_1) |
            STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK) | STATE_BIT(STATE_SYN_RECEIVED),
        [STATE_FIN_WAIT_2] = STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_LAST_ACK),
        [STATE_CLOSE_WAIT] = STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_FIN_WAIT_1),
        [STATE_CLOSING] = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_TIME_WAIT),
        [STATE_LAST_ACK] = STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_TIME_WAIT),
    };
    return (unsigned)state < STATE_COUNT ? opposites[state] : 0;
}

/* Two isolated networks on a host may use the same addresses; this keeps most strangers apart. */
static bool can_be_opposite(enum conn_state stuck, enum conn_state other)
{
    return (pair_opposites(stuck) & STATE_BIT(other)) != 0;
}

int pair_find(const struct snapshot *snapshot, struct stuck *stuck, size_t count)
{
    if (count == 0)
        return 0;
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
        while ((index = hash_walk_next(&table, &walk)) != HASH_NONE) {
            struct stuck *one = &stuck[index];
            const struct conn *stuck_conn = &snapshot->conns[one->conn];
            if (one->pair == NO_INDEX && one->conn != i && are_ends_of_one(snapshot, stuck_conn, conn) &&
                can_be_opposite(stuck_conn->state, conn->state)) {
                one->pair = (uint32_t)i;
                break;
            }
        }
    }
    hash_index_deinit(&table);
    return 0;
}

/* How many of the group have no other end at the host, and may have one there under another address. */
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
        /* Looks that are too far apart speak neither for nor against it. */
        if (host != own && !hosts_are_apart(own, host) && hosts_hide_ends(snapshot, own, host) &&
            count_hidden(context, group, i) > 0)
            return true;
    }
    return false;
}
