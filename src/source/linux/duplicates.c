#include "source/linux/duplicates.h"

#include <errno.h>

#include "base/hash_index.h"
#include "model/conn_hash.h"

static uint64_t hash_identity(const struct conn *conn)
{
    return conn_has(conn, CONN_COOKIE) ? hash_number(conn->cookie) : conn_hash_ends(conn);
}

static bool is_same(const struct conn *one, const struct conn *other)
{
    if (conn_has(one, CONN_COOKIE) || conn_has(other, CONN_COOKIE))
        return one->cookie == other->cookie;
    if (one->local_port != other->local_port || one->remote_port != other->remote_port ||
        !ip_equal(&one->local, &other->local) || !ip_equal(&one->remote, &other->remote))
        return false;
    /* Two endpoints identify a connection, but several listeners may share a port (SO_REUSEPORT). */
    return one->inode == other->inode || !conn_is_listener(one);
}

void duplicates_drop(struct snapshot *snapshot, size_t first)
{
    struct hash_index table;
    hash_index_init(&table, snapshot->conn_count - first);

    size_t count = first;
    for (size_t i = first; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        uint64_t hash = hash_identity(conn);
        struct hash_walk walk = hash_index_walk(&table, hash);
        uint32_t before;
        do
            before = hash_walk_next(&table, &walk);
        while (before != HASH_NONE && !is_same(&snapshot->conns[before], conn));
        if (before == HASH_NONE) {
            hash_index_add(&table, hash, (uint32_t)count);
            snapshot->conns[count++] = *conn;
        } else {
            snapshot->conns[before] = *conn;
        }
    }
    snapshot->conn_count = count;
    hash_index_deinit(&table);
}
