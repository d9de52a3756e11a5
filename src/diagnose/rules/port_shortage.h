#pragma once
/* What port_exhaustion.c finds out and port_exhaustion_text.c describes; and the range of ephemeral ports. */
#include "diagnose/rule.h"
#include "model/port_use.h"

/* The range that is set. If that is not known, the default of the system (platform.h). */
struct port_range ports_range_usual(const struct snapshot *snapshot, uint32_t netns);
/*
 * The smallest range that ports_range_or_usual() may conclude from the rows. Without usable ports if it concludes none.
 */
struct port_range ports_range_smallest(const struct snapshot *snapshot);
/*
 * The usual range, unless the rows refute it: then the range of an older system in which they all lie, or a range
 * without a usable port. It takes a pass over all connections.
 */
struct port_range ports_range_or_usual(const struct snapshot *snapshot, uint32_t netns);
/* Describes an assumed range: "Windows's default, 49152 to 65535". */
const char *ports_assumption(struct arena *arena, const struct snapshot *snapshot, const struct port_range *range);

enum port_shortage {
    SHORTAGE_DESTINATION, /* by connections from one address to one destination */
    SHORTAGE_SOURCE, /* by sockets that were bound to one source address before they connected, to any destination */
    SHORTAGE_BOUND,  /* by sockets that are bound and not connected, and by listeners */
};

struct shortage {
    enum port_shortage kind;
    struct port_range range;
    struct port_use use; /* the source and destination; for SHORTAGE_BOUND the busiest destination */
    uint32_t used;       /* ports that connect() cannot get */
    uint32_t bound;      /* how many of them are bound or listened on (ports_count_bound()) */
    uint32_t recyclable; /* TIME_WAIT ports that connect() may take over; not counted in `used` */
    uint32_t by_state[STATE_COUNT];
    unsigned destinations; /* only for SHORTAGE_SOURCE: how many */
};

void port_exhaustion_describe(
    const struct context *context, const struct shortage *shortage, struct arena *arena, struct finding *finding);
