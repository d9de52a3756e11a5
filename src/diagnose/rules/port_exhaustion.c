/*
 * The ephemeral ports run out. This happens in three ways (enum port_shortage):
 *
 *   destination  connect() without bind() needs a free port for its source, destination and destination port. It fails
 *                with EADDRNOTAVAIL. A port in TIME_WAIT that tcp_tw_reuse lets connect() take over counts as free.
 *   source       bind(address, 0) before connect() needs a port that no other socket of the address uses, for any
 *                destination: inet_csk_get_port(). It fails with EADDRINUSE. connect() alone would use a port again for
 *                another destination, and tries the ports of one parity first. So if most of the range is in use, and
 *                hardly any port twice, the ports were bound.
 *   bound        sockets that are bound and never connect, and listeners, keep their ports from all others.
 *
 * A port that is both reserved and bound must not be subtracted twice. It is known how many ports are reserved, but not
 * which.
 */
#include "diagnose/rules/port_exhaustion.h"

#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/fold.h"
#include "diagnose/limits.h"
#include "diagnose/platform.h"
#include "diagnose/rule.h"
#include "diagnose/rules/port_shortage.h"

enum {
    SHARED_PERCENT = 2, /* if more ports than this are used twice, they were not bound before they connected */
    FINDINGS_MAX = 10,
    SOURCES_MAX = 64, /* sources that are checked in detail; each takes a pass over all connections */
};

/* The ports of one network namespace. */
struct space {
    struct port_range range;
    uint32_t sockets;  /* all sockets */
    uint32_t in_range; /* sockets whose local port is in the range */
    uint32_t bound;    /* ports_count_bound(); only if is_tight */
    bool is_tight;     /* it has so many sockets in the range that ports may be short */
};

static bool is_short(uint64_t used, const struct port_range *range, const struct limits *limits)
{
    return range->usable > 0 && used * 100 >= range->usable * limits->warning_percent;
}

/* Counts the bound ports of the namespaces that may be short of ports. */
static void count_bound(const struct snapshot *snapshot, struct space *spaces)
{
    struct port_range *ranges = xcalloc(snapshot->netns_count + 1, sizeof *ranges);
    uint32_t *bound = xcalloc(snapshot->netns_count + 1, sizeof *bound);
    for (size_t n = 0; n < snapshot->netns_count; n++) {
        if (spaces[n].is_tight)
            ranges[n] = spaces[n].range;
    }
    ports_count_bound(snapshot, ranges, bound);
    for (size_t n = 0; n < snapshot->netns_count; n++)
        spaces[n].bound = bound[n];
    free(bound);
    free(ranges);
}

/* True if ports would be short in the smallest range that the rows may show instead of the usual one. */
static bool may_be_short_of_others(
    const struct snapshot *snapshot, const struct space *space, const struct limits *limits)
{
    struct port_range smallest = ports_range_smallest(snapshot);
    return space->range.is_assumed && is_short(space->sockets, &smallest, limits);
}

/* Uses the range that the rows show. It takes a pass over all connections, so it is called only if it may matter. */
static void use_range_of_rows(const struct snapshot *snapshot, uint32_t netns, struct space *space)
{
    space->range = ports_range_or_usual(snapshot, netns);
    space->in_range = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        space->in_range += snapshot->conns[i].netns == netns &&
            port_range_has(&space->range, snapshot->conns[i].local_port);
}

/* Fills in the namespaces. Returns false if none of them can be short of ports, which is the case on most hosts. */
static bool find_spaces(const struct snapshot *snapshot, const struct limits *limits, struct space *spaces)
{
    bool any = false;
    for (uint32_t n = 0; n < snapshot->netns_count; n++)
        spaces[n].range = ports_range_usual(snapshot, n);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (conn->netns >= snapshot->netns_count)
            continue;
        spaces[conn->netns].sockets++;
        spaces[conn->netns].in_range += port_range_has(&spaces[conn->netns].range, conn->local_port);
    }
    for (uint32_t n = 0; n < snapshot->netns_count; n++) {
        struct space *space = &spaces[n];
        if (is_short(space->in_range, &space->range, limits) || may_be_short_of_others(snapshot, space, limits))
            use_range_of_rows(snapshot, n, space);
        space->is_tight = is_short(space->in_range, &space->range, limits);
        any |= space->is_tight;
    }
    if (any)
        count_bound(snapshot, spaces);
    return any;
}

