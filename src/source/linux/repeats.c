#include "source/linux/repeats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static uint64_t hash_identity(const struct conn *conn)
{
    if (conn_has(conn, CONN_COOKIE))
        return hash_mix(conn->cookie);
    uint64_t words[4];
    memcpy(words, conn->local.bytes, 16);
    memcpy(words + 2, conn->remote.bytes, 16);
    return hash_words((uint64_t)conn->local_port << 16 | conn->remote_port, words, 4);
}

static bool is_same(const struct conn *one, const struct conn *other)
{
    if (conn_has(one, CONN_COOKIE) || conn_has(other, CONN_COOKIE))
        return one->cookie == other->cookie;
    if (one->local_port != other->local_port || one->remote_port != other->remote_port ||
        !ip_equal(&one->local, &other->local) || !ip_equal(&one->remote, &other->remote))
        return false;
    /* Several listeners may share a port (SO_REUSEPORT); a connection is its two ends. */
    return one->inode == other->inode || !conn_is_listener(one);
}

int repeats_drop(struct snapshot *snapshot, size_t first)
{
    size_t count = snapshot->conn_count - first;
    size_t slots = 16;
    while (slots < count * 2)
        slots *= 2;
    uint32_t *table = malloc(slots * sizeof *table);
    if (table == NULL)
        return -ENOMEM;
    memset(table, 0xff, slots * sizeof *table); /* NO_INDEX */

    size_t kept = first;
    for (size_t i = first; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        size_t slot = (size_t)hash_identity(conn) & (slots - 1);
        while (table[slot] != NO_INDEX && !is_same(&snapshot->conns[table[slot]], conn))
            slot = (slot + 1) & (slots - 1);
        if (table[slot] == NO_INDEX) {
            table[slot] = (uint32_t)kept;
            snapshot->conns[kept++] = *conn;
        } else {
            snapshot->conns[table[slot]] = *conn;
        }
    }
    snapshot->conn_count = kept;
    free(table);
    return 0;
}
