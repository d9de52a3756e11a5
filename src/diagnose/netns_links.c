#include "diagnose/netns_links.h"

#include <stdlib.h>

#include "base/hash_index.h"
#include "base/memory.h"
#include "diagnose/pair_evidence.h"
#include "model/conn_hash.h"
#include "model/host.h"

static uint64_t link_of(uint32_t one, uint32_t other)
{
    return one < other ? (uint64_t)one << 32 | other : (uint64_t)other << 32 | one;
}

bool netns_links_have(const struct netns_links *links, uint32_t one, uint32_t other)
{
    for (size_t i = 0; i < links->count; i++) {
        if (links->items[i] == link_of(one, other))
            return true;
    }
    return false;
}

/*
 * Only connections in these states have counters to compare. A connection over loopback never leaves its namespace.
 */
static bool may_cross(const struct conn *conn)
{
    return (conn->state == STATE_ESTABLISHED || conn->state == STATE_CLOSE_WAIT || conn->state == STATE_FIN_WAIT_2) &&
        conn_has(conn, CONN_TCP_INFO | CONN_BYTES) && conn->netns != NO_INDEX && !ip_is_loopback(&conn->local);
}

static bool may_be_ends(const struct snapshot *snapshot, const struct conn *one, const struct conn *other)
{
    return one != other && one->local_port == other->remote_port && one->remote_port == other->local_port &&
        ip_is_same(&one->local, &other->remote) && ip_is_same(&one->remote, &other->local) &&
        hosts_of_conn(snapshot, one) == hosts_of_conn(snapshot, other) &&
        (one->netns == other->netns || pair_evidence_allows(snapshot, one, other));
}

/* The other end of the connection. NULL if there is none, or if several connections could be it. */
static const struct conn *other_end(
    const struct snapshot *snapshot, const struct hash_index *table, const struct conn *conn)
{
    const struct conn *found = NULL;
    struct hash_walk walk = hash_index_walk(table, conn_hash_opposite(conn));
    uint32_t index;
    while ((index = hash_walk_next(table, &walk)) != HASH_NONE) {
        const struct conn *other = &snapshot->conns[index];
        if (!may_be_ends(snapshot, conn, other))
            continue;
        if (found != NULL)
            return NULL;
        found = other;
    }
    return found;
}

void netns_links_find(struct netns_links *links, const struct snapshot *snapshot)
{
    struct hash_index table;
    hash_index_init(&table, snapshot->conn_count);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (may_cross(&snapshot->conns[i]))
            hash_index_add(&table, conn_hash_ends(&snapshot->conns[i]), (uint32_t)i);
    }
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        const struct conn *other = may_cross(conn) ? other_end(snapshot, &table, conn) : NULL;
        if (other == NULL || other->netns == conn->netns || netns_links_have(links, conn->netns, other->netns) ||
            other_end(snapshot, &table, other) != conn)
            continue;
        xvec_grow((void **)&links->items, links->count, &links->capacity, sizeof *links->items);
        links->items[links->count++] = link_of(conn->netns, other->netns);
    }
    hash_index_deinit(&table);
}

void netns_links_deinit(struct netns_links *links)
{
    free(links->items);
    *links = (struct netns_links){ 0 };
}
