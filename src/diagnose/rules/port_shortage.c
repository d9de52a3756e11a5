/*
 * The range of ephemeral ports, if no setting shows it. Each system has a default, but the setting may have been
 * changed, and older versions have other defaults. So the ports in the rows are compared with it. Local ports of many
 * connections to one destination are ephemeral.
 */
#include "diagnose/rules/port_shortage.h"

#include <string.h>

#include "diagnose/platform.h"

enum {
    DESTINATION_MIN = 20, /* connections to one destination; the program may have chosen the ports of fewer */
    /* Windows before Vista, and BSD before 1997: IPPORT_RESERVED + 1 to IPPORT_USERRESERVED. */
    OLD_FIRST = 1025,
    OLD_LAST = 5000,
    /* The dynamic ports of RFC 6335 section 6: macOS. */
    DYNAMIC_FIRST = 49152,
    DYNAMIC_LAST = 65535,
};

/* The ephemeral ports that the rows show. */
struct seen {
    uint64_t connections, outside;
    uint16_t lowest, highest;
};

static struct seen find_ports(const struct snapshot *snapshot, uint32_t netns, const struct port_range *usual)
{
    struct port_table table = { 0 };
    struct seen seen = { .lowest = UINT16_MAX };
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (conn->netns == netns && !ports_is_bound(conn) && conn->state != STATE_CLOSED)
            port_table_add(&table, snapshot, conn, false);
    }
    for (size_t i = 0; i < table.count; i++) {
        const struct port_use *use = &table.items[i];
        if (use->connections < DESTINATION_MIN)
            continue;
        bool is_outside = use->lowest < usual->first || use->highest > usual->last;
        seen.connections += use->connections;
        seen.outside += is_outside ? use->connections : 0;
        seen.lowest = use->lowest < seen.lowest ? use->lowest : seen.lowest;
        seen.highest = use->highest > seen.highest ? use->highest : seen.highest;
    }
    port_table_deinit(&table);
    return seen;
}

static struct port_range range_of(uint16_t first, uint16_t last)
{
    return (struct port_range){
        .first = first, .last = last, .usable = (uint32_t)last - first + 1, .is_assumed = true, .is_told_by_rows = true
    };
}

static bool is_windows(const struct platform *platform)
{
    return platform->os != NULL && strcmp(platform->os, "windows") == 0;
}

struct port_range ports_range_usual(const struct snapshot *snapshot, uint32_t netns)
{
    const struct platform *platform = platform_of(snapshot);
    return ports_range(snapshot, netns, platform->port_first, platform->port_last);
}

struct port_range ports_range_smallest(const struct snapshot *snapshot)
{
    const struct platform *platform = platform_of(snapshot);
    if (is_windows(platform))
        return range_of(OLD_FIRST, OLD_LAST);
    return platform->os == NULL ? range_of(DYNAMIC_FIRST, DYNAMIC_LAST) : (struct port_range){ 0 };
}

struct port_range ports_range_or_usual(const struct snapshot *snapshot, uint32_t netns)
{
    const struct platform *platform = platform_of(snapshot);
    struct port_range range = ports_range_usual(snapshot, netns);
    if (!range.is_assumed)
        return range;
    struct seen seen = find_ports(snapshot, netns, &range);
    if (seen.connections == 0)
        return range;
    if (is_windows(platform) && seen.lowest >= OLD_FIRST && seen.highest <= OLD_LAST)
        return range_of(OLD_FIRST, OLD_LAST);
    if (platform->os == NULL && seen.lowest >= DYNAMIC_FIRST)
        return range_of(DYNAMIC_FIRST, DYNAMIC_LAST);
    if (seen.outside * 2 > seen.connections)
        range.usable = 0; /* another range is set, and it is not known which */
    return range;
}

const char *ports_assumption(struct arena *arena, const struct snapshot *snapshot, const struct port_range *range)
{
    const struct platform *platform = platform_of(snapshot);
    if (range->is_told_by_rows)
        return arena_printf(arena, "%s, of which no port in these rows lies outside, %u to %u",
            range->first == OLD_FIRST ? "the range of Windows before Vista"
                                      : "the range of macOS, for each local address",
            range->first, range->last);
    return arena_printf(arena, "%s's default, %u to %u", platform->name, range->first, range->last);
}
