/*
 * A connection keeps its ends for life, and its cookie, where it is known, belongs to no other. Looks of different kinds
 * can be matched too: one by netlink with one from a pasted netstat. Listeners may share an address and port
 * (SO_REUSEPORT): each is matched once.
 */
#include "diagnose/diff_match.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { PROBES_MOST = 4096 }; /* more with the same ends than this are somebody's joke, and not matched */

static uint64_t hash_ends(const struct conn *conn)
{
    uint64_t words[4];
    memcpy(words, conn->local.bytes, sizeof conn->local.bytes);
    memcpy(words + 2, conn->remote.bytes, sizeof conn->remote.bytes);
    return hash_words((uint64_t)conn->local_port << 16 | conn->remote_port, words, 4);
}

static bool has_cookie(const struct conn *conn)
{
    return conn_has(conn, CONN_COOKIE) && conn->cookie != 0;
}

/* Namespaces are told apart where both looks can. */
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
    size_t slots = 16;
    while (slots < then->conn_count * 2)
        slots *= 2;
    uint32_t *table = malloc(slots * sizeof *table);
    uint32_t *matches = malloc((now->conn_count + 1) * sizeof *matches);
    bool *taken = calloc(then->conn_count + 1, sizeof *taken);
    if (table == NULL || matches == NULL || taken == NULL) {
        free(table);
        free(matches);
        free(taken);
        return NULL;
    }
    memset(table, 0xff, slots * sizeof *table); /* NO_INDEX */
    for (size_t i = 0; i < then->conn_count; i++) {
        size_t slot = hash_ends(&then->conns[i]) & (slots - 1);
        unsigned probes = 0;
        while (table[slot] != NO_INDEX && probes++ < PROBES_MOST)
            slot = (slot + 1) & (slots - 1);
        if (table[slot] == NO_INDEX)
            table[slot] = (uint32_t)i;
    }
    for (size_t i = 0; i < now->conn_count; i++) {
        const struct conn *conn = &now->conns[i];
        matches[i] = NO_INDEX;
        size_t slot = hash_ends(conn) & (slots - 1);
        for (unsigned probes = 0; table[slot] != NO_INDEX && probes < PROBES_MOST; probes++) {
            uint32_t index = table[slot];
            if (!taken[index] && are_one(&then->conns[index], conn) &&
                may_share_netns(then, &then->conns[index], now, conn)) {
                taken[index] = true;
                matches[i] = index;
                break;
            }
            slot = (slot + 1) & (slots - 1);
        }
    }
    free(table);
    free(taken);
    return matches;
}
