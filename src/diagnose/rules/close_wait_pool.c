/*
 * Whether connections that this host opened, and whose end of stream waits unread, are a pool at rest. A pool does not
 * look at connections that nobody uses: it meets the FIN at the next use, and opens another one. Apache's mod_proxy,
 * HttpClient and many database drivers work so by design. That is no trouble, however many processes do it: what counts
 * is what each of them keeps.
 *
 * A pool is bounded. A thread uses one connection to a server at a time, so that a program keeps about as many as it
 * has threads, or as its configuration says; and it uses them again. More than that, still growing, or hours old is a
 * program that takes a new connection each time and forgets the one before.
 */
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/rules/close_wait_text.h"
#include "model/snapshot.h"

enum {
    /* Of one process to one server, where threads do not say more: the usual sizes of pools are 8 to 32. */
    POOL_MAX = 32,
    /* The largest default of a pool: .NET's connections to a database. One that grows no more may be so large. */
    POOL_AT_REST_MAX = 100,
    /* Fewer than these are no story of growth. */
    GROWS_MIN = 8,
    /* Ages tell whether the number still grows from here on: a burst has passed, and every server's time-out. */
    GROWS_AFTER_MS = 60 * 1000,
    /* As long as the kernel lets a connection idle before it asks (tcp_keepalive_time). */
    OLD_MS = 2 * 60 * 60 * 1000,
    /* A server that closes with care (nginx's lingering_close, Apache's 30 s) keeps its end for less. */
    PEER_WAITS_MS = 60 * 1000,
};

enum growth { GROWTH_UNKNOWN, AT_REST, GROWS };

/*
 * The program at the other end has not closed its descriptor: it waits until this end closes, which a pool never does.
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
 * Connections still fall silent one after the other: a good part of them did so in the younger half of the time since
 * the first. Keepalive sets that clock back (close_wait_evidence_age()), and then it tells nothing.
 */
static enum growth growth_of(const struct snapshot *snapshot, const struct group *group)
{
    if (!group->ages_known || group->ages_from_snapshots || group->keepalives > 0)
        return GROWTH_UNKNOWN;
    if (group->oldest_ms < GROWS_AFTER_MS)
        return AT_REST; /* so far */
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

/* The first process that keeps more than a pool does, with how many; false: none. */
static bool find_unbounded(
    const struct group *group, const struct finding *finding, enum growth growth, uint64_t *ret_held)
{
    /* To several servers there is one pool each. */
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
