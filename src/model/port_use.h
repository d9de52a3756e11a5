#pragma once
/* How many ephemeral ports are in use, and by what. See port_use.c. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

struct port_range {
    uint16_t first, last;
    uint32_t reserved;    /* how many ports of the range ip_local_reserved_ports reserves */
    uint32_t usable;      /* how many connect() may use; 0: the settings make no sense */
    bool is_assumed;      /* the setting is not known */
    bool is_told_by_rows; /* if is_assumed: the range was taken from the ports that were seen, not from the default */
};

/* The connections of one source address to one destination (or, with remote and remote_port zero, to any). */
struct port_use {
    struct ip local, remote;
    uint32_t connections; /* in any state */
    uint32_t recyclable;  /* how many of them are TIME_WAIT whose port connect() may take over at once */
    uint32_t netns;
    uint16_t remote_port;
    uint16_t lowest, highest; /* of their local ports */
};

/* One port_use for each source and destination, in the order of the first connections. */
struct port_table {
    struct port_use *items;
    size_t count, capacity;
    struct hash_index index;
};

static inline bool port_range_has(const struct port_range *range, uint16_t port)
{
    return port >= range->first && port <= range->last && range->usable > 0;
}

/* The range that is set. If that is not known, the assumed range. Assumed 0 gives a range without usable ports. */
struct port_range ports_range(
    const struct snapshot *snapshot, uint32_t netns, uint16_t first_assumed, uint16_t last_assumed);
/* Whether connect() may take over the port of this TIME_WAIT: tcp_tw_reuse. Assumes that the peer uses timestamps. */
bool ports_can_recycle(const struct snapshot *snapshot, const struct conn *conn);
/* True for a listener and for a bound socket that is not connected. connect() never chooses their ports. */
bool ports_is_bound(const struct conn *conn);

struct port_use ports_key(const struct conn *conn, bool any_destination);
bool ports_same(const struct port_use *one, const struct port_use *other);
void port_table_add(
    struct port_table *table, const struct snapshot *snapshot, const struct conn *conn, bool any_destination);
void port_table_deinit(struct port_table *table);

/* The source and destination that have the most of these connections. */
struct port_use ports_busiest(const struct snapshot *snapshot, const uint32_t *conns, size_t count);

/* A set of ports. */
struct port_bits {
    uint64_t words[(UINT16_MAX + 1) / 64];
};
/* Adds a port. Returns true if it was there before. */
bool port_bits_set(struct port_bits *bits, uint16_t port);
/*
 * Counts for each namespace the distinct ports of its range that are bound (ports_is_bound()), minus the number of
 * reserved ports. The count is 0 for a range without usable ports. ret_bound has room for netns_count numbers.
 */
void ports_count_bound(const struct snapshot *snapshot, const struct port_range *ranges, uint32_t *ret_bound);
