#include "model/listeners.h"

#include <string.h>

#include "base/hash.h"

/* The hash contains the address, because a host may listen on one port at very many addresses. */
static uint64_t hash_of(uint32_t netns, const struct ip *address, uint16_t port)
{
    uint64_t words[2];
    memcpy(words, address->bytes, sizeof address->bytes);
    return hash_words((uint64_t)netns << 16 | port, words, 2);
}

static bool has_port(const uint8_t *ports, uint16_t port)
{
    return (ports[port / 8] >> port % 8 & 1) != 0;
}

static void insert(struct listeners *listeners, uint32_t index)
{
    const struct conn *conns = listeners->snapshot->conns;
    const struct conn *conn = &conns[index];
    uint8_t *ports = ip_is_any(&conn->local) ? listeners->at_any : listeners->at_one;
    ports[conn->local_port / 8] |= (uint8_t)(1U << conn->local_port % 8);
    uint64_t hash = hash_of(conn->netns, &conn->local, conn->local_port);
    struct hash_walk walk = hash_index_walk(&listeners->index, hash);
    for (uint32_t number; (number = hash_walk_next(&listeners->index, &walk)) != HASH_NONE;) {
        const struct conn *other = &conns[number];
        /* Several listeners may share a port (SO_REUSEPORT). The one with the longest queue stands for all. */
        if (other->netns == conn->netns && other->local_port == conn->local_port &&
            ip_equal(&other->local, &conn->local)) {
            if (conn->recv_q_bytes > other->recv_q_bytes)
                hash_walk_replace(&listeners->index, &walk, index);
            return;
        }
    }
    hash_index_add(&listeners->index, hash, index);
}

void listeners_init(struct listeners *listeners, const struct snapshot *snapshot)
{
    size_t count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        count += conn_is_listener(&snapshot->conns[i]);
    *listeners = (struct listeners){ .snapshot = snapshot };
    hash_index_init(&listeners->index, count);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (conn_is_listener(&snapshot->conns[i]))
            insert(listeners, (uint32_t)i);
    }
}

void listeners_deinit(struct listeners *listeners)
{
    hash_index_deinit(&listeners->index);
    *listeners = (struct listeners){ 0 };
}

static const struct conn *listener_at(
    const struct listeners *listeners, const struct conn *conn, const struct ip *address)
{
    struct hash_walk walk = hash_index_walk(&listeners->index, hash_of(conn->netns, address, conn->local_port));
    for (uint32_t number; (number = hash_walk_next(&listeners->index, &walk)) != HASH_NONE;) {
        const struct conn *listener = &listeners->snapshot->conns[number];
        if (listener->netns == conn->netns && listener->local_port == conn->local_port &&
            ip_equal(&listener->local, address))
            return listener;
    }
    return NULL;
}

/*
 * Takes the best match, as compute_score() in net/ipv4/inet_hashtables.c does: a listener at the connection's address,
 * then the any address of its family, then that of the other family.
 */
const struct conn *listeners_find(const struct listeners *listeners, const struct conn *conn)
{
    static const uint8_t zeros[16];
    if (has_port(listeners->at_one, conn->local_port) || (conn_is_listener(conn) && ip_is_any(&conn->local))) {
        const struct conn *listener = listener_at(listeners, conn, &conn->local);
        if (listener != NULL)
            return listener;
    }
    if (!has_port(listeners->at_any, conn->local_port))
        return NULL;
    const struct ip any_v4 = ip_from_v4(zeros), any_v6 = ip_from_v6(zeros);
    const struct conn *on_v4 = ip_is_v4(&conn->local) ? listener_at(listeners, conn, &any_v4) : NULL;
    if (on_v4 != NULL && on_v4->ipv6 == conn->ipv6)
        return on_v4;
    const struct conn *on_v6 = listener_at(listeners, conn, &any_v6);
    return on_v4 == NULL || (on_v6 != NULL && on_v6->ipv6 == conn->ipv6) ? on_v6 : on_v4;
}