static bool is_counted(const struct context *context, const struct space *spaces, const struct conn *conn)
{
    return conn->netns < context->snapshot->netns_count && spaces[conn->netns].is_tight && !ports_is_bound(conn) &&
        !ip_is_redacted(&conn->remote) && conn->state != STATE_CLOSED &&
        port_range_has(&spaces[conn->netns].range, conn->local_port);
}

static bool belongs(const struct shortage *shortage, const struct conn *conn)
{
    if (conn->state == STATE_CLOSED || conn->netns != shortage->use.netns ||
        !port_range_has(&shortage->range, conn->local_port))
        return false;
    if (shortage->kind == SHORTAGE_BOUND)
        return ports_is_bound(conn);
    bool source = shortage->kind == SHORTAGE_SOURCE;
    if (ports_is_bound(conn))
        return source && (ip_equal(&conn->local, &shortage->use.local) || ip_is_any(&conn->local));
    struct port_use key = ports_key(conn, source);
    struct port_use wanted = shortage->use;
    if (source)
        wanted = (struct port_use){ .local = wanted.local, .netns = wanted.netns };
    return ports_same(&key, &wanted);
}

/* --- the finding ------------------------------------------------------------------------------------------------ */

static void add_finding(const struct context *context, const struct rule *rule, struct shortage *shortage,
    struct arena *arena, struct finding_list *list)
{
    const struct snapshot *snapshot = context->snapshot;
    size_t count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        count += belongs(shortage, &snapshot->conns[i]);
    uint32_t *conns = arena_alloc(arena, count * sizeof *conns);
    size_t filled = 0;
    for (size_t i = 0; i < snapshot->conn_count && filled < count; i++) {
        if (!belongs(shortage, &snapshot->conns[i]))
            continue;
        shortage->by_state[snapshot->conns[i].state]++;
        conns[filled++] = (uint32_t)i;
    }
    struct finding *finding = finding_list_add(list, rule);
    finding->conns = conns;
    finding->conn_count = count;
    finding->count = count;
    finding->netns = &snapshot->netns[shortage->use.netns];
    uint64_t critical_percent = context_limits(context, 0, rule)->critical_percent;
    bool critical = (uint64_t)shortage->used * 100 >= shortage->range.usable * critical_percent;
    finding->severity = critical ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    if (shortage->kind != SHORTAGE_BOUND)
        finding->local = (struct endpoint){ .known = true, .any_port = true, .address = shortage->use.local };
    if (shortage->kind == SHORTAGE_DESTINATION)
        finding->remote = (struct endpoint){
            .known = true, .address = shortage->use.remote, .port = shortage->use.remote_port
        };
    finding_fill_from_conns(context, arena, finding);
    port_exhaustion_describe(context, shortage, arena, finding);
}

/* --- the three ways --------------------------------------------------------------------------------------------- */

static int fullest_first(const void *a, const void *b)
{
    const struct port_use *one = a, *other = b;
    uint32_t left = one->connections - one->recyclable, right = other->connections - other->recyclable;
    return left > right ? -1 : left < right;
}

/* Shortages by one destination, or by bound sockets together with one destination. */
static unsigned assess_destinations(const struct context *context, const struct rule *rule, const struct space *spaces,
    struct port_table *table, struct arena *arena, struct finding_list *list, bool *reported)
{
    const struct limits *limits = context_limits(context, 0, rule);
    unsigned made = 0;
    if (table->count > 0)
        qsort(table->items, table->count, sizeof *table->items, fullest_first); /* the hash is not used any more */
    for (size_t i = 0; i < table->count && made < FINDINGS_MAX; i++) {
        const struct port_use *use = &table->items[i];
        const struct space *space = &spaces[use->netns];
        struct shortage shortage = { .range = space->range, .use = *use, .bound = space->bound };
        shortage.recyclable = use->recyclable;
        shortage.used = use->connections - use->recyclable + space->bound;
        if (!is_short(shortage.used, &space->range, limits))
            continue;
        bool bound = space->bound > use->connections - use->recyclable;
        if (bound && reported[use->netns])
            continue;
        shortage.kind = bound ? SHORTAGE_BOUND : SHORTAGE_DESTINATION;
        reported[use->netns] = true;
        add_finding(context, rule, &shortage, arena, list);
        made++;
    }
    return made;
}

