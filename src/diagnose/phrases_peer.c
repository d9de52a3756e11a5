#include "diagnose/phrases_peer.h"

#include <stdlib.h>

#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"
#include "diagnose/platform.h"
#include "diagnose/queues.h"
#include "hosts/nat.h"
#include "model/host.h"

/* The other ends in one state on one host. */
struct other_ends {
    enum conn_state state;
    const struct host *host;
    uint64_t count, orphans, unread_bytes;
    const struct process *holder; /* one of them */
};

enum { OTHER_ENDS_MAX = 32 }; /* more are left out */

struct seen_ends {
    struct other_ends items[OTHER_ENDS_MAX];
    size_t count;
    const struct conn *listener;
};

static void add_end(struct seen_ends *seen, const struct snapshot *snapshot, const struct conn *end)
{
    const struct host *host = hosts_of_conn(snapshot, end);
    size_t i = 0;
    while (i < seen->count && (seen->items[i].state != end->state || seen->items[i].host != host))
        i++;
    if (i == OTHER_ENDS_MAX)
        return;
    if (i == seen->count)
        seen->items[seen->count++] = (struct other_ends){ .state = end->state, .host = host };
    struct other_ends *ends = &seen->items[i];
    ends->count++;
    ends->unread_bytes += conn_has(end, CONN_QUEUES) && end->inode != 0 ? end->recv_q_bytes : 0;
    ends->orphans += conn_has(end, CONN_INODE) && end->inode == 0;
    if (ends->holder == NULL)
        ends->holder = snapshot_owner(snapshot, end);
}

static int by_state(const void *a, const void *b)
{
    const struct other_ends *one = a, *other = b;
    return (one->state > other->state) - (one->state < other->state);
}

/* "on this host too", "on db-1" */
static const char *where(struct arena *arena, const struct host *host, const struct host *own)
{
    return host == own ? "on this host too" : arena_printf(arena, "on %s", host->name);
}

static void add_ends_evidence(
    const struct other_ends *ends, const struct host *own, struct arena *arena, struct lines *evidence)
{
    bool open = ends->state == STATE_SYN_RECEIVED || ends->state == STATE_ESTABLISHED;
    bool unheld = ends->orphans == ends->count;
    const char *held = ends->holder ? arena_printf(arena, ", held by %s", phrases_process(arena, ends->holder))
        : unheld && open            ? ", not accepted yet"
        : unheld                    ? ", closed by their process"
                                    : "";
    lines_add(evidence, arena, "%s of the other ends %s %s, in %s%s.", phrases_count(arena, ends->count),
        ends->count == 1 ? "is" : "are", where(arena, ends->host, own), state_name(ends->state), held);
}

/* Adds how many bytes the other ends on each host leave unread. */
static void add_unread_evidence(
    const struct seen_ends *seen, const struct host *own, struct arena *arena, struct lines *evidence)
{
    bool done[OTHER_ENDS_MAX] = { false };
    for (size_t i = 0; i < seen->count; i++) {
        uint64_t unread = 0;
        for (size_t j = i; j < seen->count; j++) {
            if (done[j] || seen->items[j].host != seen->items[i].host)
                continue;
            done[j] = true;
            unread += seen->items[j].unread_bytes;
        }
        const struct host *host = seen->items[i].host;
        if (unread > 0)
            lines_add(evidence, arena, "The other ends on %s leave %s unread.", host == own ? "this host" : host->name,
                phrases_bytes(arena, unread));
    }
}

/*
 * Adds the hosts that should have other ends and do not have them. Nothing about a host whose ends a NAT or a proxy may
 * hide: then the snapshot has a gap.
 */
static void add_absent_evidence(
    const struct context *context, const struct group *group, struct arena *arena, struct lines *evidence)
{
    const struct snapshot *snapshot = context->snapshot;
    for (size_t host = 0; host < snapshot->host_count; host++) {
        uint64_t absent = 0;
        for (size_t i = 0; i < group->count; i++) {
            const struct conn *conn = &snapshot->conns[group->conns[i]];
            absent += hosts_of_conn(snapshot, conn) != &snapshot->hosts[host] && !conn_is_listener(conn) &&
                local_addresses_host(&context->local_addresses, &conn->remote) == host;
        }
        for (size_t i = 0; i < group->pair_count && absent > 0; i++)
            absent -= hosts_of_conn(snapshot, &snapshot->conns[group->pairs[i]]) == &snapshot->hosts[host];
        const struct host *own = hosts_of_conn(snapshot, &snapshot->conns[group->conns[0]]);
        if (absent > 0 && !hosts_hide_ends(snapshot, own, &snapshot->hosts[host]))
            lines_add(evidence, arena,
                "%s of them %s to %s, which was looked at too and has no end that fits: it has closed or forgotten %s, "
                "a NAT hides %s, or it was looked at at another moment.",
                phrases_count(arena, absent), absent == 1 ? "goes" : "go", snapshot->hosts[host].name,
                absent == 1 ? "it" : "them", absent == 1 ? "it" : "them");
    }
}

void phrases_pairs(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct host *own = hosts_of_conn(snapshot, &snapshot->conns[group->conns[0]]);
    struct seen_ends seen = { 0 };
    for (size_t i = 0; i < group->pair_count; i++) {
        const struct conn *other = &snapshot->conns[group->pairs[i]];
        if (conn_is_listener(other))
            seen.listener = other;
        else
            add_end(&seen, snapshot, other);
    }
    if (seen.count > 1)
        qsort(seen.items, seen.count, sizeof *seen.items, by_state);
    for (size_t i = 0; i < seen.count; i++)
        add_ends_evidence(&seen.items[i], own, arena, evidence);
    if (seen.listener != NULL)
        lines_add(evidence, arena, "The listener on port %u is %s: its accept queue holds %s of at most %s.",
            seen.listener->local_port, where(arena, hosts_of_conn(snapshot, seen.listener), own),
            phrases_count(arena, seen.listener->recv_q_bytes),
            phrases_count(arena, (uint64_t)seen.listener->send_q_bytes + 1));
    add_unread_evidence(&seen, own, arena, evidence);
    add_absent_evidence(context, group, arena, evidence);
}

const char *phrases_reader_where(struct arena *arena, const struct finding *finding)
{
    const struct host *host = finding->counterparts[0].process->host;
    return host == NULL || host == finding->host ? "this host" : arena_printf(arena, "%s", host->name);
}

bool phrases_fix_reader(struct arena *arena, const struct context *context, struct finding *finding)
{
    if (finding->counterpart_count == 0)
        return false;
    const struct process *reader = finding->counterparts[0].process;
    enum obstacle obstacle = obstacle_of(reader);
    if (obstacle_is_halt(obstacle))
        obstacle_fix(
            arena, context->snapshot, finding->counterparts, finding->counterpart_count, obstacle, &finding->fix_now);
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena, "The reader is on %s: look at what %s is doing.", phrases_reader_where(arena, finding),
            phrases_process(arena, reader)),
        NULL);
    const struct process_count only = { reader, 1 };
    obstacle_keep_evidence(arena, context->snapshot, &only, 1, &finding->fix_now);
    return true;
}

void phrases_taken_back(struct arena *arena, const struct group *group, struct lines *evidence)
{
    if (group->taken_back == 0)
        return;
    lines_add(evidence, arena,
        "On %s the peer took back the window that it had offered, after the data was sent: its buffer is full. The "
        "data is sent again as the probe (up to %u times so far), and the peer's kernel answers.",
        group->taken_back == group->count && group->count > 1 ? "all of them" : phrases_conns(arena, group->taken_back),
        group->retransmits_max);
}
