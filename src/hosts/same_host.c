/*
 * Recognises two captures of the same host, also if a host name is missing; otherwise every finding would appear twice.
 * Two captures of one host show most connections with the same local end: 10.0.0.1:80 to 10.0.0.2:4000 in both. Two
 * hosts show a connection the other way round: one of them has 10.0.0.2:4000 as its local end.
 */
#include "hosts/same_host.h"

#include <errno.h>
#include <string.h>

#include "base/hash_index.h"
#include "model/conn_hash.h"

/* True if the connection goes to another address: only such connections tell hosts apart. */
static bool is_telling(const struct conn *conn)
{
    return conn->remote_port != 0 && !ip_is_any(&conn->local) && !ip_is_loopback(&conn->local) &&
        !ip_equal(&conn->local, &conn->remote);
}

static bool have_same_ends(const struct conn *one, const struct conn *other)
{
    return one->local_port == other->local_port && one->remote_port == other->remote_port &&
        ip_equal(&one->local, &other->local) && ip_equal(&one->remote, &other->remote);
}

static bool table_has(const struct hash_index *table, const struct snapshot *snapshot, const struct conn *conn)
{
    struct hash_walk walk = hash_index_walk(table, conn_hash_ends(conn));
    uint32_t index;
    while ((index = hash_walk_next(table, &walk)) != HASH_NONE) {
        if (have_same_ends(&snapshot->conns[index], conn))
            return true;
    }
    return false;
}

/* Counts the connections of `one` that tell hosts apart (ret_of), and how many of them `other` has too (ret_same). */
static void count_same(const struct snapshot *one, const struct snapshot *other, uint64_t *ret_same, uint64_t *ret_of)
{
    struct hash_index table;
    hash_index_init(&table, other->conn_count);
    for (size_t i = 0; i < other->conn_count; i++) {
        if (is_telling(&other->conns[i]))
            hash_index_add(&table, conn_hash_ends(&other->conns[i]), (uint32_t)i);
    }
    *ret_same = *ret_of = 0;
    for (size_t i = 0; i < one->conn_count; i++) {
        const struct conn *conn = &one->conns[i];
        *ret_of += is_telling(conn);
        *ret_same += is_telling(conn) && table_has(&table, other, conn);
    }
    hash_index_deinit(&table);
}

int hosts_check_same(const struct snapshot *one, const struct snapshot *other, struct error *err)
{
    const struct snapshot *less = one->conn_count <= other->conn_count ? one : other;
    uint64_t same, of;
    count_same(less, less == one ? other : one, &same, &of);
    if (same * 2 <= of)
        return 0;
    bool one_file = one->from != NULL && other->from != NULL && strcmp(one->from, other->from) == 0;
    const char *beside = one_file || one->from == NULL ? "another in it" : one->from;
    return error_set(err, -EINVAL, other->from,
        "%s of the same host as %s: %llu of %llu connections are in both, with the same end as their own; 'tcpwhy "
        "diff' compares looks at one host",
        one_file ? "has a look that is" : "is", beside, (unsigned long long)same, (unsigned long long)of);
}
