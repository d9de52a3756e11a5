/*
 * Both ends of a connection in one snapshot: over loopback, between two network namespaces of a host, or between two
 * hosts that were both looked at. The one that must act is reported, the other is proof.
 *
 * Only the stuck connections are put into a table, which is small on most hosts; one pass over all connections looks
 * each up there with its ends swapped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "diagnose/rule.h"
#include "model/hosts.h"

static uint64_t hash_ends(const struct ip *one, uint16_t one_port, const struct ip *other, uint16_t other_port)
{
    uint64_t words[4];
    memcpy(words, one->bytes, 16);
    memcpy(words + 2, other->bytes, 16);
    return hash_words((uint64_t)one_port << 16 | other_port, words, 4);
}

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
    size_t slots = 16;
    while (slots < count * 2)
        slots *= 2;
    uint32_t *table = malloc(slots * sizeof *table);
    if (table == NULL)
        return -ENOMEM;
    memset(table, 0xff, slots * sizeof *table); /* NO_INDEX */
    uint32_t states = 0;                        /* in which an other end may be */
    for (size_t i = 0; i < count; i++) {
        const struct conn *conn = &snapshot->conns[stuck[i].conn];
        size_t slot = hash_ends(&conn->local, conn->local_port, &conn->remote, conn->remote_port) & (slots - 1);
        while (table[slot] != NO_INDEX)
            slot = (slot + 1) & (slots - 1);
        table[slot] = (uint32_t)i;
        states |= pair_opposites(conn->state);
    }
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if ((states & STATE_BIT(conn->state)) == 0)
            continue;
        size_t slot = hash_ends(&conn->remote, conn->remote_port, &conn->local, conn->local_port) & (slots - 1);
        for (; table[slot] != NO_INDEX; slot = (slot + 1) & (slots - 1)) {
            struct stuck *one = &stuck[table[slot]];
            const struct conn *stuck_conn = &snapshot->conns[one->conn];
            if (one->pair == NO_INDEX && are_ends_of_one(snapshot, stuck_conn, conn) &&
                can_be_opposite(stuck_conn->state, conn->state)) {
                one->pair = (uint32_t)i;
                break;
            }
        }
    }
    free(table);
    return 0;
}
