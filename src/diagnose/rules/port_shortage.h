#pragma once
/* What port_exhaustion.c finds out, for its words. */
#include "diagnose/rule.h"
#include "model/port_use.h"

/* The range that is set. If that is not known, the system's default. */
struct port_range ports_range_usual(const struct snapshot *snapshot, uint32_t netns);
/* The smallest range that ports_range_or_usual() may take from the rows of such a system; no usable port: none. */
struct port_range ports_range_smallest(const struct snapshot *snapshot);
/*
 * The usual range, unless the rows refute it: then the range of an older system in which they all lie, or a range
 * without a usable port. It takes a pass over all connections.
 */
struct port_range ports_range_or_usual(const struct snapshot *snapshot, uint32_t netns);
/* What it is where it is assumed: "Windows's default, 49152 to 65535". */
const char *ports_assumption(struct arena *arena, const struct snapshot *snapshot, const struct port_range *range);

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

void port_exhaustion_describe(
    const struct context *context, const struct shortage *shortage, struct arena *arena, struct finding *finding);