/*
 * True if the sockets of this source address were bound before they connected. Fills in used, bound and destinations.
 */
static bool is_bound_source(
    const struct context *context, const struct limits *limits, const struct space *spaces, struct shortage *shortage)
{
    const struct snapshot *snapshot = context->snapshot;
    struct port_bits *bits = xcalloc(2, sizeof *bits);
    struct port_table destinations = { 0 };
    uint32_t shared = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (!belongs(shortage, conn))
            continue;
        bool again = port_bits_set(&bits[0], conn->local_port);
        shortage->used += !again;
        shared += again && !port_bits_set(&bits[1], conn->local_port);
        if (is_counted(context, spaces, conn))
            port_table_add(&destinations, snapshot, conn, false);
    }
    shortage->destinations = (unsigned)destinations.count;
    port_table_deinit(&destinations);
    free(bits);
    return is_short(shortage->used, &shortage->range, limits) && shortage->destinations > 1 &&
        (uint64_t)shared * 100 <= (uint64_t)shortage->used * SHARED_PERCENT;
}

static void assess_sources(const struct context *context, const struct rule *rule, const struct space *spaces,
    struct port_table *sources, struct arena *arena, struct finding_list *list, const bool *reported, unsigned made)
{
    const struct limits *limits = context_limits(context, 0, rule);
    if (sources->count > 0)
        qsort(sources->items, sources->count, sizeof *sources->items, fullest_first);
    size_t most = sources->count < SOURCES_MAX ? sources->count : SOURCES_MAX;
    for (size_t i = 0; i < most && made < FINDINGS_MAX; i++) {
        const struct port_use *use = &sources->items[i];
        const struct space *space = &spaces[use->netns];
        struct shortage shortage = { .kind = SHORTAGE_SOURCE, .range = space->range, .use = *use };
        if (reported[use->netns] || !is_short((uint64_t)use->connections + space->bound, &space->range, limits) ||
            !is_bound_source(context, limits, spaces, &shortage))
            continue;
        add_finding(context, rule, &shortage, arena, list);
        made++;
    }
}

/* Shortages by bound sockets alone, in namespaces without another finding. */
static void assess_bound(const struct context *context, const struct rule *rule, const struct space *spaces,
    struct arena *arena, struct finding_list *list, const bool *reported)
{
    const struct limits *limits = context_limits(context, 0, rule);
    unsigned made = 0;
    for (uint32_t n = 0; n < context->snapshot->netns_count && made < FINDINGS_MAX; n++) {
        const struct space *space = &spaces[n];
        if (!space->is_tight || reported[n] || !is_short(space->bound, &space->range, limits))
            continue;
        struct shortage shortage = { .kind = SHORTAGE_BOUND, .range = space->range, .bound = space->bound };
        shortage.use.netns = n;
        shortage.used = space->bound;
        add_finding(context, rule, &shortage, arena, list);
        made++;
    }
}

void port_exhaustion_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    const struct snapshot *snapshot = context->snapshot;
    struct space *spaces = xcalloc(snapshot->netns_count + 1, sizeof *spaces);
    bool *reported = xcalloc(snapshot->netns_count + 1, sizeof *reported);
    struct port_table destinations = { 0 }, sources = { 0 };
    if (find_spaces(snapshot, context_limits(context, 0, rule), spaces)) {
        for (size_t i = 0; i < snapshot->conn_count; i++) {
            const struct conn *conn = &snapshot->conns[i];
            if (!is_counted(context, spaces, conn))
                continue;
            port_table_add(&destinations, snapshot, conn, false);
            port_table_add(&sources, snapshot, conn, true);
        }
        unsigned made = assess_destinations(context, rule, spaces, &destinations, arena, list, reported);
        assess_sources(context, rule, spaces, &sources, arena, list, reported, made);
        assess_bound(context, rule, spaces, arena, list, reported);
    }
    port_table_deinit(&destinations);
    port_table_deinit(&sources);
    free(spaces);
    free(reported);
}
