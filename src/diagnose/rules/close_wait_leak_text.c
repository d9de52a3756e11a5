/* The description of close-wait-leak: connections in CLOSE_WAIT that the process does not close. Rule: close_wait.c. */
#include "diagnose/rules/close_wait.h"

#include "diagnose/command.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/platform.h"
#include "diagnose/rules/close_wait_text.h"
#include "diagnose/upstream_text.h"

enum {
    /* After this time there are only two explanations left: a leak, or a peer that waits for an answer. */
    CERTAIN_LEAK_MS = 5 * 60 * 1000,
    CLIENTS_MAX = 100, /* requests that one connection to a server may carry; as in upstream.c */
};

/* Counts the other ends whose program has only shut down its sending side: it may be waiting for an answer. */
static uint64_t count_half_closed_peers(const struct snapshot *snapshot, const struct group *group)
{
    uint64_t count = 0;
    for (size_t i = 0; i < group->pair_count; i++) {
        const struct conn *other = &snapshot->conns[group->pairs[i]];
        count += conn_has(other, CONN_INODE) && other->inode != 0;
    }
    return count;
}

/* Adds the signs of a half-close: the peer has shut down only its sending side, and waits for an answer. */
static void evidence_half_close(
    struct arena *arena, const struct group *group, uint64_t half_closed, struct finding *finding)
{
    if (half_closed > 0)
        lines_add(&finding->evidence, arena,
            "At %s of the other ends the descriptor is still open: that program has shut down its sending side and "
            "may be waiting for an answer (a half-close).",
            phrases_count(arena, half_closed));
    if (group->unanswered > 0)
        lines_add(&finding->evidence, arena,
            "On %s of them the peer has sent something, and nothing was ever sent back: the program may still be at "
            "work on the answer, and a peer that has closed its sending side only would take it.",
            phrases_count(arena, group->unanswered));
    if (half_closed > 0 || group->unanswered > 0)
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
}

/* A process that waits for a server needs no restart, unless it runs out of descriptors. */
static void add_fixes(const struct context *context, struct arena *arena, bool waits, struct finding *finding)
{
    if (!waits || process_descriptors_run_out(finding->owner))
        phrases_fix_restart_owners(arena, context, finding);
    if (process_descriptors_run_out(finding->owner))
        command_raise_descriptors(arena, finding->owner, 2,
            "To win time until then, raise the limit of the running process.", &finding->fix_now);
    if (!waits)
        phrases_fix_close_always(arena, finding);
}

void close_wait_leak_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    const struct process *obstructed = phrases_obstructed(arena, finding);
    const char *obstacle = phrases_obstacle(arena, obstructed);
    struct upstream upstream = upstream_find(context, group, finding);
    bool halted = phrases_is_halted(obstructed);
    bool blocked = upstream.blocks_all && !halted;
    upstream.waits &= !halted && !blocked;
    bool waits = upstream.waits || blocked; /* the process waits for a peer further on */
    bool may_wait = !waits && !halted && upstream.waiting * CLIENTS_MAX >= group->count;
    finding->title = arena_printf(arena, "%s %shas not closed %s %s that %s closed", owner,
        obstacle_title(obstacle_of(obstructed)), phrases_conns(arena, group->count),
        phrases_service(arena, context, group), phrases_peers_have(group));
    finding->why = arena_printf(arena,
        "The peers are done, and everything they sent has been read; the end of stream too, or the next read returns "
        "it. Yet %s holds the descriptors and has not called close(). %s",
        phrases_process_within(arena, finding->owner),
        may_wait ? "Either it leaks them, or it waits for a server behind it: see the proof."
                 : "Unless it still means to send something, the program leaks them.");
    if (upstream.waits)
        upstream_describe_waiting(context, group, &upstream, arena, finding);
    else if (blocked)
        upstream_describe_blocked(context, group, &upstream, arena, finding);

    lines_add(&finding->evidence, arena,
        "Recv-Q is 0: all data was read. The end of stream was consumed too, or the very next read returns it.");
    lines_add(&finding->evidence, arena, "Send-Q is 0: nothing waits to be sent.");
    if (finding->owner != NULL)
        lines_add(&finding->evidence, arena, "The descriptors are open in %s.", owner);
    else
        phrases_unseen(arena, context, group, &finding->evidence);
    close_wait_evidence_age(arena, context, group, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    uint64_t half_closed = count_half_closed_peers(context->snapshot, group);
    evidence_half_close(arena, group, half_closed, finding);
    if (!waits)
        upstream_describe_doubt(group, &upstream, arena, finding);
    phrases_descriptors(arena, finding->owner, &finding->evidence);
    if (obstacle != NULL)
        lines_add(&finding->evidence, arena, "%s %s.", phrases_process(arena, obstructed), obstacle);

    if (!waits)
        close_wait_rule_out_network(arena, finding);
    close_wait_rule_out_blocked_writer(arena, group, finding);
    lines_add(&finding->ruled_out, arena, "Not data that waits unread: Recv-Q would be above 0.");
    close_wait_rule_out_half_close(arena, group, finding);
    if (group->incoming && group->answers_known && half_closed == 0 && group->unanswered == 0)
        lines_add(&finding->ruled_out, arena,
            "Not a half-close to wait for an answer, as far as it shows: no peer that still waits has asked and got "
            "nothing.");
    if (finding->process_count == 1)
        lines_add(
            &finding->ruled_out, arena, "Not a descriptor inherited by another process: only this one holds them.");
    finding_lower_confidence(group, CLOSE_WAIT_CERTAIN_MS, finding);
    /*
     * A proxy may keep a half-closed connection for some time. Two snapshots a short time apart do not rule that out.
     */
    bool snapshots_too_near = group->resets > 0 && group->confirmed_ms < CERTAIN_LEAK_MS;
    if (group->oldest_ms < CERTAIN_LEAK_MS || snapshots_too_near)
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
    if (finding->owner == NULL || may_wait)
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
    if (may_wait && upstream.may_wait)
        close_wait_lower_confidence(finding, CONFIDENCE_POSSIBLE);
    /* The process may still be working on an answer for which the peers wait. */
    bool awaited = half_closed == group->count || upstream.half_closed >= group->count;
    bool may_be_awaited = group->unanswered == group->count;
    /* If it has passed everything on, it is not working on an answer itself; whether a server owes one is a guess. */
    if (!waits && upstream.passed_on + upstream.waiting >= group->count)
        awaited = may_be_awaited = false;
    if (blocked)
        may_be_awaited = awaited = false;
    if (((awaited && group->oldest_ms < CERTAIN_LEAK_MS) ||
            (may_be_awaited && group->oldest_ms < CLOSE_WAIT_CERTAIN_MS)) &&
        close_wait_is_small_risk(group, finding))
        finding->severity = SEVERITY_INFO;

    add_fixes(context, arena, waits, finding);
    close_wait_wont_help(arena, context, finding);
    const char *kill_sockets = platform_of(context->snapshot)->kill_sockets;
    if (kill_sockets != NULL)
        lines_add(&finding->will_not_help, arena, "%s", kill_sockets);
}
