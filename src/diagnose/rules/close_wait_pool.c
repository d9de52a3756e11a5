/*
 * Decides whether connections that this host opened, and whose end of stream is unread, are an idle pool. A pool does
 * not read from connections that are not in use. It sees the FIN at the next use, and then opens another connection.
 * Apache's mod_proxy, HttpClient and many database drivers work like this by design. It does no harm, even if many
 * processes do it: what matters is how many connections each process keeps.
 *
 * A pool is bounded. A thread uses one connection to a server at a time, so a program keeps about as many as it has
 * threads, or as its configuration allows, and uses them again. A program whose connections are more, still grow in
 * number, or are hours old opens a new one each time and forgets the old one.
 */
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/rules/close_wait_text.h"
#include "model/snapshot.h"

enum {
    /* Connections of one process to one server; more if it has more threads. The usual sizes of pools are 8 to 32. */
    POOL_MAX = 32,
    /* The same if the number does not grow any more. The largest default of a pool is .NET's, for databases. */
    POOL_AT_REST_MAX = 100,
    /* Fewer connections do not count as growth. */
    GROWS_MIN = 8,
    /* From this age on, the ages show whether the number grows: a burst and the time-outs of servers are over. */
    GROWS_AFTER_MS = 60 * 1000,
    /* The default of tcp_keepalive_time: how long a connection may be idle before the kernel sends a probe. */
    OLD_MS = 2 * 60 * 60 * 1000,
    /* A server that waits for the client's close (nginx's lingering_close, Apache's 30 s) waits for less. */
    PEER_WAITS_MS = 60 * 1000,
};

enum growth { GROWTH_UNKNOWN, AT_REST, GROWS };

/*
 * True if the program at an other end still has its descriptor open, long after its FIN: it waits until this end
 * closes.
 */
static bool is_awaited(const struct snapshot *snapshot, const struct group *group)
{
    for (size_t i = 0; i < group->pair_count; i++) {
        const struct conn *other = &snapshot->conns[group->pairs[i]];
        if (conn_has(other, CONN_INODE) && other->inode != 0 && conn_age(snapshot, other).ms >= PEER_WAITS_MS)
            return true;
    }
    return false;
}

/*
 * Whether connections still come to CLOSE_WAIT one after the other: at least a quarter of them came in the second half
 * of the time since the oldest. Not known if keepalive may have reset the clocks (close_wait_evidence_age()).
 */
static enum growth growth_of(const struct snapshot *snapshot, const struct group *group)
{
    if (!group->ages_known || group->ages_from_snapshots || group->keepalives > 0)
        return GROWTH_UNKNOWN;
    if (group->oldest_ms < GROWS_AFTER_MS)
        return AT_REST; /* the ages show no growth yet */
    size_t young = 0;
    for (size_t i = 0; i < group->count; i++)
        young += conn_age(snapshot, &snapshot->conns[group->conns[i]]).ms * 2 < group->oldest_ms;
    return young * 4 >= group->count && group->youngest_ms * 4 < group->oldest_ms ? GROWS : AT_REST;
}

static bool is_bounded(const struct process *process, uint64_t held, uint64_t servers, enum growth growth)
{
    if (process_descriptors_run_out(process))
        return false;
    uint64_t threads = process != NULL ? process->threads : 0;
    uint64_t most = POOL_MAX;
    if (growth == GROWS && threads > 0)
        most = GROWS_MIN;
    else if (growth == AT_REST && process != NULL)
        most = POOL_AT_REST_MAX;
    most = threads > most ? threads : most;
    return held <= most * servers;
}

/* Returns true if a process keeps more than a pool would; *ret_held is how many, or the number of the first process. */
static bool find_unbounded(
    const struct group *group, const struct finding *finding, enum growth growth, uint64_t *ret_held)
{
    /* A program has one pool for each server. */
    uint64_t servers = finding->distinct_peers > 1 ? finding->distinct_peers : 1;
    *ret_held = group->count;
    if (finding->process_count == 0)
        return !is_bounded(NULL, group->count, servers, growth);
    for (size_t i = 0; i < finding->process_count; i++) {
        *ret_held = finding->processes[i].count;
        if (!is_bounded(finding->processes[i].process, *ret_held, servers, growth))
            return true;
    }
    *ret_held = finding->processes[0].count;
    return false;
}

bool close_wait_is_idle_pool(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    if (!group_may_be_pool(group))
        return false;
    enum growth growth = growth_of(snapshot, group);
    uint64_t held;
    bool unbounded = find_unbounded(group, finding, growth, &held);
    const char *of_one = finding->process_count > 1
        ? arena_printf(arena, "%s in one process", phrases_conns(arena, held))
        : phrases_conns(arena, held);
    if (is_awaited(snapshot, group))
        lines_add(&finding->ruled_out, arena,
            "Not a pool at rest that troubles nobody: the program at the other end waits for these to be closed.");
    else if (group->ages_known && group->oldest_ms >= OLD_MS)
        lines_add(&finding->ruled_out, arena,
            "Not a pool at rest that the next use tidies up: the oldest was not used for %s.",
            phrases_duration(arena, group->oldest_ms));
    else if (unbounded && growth == GROWS)
        lines_add(&finding->ruled_out, arena,
            "Not a pool at rest: %s, and they still become more; a pool uses its connections again.", of_one);
    else if (unbounded)
        lines_add(&finding->ruled_out, arena, "Not a pool at rest: %s, more than a pool keeps.", of_one);
    else {
        lines_add(&finding->evidence, arena,
            "%s%s: as many as a pool keeps of connections that nobody uses now. The next use finds them closed and "
            "opens others.",
            finding->process_count > 1 ? "At most " : "", of_one);
        return true;
    }
    return false;
}

bool close_wait_may_be_awaited(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    bool is_pasted = context->snapshot->origin != NULL && context->selects_all && finding->is_answer;
    bool is_young = group->ages_known && group->oldest_ms < PEER_WAITS_MS;
    if (!is_pasted || group->pair_count > 0 || is_young)
        return false;
    lines_add(&finding->evidence, arena,
        "The other ends are not in this capture: whether a program there waits for these to be closed (FIN_WAIT_2, "
        "held by a process), or is done with them, is not known.");
    close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
    return true;
}
