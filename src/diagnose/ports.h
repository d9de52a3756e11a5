#pragma once
/* How many ephemeral ports are in use, and by what. See ports.c. */
#include "diagnose/rule.h"

struct port_range {
    uint16_t first, last;
    uint32_t reserved; /* of them, by ip_local_reserved_ports */
    uint32_t usable;   /* for connect(); 0: the settings make no sense */
    bool is_assumed;   /* the default of the system: what is set is not known */
};

/* The connections of one source address to one destination (or, with remote and remote_port zero, to any). */
struct port_use {
    struct ip local, remote;
    uint32_t connections; /* of any state */
    uint32_t recyclable;  /* of them, TIME_WAIT that connect() may take over at once */
    uint16_t netns;
    uint16_t remote_port;
};

/* All such, each once, in the order in which they came. */
struct port_table {
    struct port_use *items;
    size_t count;
    uint32_t *slots; /* hash: index into items, or NO_INDEX */
    size_t slot_count;
};

static inline bool port_range_has(const struct port_range *range, uint16_t port)
{
    return port >= range->first && port <= range->last && range->usable > 0;
}

struct port_range ports_range(const struct snapshot *snapshot, uint32_t netns);
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
struct port_use ports_busiest(const struct context *context, const uint32_t *conns, size_t count);

/* --- from port_exhaustion.c to its words ------------------------------------------------------------------------ */

enum port_shortage {
    SHORTAGE_DESTINATION, /* connections to one destination */
    SHORTAGE_SOURCE,      /* sockets bound to one source address before they connect, whatever their destination */
    SHORTAGE_BOUND,       /* sockets that are bound and not connected, or listen */
};

struct shortage {
    enum port_shortage kind;
    struct port_range range;
    struct port_use use; /* of SHORTAGE_BOUND: the busiest destination */
    uint32_t used;       /* ports that cannot be had */
    uint32_t bound;      /* of them, bound by others, beyond the reserved ones */
    uint32_t recyclable; /* not counted in used */
    uint32_t by_state[STATE_COUNT];
    unsigned destinations; /* of SHORTAGE_SOURCE */
};

void port_exhaustion_word(
    const struct context *context, const struct shortage *shortage, struct arena *arena, struct finding *finding);
