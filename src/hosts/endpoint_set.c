#include "hosts/endpoint_set.h"

#include <string.h>

#include "base/hash.h"

void endpoint_set_init(struct endpoint_set *set, const struct snapshot *snapshot, ends_reader ends_of)
{
    *set = (struct endpoint_set){ .snapshot = snapshot, .ends_of = ends_of };
    hash_index_init(&set->table, snapshot->conn_count);
}

void endpoint_set_deinit(struct endpoint_set *set)
{
    hash_index_deinit(&set->table);
    *set = (struct endpoint_set){ 0 };
}

static bool same_ends(const struct ends *one, const struct ends *other)
{
    return one->local_port == other->local_port && one->remote_port == other->remote_port && one->host == other->host &&
        ip_equal(&one->local, &other->local) && ip_equal(&one->remote, &other->remote);
}

static uint64_t hash_ends(const struct ends *ends)
{
    uint64_t words[5] = { 0, 0, 0, 0,
        (uint64_t)ends->host << 32 | (uint32_t)ends->local_port << 16 | ends->remote_port };
    memcpy(words, ends->local.bytes, sizeof ends->local.bytes);
    memcpy(words + 2, ends->remote.bytes, sizeof ends->remote.bytes);
    return hash_words(0, words, sizeof words / sizeof *words);
}

bool endpoint_set_has(const struct endpoint_set *set, const struct ends *ends)
{
    struct hash_walk walk = hash_index_walk(&set->table, hash_ends(ends));
    uint32_t conn;
    while ((conn = hash_walk_next(&set->table, &walk)) != HASH_NONE) {
        struct ends there = set->ends_of(set->snapshot, &set->snapshot->conns[conn]);
        if (same_ends(&there, ends))
            return true;
    }
    return false;
}

void endpoint_set_add(struct endpoint_set *set, uint32_t conn)
{
    struct ends ends = set->ends_of(set->snapshot, &set->snapshot->conns[conn]);
    if (!endpoint_set_has(set, &ends))
        hash_index_add(&set->table, hash_ends(&ends), conn);
}
