#include "model/previous.h"

#include <errno.h>

#include "base/hash_index.h"
#include "model/conn_hash.h"

static bool has_cookie(const struct conn *conn)
{
    return conn_has(conn, CONN_COOKIE) && conn->cookie != 0;
}

static uint64_t hash_of(const struct conn *conn)
{
    return has_cookie(conn) ? hash_number(conn->cookie) : conn_hash_ends(conn);
}

static uint64_t netns_inode(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct netns *netns = snapshot_netns(snapshot, conn);
    return netns != NULL ? netns->inode : 0;
}

/*
 * The kernel reuses the inode of a socket that is gone, and many sockets have inode 0. So the inode counts only
 * together with both ends. A connection may lose its inode: close() removes it.
 */
static bool is_same(const struct snapshot *snapshot, const struct conn *now, const struct conn *then)
{
    if (netns_inode(snapshot, now) != netns_inode(snapshot->previous, then) || has_cookie(now) != has_cookie(then))
        return false;
    if (has_cookie(now))
        return now->cookie == then->cookie;
    if (conn_has(now, CONN_INODE) && conn_has(then, CONN_INODE) && now->inode != then->inode)
        return false;
    return now->local_port == then->local_port && now->remote_port == then->remote_port &&
        ip_equal(&now->local, &then->local) && ip_equal(&now->remote, &then->remote);
}

void snapshot_confirm(struct snapshot *snapshot, const struct snapshot *previous)
{
    struct hash_index table;
    hash_index_init(&table, previous->conn_count);
    snapshot->previous = previous;
    snapshot->confirms = true;
    for (size_t i = 0; i < previous->conn_count; i++)
        hash_index_add(&table, hash_of(&previous->conns[i]), (uint32_t)i);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        struct conn *conn = &snapshot->conns[i];
        struct hash_walk walk = hash_index_walk(&table, hash_of(conn));
        do
            conn->previous = hash_walk_next(&table, &walk);
        while (conn->previous != NO_INDEX && !is_same(snapshot, conn, &previous->conns[conn->previous]));
    }
    hash_index_deinit(&table);
}

const struct conn *previous_conn(const struct snapshot *snapshot, const struct conn *conn)
{
    return snapshot->confirms && conn->previous != NO_INDEX ? &snapshot->previous->conns[conn->previous] : NULL;
}

bool previous_stayed(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct conn *then = previous_conn(snapshot, conn);
    if (then == NULL || then->state != conn->state)
        return false;
    if (conn_is_listener(conn)) /* its queues hold connections, not bytes */
        return true;
    if (conn_has(conn, CONN_QUEUES) && conn_has(then, CONN_QUEUES) &&
        (conn->recv_q_bytes != then->recv_q_bytes || conn->send_q_bytes != then->send_q_bytes))
        return false;
    return !conn_has(conn, CONN_TCP_INFO) || !conn_has(then, CONN_TCP_INFO) ||
        (conn->bytes_received == then->bytes_received && conn->bytes_acked == then->bytes_acked);
}

uint64_t previous_apart_ms(const struct snapshot *snapshot)
{
    if (!snapshot->confirms)
        return 0;
    /* From the end of the previous snapshot to the start of this one: each reading is before or after that time. */
    uint64_t then_ms = snapshot->previous->taken_at_ms + (snapshot->previous->elapsed_us + 999) / 1000;
    return snapshot->taken_at_ms > then_ms ? snapshot->taken_at_ms - then_ms : 0;
}
