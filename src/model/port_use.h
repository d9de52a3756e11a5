#pragma once
/* How many ephemeral ports are in use, and by what. See port_use.c. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

struct port_range {
    uint16_t first, last;
    uint32_t reserved;    /* of them, by ip_local_reserved_ports */
    uint32_t usable;      /* for connect(); 0: the settings make no sense */
    bool is_assumed;      /* what is set is not known */
    bool is_told_by_rows; /* then: not the system's default, but what all ports that were seen lie in */
};

/* The connections of one source address to one destination (or, with remote and remote_port zero, to any). */
struct port_use {
    struct ip local, remote;
    uint32_t connections; /* of any state */
    uint32_t recyclable;  /* of them, TIME_WAIT that connect() may take over at once */
    uint32_t netns;
    uint16_t remote_port;
    uint16_t lowest, highest; /* of their local ports */
};

/* All such, each once, in the order in which they came. */
struct port_table {
    struct port_use *items;
    size_t count, capacity;
    struct hash_index index;
};

static inline bool port_range_has(const struct port_range *range, uint16_t port)
{
    return port >= range->first && port <= range->last && range->usable > 0;
}

/* As it is set; where that is not known as assumed: with 0 nothing is, and nothing is usable. */
struct port_range ports_range(
    const struct snapshot *snapshot, uint32_t netns, uint16_t first_assumed, uint16_t last_assumed);
/* Whether connect() may take this TIME_WAIT's port over: tcp_tw_reuse. That the peer uses timestamps is assumed. */
bool ports_can_recycle(const struct snapshot *snapshot, const struct conn *conn);
/* Listens, or is bound and neither listens nor connects: no connect() gets its port. */
bool ports_is_bound(const struct conn *conn);

struct port_use ports_key(const struct conn *conn, bool any_destination);
bool ports_same(const struct port_use *one, const struct port_use *other);
void port_table_add(
    struct port_table *table, const struct snapshot *snapshot, const struct conn *conn, bool any_destination);
void port_table_deinit(struct port_table *table);

/* Of these connections, the source and destination that have most. */
struct port_use ports_busiest(const struct snapshot *snapshot, const uint32_t *conns, size_t count);

/* A set of ports. */
struct port_bits {
    uint64_t words[(UINT16_MAX + 1) / 64];
};
/* Adds a port; whether it was there before. */
bool port_bits_set(struct port_bits *bits, uint16_t port);
/*
 * For each namespace, the distinct ports of its range that are bound (ports_is_bound()), beyond the reserved ones. One
 * whose range has no usable port is passed over.
 */
void ports_count_bound(const struct snapshot *snapshot, const struct port_range *ranges, uint32_t *ret_bound);
