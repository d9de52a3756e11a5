#include "model/earlier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIX 0x9e3779b97f4a7c15ULL

static bool has_cookie(const struct conn *conn)
{
    return conn_has(conn, CONN_COOKIE) && conn->cookie != 0;
}

static uint64_t hash_of(const struct conn *conn)
{
    if (has_cookie(conn))
        return conn->cookie * MIX;
    uint64_t words[4];
    memcpy(words, conn->local.bytes, 16);
    memcpy(words + 2, conn->remote.bytes, 16);
    uint64_t hash = (uint64_t)conn->local_port << 16 | conn->remote_port;
    for (int i = 0; i < 4; i++) {
        hash = (hash ^ words[i]) * MIX;
        hash ^= hash >> 29;
    }
    return hash * MIX;
}

static uint64_t netns_inode(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct netns *netns = snapshot_netns(snapshot, conn);
    return netns != NULL ? netns->inode : 0;
}

/*
 * An inode is given to another socket once its own is gone, and no inode is common to all that have none: only
 * together with both ends does it tell. It may go while the connection stays: close() takes it away.
 */
static bool is_same(const struct snapshot *snapshot, const struct conn *now, const struct conn *then)
{
    if (netns_inode(snapshot, now) != netns_inode(snapshot->earlier, then) || has_cookie(now) != has_cookie(then))
        return false;
    if (has_cookie(now))
        return now->cookie == then->cookie;
    if (conn_has(now, CONN_INODE) && conn_has(then, CONN_INODE) && now->inode != then->inode)
        return false;
    return now->local_port == then->local_port && now->remote_port == then->remote_port &&
        ip_equal(&now->local, &then->local) && ip_equal(&now->remote, &then->remote);
}

int snapshot_confirm(struct snapshot *snapshot, const struct snapshot *earlier)
{
    size_t slots = 16;
    while (slots < earlier->conn_count * 2)
        slots *= 2;
    uint32_t *table = malloc(slots * sizeof *table);
    if (table == NULL)
        return -ENOMEM;
    memset(table, 0xff, slots * sizeof *table); /* NO_INDEX */
    snapshot->earlier = earlier;
    snapshot->confirms = true;
    for (size_t i = 0; i < earlier->conn_count; i++) {
        size_t slot = (hash_of(&earlier->conns[i]) >> 20) & (slots - 1);
        while (table[slot] != NO_INDEX)
            slot = (slot + 1) & (slots - 1);
        table[slot] = (uint32_t)i;
    }
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        struct conn *conn = &snapshot->conns[i];
        size_t slot = (hash_of(conn) >> 20) & (slots - 1);
        while (table[slot] != NO_INDEX && !is_same(snapshot, conn, &earlier->conns[table[slot]]))
            slot = (slot + 1) & (slots - 1);
        conn->earlier = table[slot];
    }
    free(table);
    return 0;
}

const struct conn *earlier_conn(const struct snapshot *snapshot, const struct conn *conn)
{
    return snapshot->confirms && conn->earlier != NO_INDEX ? &snapshot->earlier->conns[conn->earlier] : NULL;
}

bool earlier_stayed(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct conn *then = earlier_conn(snapshot, conn);
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

uint64_t earlier_apart_ms(const struct snapshot *snapshot)
{
    if (!snapshot->confirms)
        return 0;
    /* From the end of one look to the start of the other: each connection is read somewhere in between. */
    uint64_t then_ms = snapshot->earlier->taken_at_ms + (snapshot->earlier->elapsed_us + 999) / 1000;
    return snapshot->taken_at_ms > then_ms ? snapshot->taken_at_ms - then_ms : 0;
}
