/*
 * Sockets in CLOSED that a process still has open. A connection goes to CLOSED if it is reset, if it times out, or if
 * both ends have ended it by shutdown() without close(). tcp_done() in net/ipv4/tcp.c removes it from all tables, so
 * netstat and ss do not show it. The descriptor stays open until the process closes it.
 *
 * A socket that was only created, or only bound, is in the same state. It has no remote address, and its directions are
 * not shut down. lsof ("protocol: TCP") shows neither of these; then only a large number of such sockets is a sign.
 */
#include "diagnose/rules/closed_held.h"
#include "diagnose/command.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/platform.h"

#include <string.h>

enum {
    CERTAIN_MS = 60 * 1000,
    MANY_UNKNOWN = 50, /* no program creates so many sockets before it uses them */
    POOL_MAX = 100,
};

/* How many sockets of a group are of each kind. */
struct kinds {
    uint64_t gone;    /* connections that have ended */
    uint64_t failed;  /* attempts to connect */
    uint64_t unknown; /* gone, or never connected */
};

static bool has_ends(const struct conn *conn)
{
    return conn->local_port != 0 || conn->remote_port != 0;
}

/* True if connect() failed: the peer refused or never answered, so nothing was ever received or acknowledged. */
static bool is_failed_attempt(const struct conn *conn)
{
    bool tells = conn_has(conn, CONN_SHUTDOWN | CONN_BYTES);
    return tells && !conn_has(conn, CONN_TCP_INFO) && conn->bytes_received == 0 && conn->bytes_acked == 0;
}

/*
 * On Windows a row in CLOSED is just being removed. On other systems, a socket without a remote port was only created
 * or bound (netstat of BSD), unless the source knows more: then it shows a holder and an inode.
 */
bool closed_held_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    const char *os = context->snapshot->os;
    if (os != NULL && strcmp(os, "windows") == 0)
        return false;
    if (conn->remote_port == 0 && (conn->holder == NO_INDEX || !conn_has(conn, CONN_INODE)))
        return false;
    return context_is_settled(context, conn, limits);
}

static struct kinds count_kinds(const struct context *context, const struct group *group)
{
    struct kinds kinds = { 0 };
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &context->snapshot->conns[group->conns[i]];
        if (!has_ends(conn))
            kinds.unknown++;
        else if (is_failed_attempt(conn))
            kinds.failed++;
        else
            kinds.gone++;
    }
    return kinds;
}

static const char *sockets(struct arena *arena, uint64_t count)
{
    return arena_printf(arena, "%s TCP socket%s", phrases_count(arena, count), count == 1 ? "" : "s");
}

static void set_title(const struct context *context, const struct group *group, const struct kinds *kinds,
    struct arena *arena, struct finding *finding)
{
    const struct conn *conn = &context->snapshot->conns[group->conns[0]];
    const char *owner = phrases_owner(arena, finding);
    bool one = group->count == 1;
    const char *where = group->incoming || conn->remote_port != 0
        ? arena_printf(arena, " (%s)", phrases_service(arena, context, group))
        : "";
    if (kinds->unknown == group->count)
        finding->title = arena_printf(arena,
            "%s holds %s that %s in no table of connections: %s gone, or %s never connected", owner,
            sockets(arena, group->count), one ? "is" : "are", one ? "its connection is" : "their connections are",
            one ? "it was" : "they were");
    else if (kinds->failed == group->count)
        finding->title = arena_printf(arena, "%s has not closed %s whose attempt to connect has failed%s", owner,
            sockets(arena, group->count), where);
    else
        finding->title = arena_printf(arena, "%s has not closed %s whose connection%s gone%s", owner,
            sockets(arena, group->count), one ? " is" : "s are", where);
}

static void set_why(const struct group *group, const struct kinds *kinds, struct finding *finding)
{
    finding->why =
        "These connections have ended: reset by the peer, timed out, or closed by both ends after shutdown(). The "
        "kernel has removed them from its tables, so that neither netstat nor ss shows them. The program has not "
        "called close(): each keeps a descriptor that leads nowhere, and nothing else will ever free it.";
    if (kinds->failed == group->count)
        finding->why =
            "connect() was refused, or nobody answered. The socket outlives that: the program has neither tried again "
            "with it nor called close(), so that each attempt leaves a descriptor behind.";
    if (kinds->unknown == group->count)
        finding->why = group->count >= MANY_UNKNOWN
            ? "A TCP socket that is in none of the kernel's tables has no connection: that was reset, has timed out or "
              "was closed by both ends, or there never was one. The program still has the descriptors open. So many "
              "are not made ahead of their use: it leaks them, most likely after resets."
            : "A TCP socket that is in none of the kernel's tables has no connection: that was reset, has timed out or "
              "was closed by both ends, or there never was one. The program still has the descriptors open. If they "
              "stay, and become more, it leaks them.";
}

