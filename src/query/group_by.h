#pragma once
/* Counts connections by keys, in one pass. Memory is needed for the groups, not for each connection. */
#include "query/group_key.h"
#include "model/select.h"

struct group {
    uint64_t hash;
    uint64_t count;
    uint32_t first; /* index of its first connection, whose keys are the group's */
    uint32_t aged;  /* how many connections have a known age */
    uint64_t oldest_ms, median_ms;
};

struct groups {
    struct group *items; /* largest first; groups of equal size are sorted by their keys */
    size_t count, capacity;
    uint64_t total; /* connections */
    struct key_source source;
    struct key_use keys[KEYS_MAX];
    unsigned key_count;
};

struct group_options {
    const struct key_use *keys;
    unsigned key_count; /* 1 to KEYS_MAX */
    uint8_t v4_prefix, v6_prefix;
};

/* Groups the connections of the selection. The diagnosis must outlive the groups. */
void groups_init(struct groups *groups, const struct diagnosis *diagnosis, const struct selection *selection,
    const struct group_options *options);
void groups_deinit(struct groups *groups);

struct value group_key_value(struct groups *groups, const struct group *group, unsigned key);
