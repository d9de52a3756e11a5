/*
 * The two ends of a connection do not change during its life. No other connection has its cookie, but not all sources
 * show cookies. So snapshots of different sources can be matched too, for example netlink and a pasted netstat. Several
 * listeners may share an address and port (SO_REUSEPORT); each is matched once.
 */
#include "diagnose/compare/match.h"

#include <stdlib.h>

#include "base/hash_index.h"
#include "base/memory.h"
#include "model/conn_hash.h"

static bool has_cookie(const struct conn *conn)
{
    return conn_has(conn, CONN_COOKIE) && conn->cookie != 0;
}

/* False if both snapshots know the namespaces, and these differ. */
static bool may_share_netns(
    const struct snapshot *then, const struct conn *one, const struct snapshot *now, const struct conn *other)
{
    const struct netns *before = snapshot_netns(then, one), *after = snapshot_netns(now, other);
    return before == NULL || after == NULL || before->inode == 0 || after->inode == 0 || before->inode == after->inode;
}

static bool are_one(const struct conn *one, const struct conn *other)
{
    return one->local_port == other->local_port && one->remote_port == other->remote_port &&
        ip_equal(&one->local, &other->local) && ip_equal(&one->remote, &other->remote) &&
        (!has_cookie(one) || !has_cookie(other) || one->cookie == other->cookie);
}

uint32_t *diff_match(const struct snapshot *then, const struct snapshot *now)
{
    struct hash_index table;
    hash_index_init(&table, then->conn_count);
    uint32_t *matches = xrealloc_array(NULL, now->conn_count, sizeof *matches);
    bool *taken = xcalloc(then->conn_count, sizeof *taken);
    for (size_t i = 0; i < then->conn_count; i++)
        hash_index_add(&table, conn_hash_ends(&then->conns[i]), (uint32_t)i);
    for (size_t i = 0; i < now->conn_count; i++) {
        const struct conn *conn = &now->conns[i];
        matches[i] = NO_INDEX;
        struct hash_walk walk = hash_index_walk(&table, conn_hash_ends(conn));
        uint32_t index;
        while ((index = hash_walk_next(&table, &walk)) != HASH_NONE) {
            if (!taken[index] && are_one(&then->conns[index], conn) &&
                may_share_netns(then, &then->conns[index], now, conn)) {
                taken[index] = true;
                matches[i] = index;
                break;
            }
        }
    }
    hash_index_deinit(&table);
    free(taken);
    return matches;
}