static void add_evidence(
    const struct group *group, const struct kinds *kinds, struct arena *arena, struct finding *finding)
{
    if (kinds->gone > 0)
        lines_add(&finding->evidence, arena,
            "%s in state CLOSED, open in a process, and in no table: they were connected once.",
            kinds->gone == 1 ? "It is" : arena_printf(arena, "%s are", phrases_count(arena, kinds->gone)));
    if (kinds->failed > 0 && kinds->failed < group->count)
        lines_add(&finding->evidence, arena, "On %s of them connect() has failed: nothing ever came from a peer.",
            phrases_count(arena, kinds->failed));
    if (kinds->unknown > 0)
        lines_add(&finding->evidence, arena, "%s: the descriptor is of a TCP socket, and its inode is in no table.",
            sockets(arena, kinds->unknown));
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "Ended %s ago%s.", phrases_duration(arena, group->oldest_ms),
            group->count == 1
                ? ""
                : arena_printf(arena, " (the oldest), %s ago (the median)", phrases_duration(arena, group->median_ms)));
    const struct process *owner = finding->owner;
    if (finding->process_count == 1 && owner->fds_limit != 0 && owner->fds_limit != UINT32_MAX)
        lines_add(&finding->evidence, arena, "They take %s of its %s descriptors (%u %%).",
            phrases_count(arena, group->count), phrases_count(arena, owner->fds_limit),
            (unsigned)(group->count * 100 / owner->fds_limit));
    phrases_descriptors(arena, owner, &finding->evidence);
}

static void rule_out(const struct kinds *kinds, const struct group *group, struct arena *arena, struct finding *finding)
{
    if (kinds->unknown == 0)
        lines_add(&finding->ruled_out, arena,
            "Not sockets that were only made or bound: these had a peer, or tried to reach one.");
    lines_add(&finding->ruled_out, arena, "Not UDP, UNIX or other sockets: the protocol of these is TCP.");
    if (group->ages_known && group->youngest_ms >= group->limits->settle_ms)
        lines_add(&finding->ruled_out, arena, "Not a reset of this very moment: the youngest ended %s ago.",
            phrases_duration(arena, group->youngest_ms));
}

static void add_fixes(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct process *owner = finding->owner;
    phrases_fix_restart(arena, context, owner, &finding->fix_now);
    if (process_descriptors_run_out(owner))
        command_raise_descriptors(
            arena, owner, 2, "To win time until then, raise the limit of the running process.", &finding->fix_now);
    if (context->snapshot->origin == NULL && owner != NULL && owner->pid != 0)
        fixes_add(&finding->fix_now, arena, "See these descriptors, and the rest of what it has open.",
            arena_printf(arena, "lsof -nP -a -p %u | grep -c 'protocol: TCP'", owner->pid));
    fixes_add(&finding->fix_for_good, arena,
        group->incoming || group->distinct_ports > 1
            ? "Close the socket on every path out of the handler: an error on reading or writing (ECONNRESET, EPIPE, "
              "ETIMEDOUT) is an end as the end of the stream is. Whoever keeps connections in a list and waits has to "
              "watch them: EPOLLERR, EPOLLHUP and EPOLLRDHUP come at a reset."
            : "Close the socket on every error, of connect() too, before the next attempt makes another one; test a "
              "connection of a pool before its next use, and close what has ended.",
        NULL);
    lines_add(&finding->will_not_help, arena,
        "Keepalive, tcp_fin_timeout, tcp_retries2, ss -K: these connections are over, and nothing of them is left to "
        "end.");
    lines_add(&finding->will_not_help, arena,
        "Counting states with netstat or ss: they show none of these, however many there are.");
}

/* True if they may be an idle pool: it notices only at the next use that the server has reset its connections. */
static bool may_be_pool(const struct group *group, const struct kinds *kinds, const struct finding *finding)
{
    enum { CROWDED_PERCENT = 50 };
    const struct process *owner = finding->owner;
    bool crowded = owner != NULL && owner->fds_limit != 0 &&
        (uint64_t)owner->fds_open * 100 >= (uint64_t)owner->fds_limit * CROWDED_PERCENT;
    return !group->incoming && kinds->gone == group->count && group->count < POOL_MAX && !crowded;
}

static void lower_confidence(struct finding *finding, enum confidence confidence)
{
    if (finding->confidence > confidence)
        finding->confidence = confidence;
}

void closed_held_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    struct kinds kinds = count_kinds(context, group);
    set_title(context, group, &kinds, arena, finding);
    set_why(group, &kinds, finding);
    add_evidence(group, &kinds, arena, finding);
    rule_out(&kinds, group, arena, finding);
    if (may_be_pool(group, &kinds, finding)) {
        lines_add(&finding->evidence, arena,
            "This host opened them: a pool that nobody uses now closes what the server has reset when it is used "
            "next.");
        finding->severity = SEVERITY_INFO;
    }
    finding_lower_confidence(group, CERTAIN_MS, finding);
    if (kinds.unknown > 0)
        lower_confidence(finding, group->count >= MANY_UNKNOWN ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
    if (finding->owner == NULL)
        lower_confidence(finding, CONFIDENCE_LIKELY);
    add_fixes(context, group, arena, finding);
}
