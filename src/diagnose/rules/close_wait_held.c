/*
 * CLOSE_WAIT from a source that shows little more than the state. netstat of Windows and lsof show no queues; BSD and
 * Solaris do not count the FIN in their queues; netstat -tan shows no timers. The state alone proves that the peer's
 * FIN has arrived and that close() was not called here (RFC 9293 §3.6). It does not show whether the process has read
 * the end of stream, or is blocked in writing. So this is one finding for all causes. It says what would show the
 * cause.
 */
#include "diagnose/rules/close_wait_held.h"

#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/platform.h"
#include "diagnose/queues.h"
#include "diagnose/rules/close_wait_text.h"

bool close_wait_held_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    bool all_known = conn_has(conn, CONN_QUEUES | CONN_TIMER) && platform_of(context->snapshot)->counts_fin;
    return !all_known && !conn_is_unheld(conn) && context_is_settled(context, conn, limits);
}

/* Adds the ages, and what the queues show. They do not show here whether the end of stream was read. */
static void evidence_queues(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *source = context->snapshot->origin != NULL ? "The capture" : "This source";
    phrases_shown_ages(arena, context, group, &finding->evidence);
    if (!conn_has(&context->snapshot->conns[group->conns[0]], CONN_QUEUES)) {
        lines_add(&finding->evidence, arena,
            group->ages_known
                ? "%s shows no queues: whether the end of stream was read is not known."
                : "%s shows neither queues nor ages: whether the end of stream was read, and since when it is there, "
                  "is not known.",
            source);
        return;
    }
    if (group->unsent_bytes > 0)
        lines_add(&finding->evidence, arena,
            "%s wait in Send-Q: the program still sends, or the peers do not take it. %s shows no timers, which would "
            "tell.",
            phrases_bytes(arena, group->unsent_bytes), source);
    else
        lines_add(&finding->evidence, arena,
            "Recv-Q and Send-Q are 0: no data waits. An end of stream is not counted there on %s: whether it was read "
            "is not known.",
            platform_of(context->snapshot)->name);
}

static void word_evidence(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    lines_add(&finding->evidence, arena, "%s %s in CLOSE_WAIT at one moment%s.", phrases_conns(arena, group->count),
        group->count == 1 ? "was" : "were",
        finding->owner == NULL || finding->owner_inferred
            ? ""
            : arena_printf(arena, ", held by %s", phrases_process_within(arena, finding->owner)));
    close_wait_evidence_number(arena, group, finding);
    evidence_queues(context, group, arena, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    phrases_descriptors(arena, finding->owner, &finding->evidence);
}

static void word_fixes(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena, "To be certain: %s. What is still there is stuck, not passing.",
            phrases_second_snapshot(context->snapshot)),
        NULL);
    phrases_fix_threads(arena, context, finding->owner, &finding->fix_now);
    phrases_fix_restart_owners(arena, context, finding);
    phrases_fix_close_always(arena, finding);
    if (!group->incoming)
        fixes_add(&finding->fix_for_good, arena,
            "If it is a pool of connections: let it drop idle ones sooner than the server does, and test one before "
            "use.",
            NULL);
    lines_add(&finding->will_not_help, arena, "%s", platform->close_wait_wont_help);
    lines_add(&finding->will_not_help, arena,
        "TCP keepalive: the peer's kernel answers the probes as long as it knows the connection. Later a probe brings "
        "a reset: the row goes, and the descriptor stays unless the program watches it.");
}

void close_wait_held_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    finding->confidence = CONFIDENCE_LIKELY;
    finding->title = arena_printf(arena, "%s has not closed %s %s that %s closed", owner,
        phrases_conns(arena, group->count), phrases_service(arena, context, group), phrases_peers_have(group));
    finding
        ->why = "The peers have closed, and the program here has not: that is what CLOSE_WAIT means, and it is for the "
                "program to end it. Either it has read the end of the stream and forgot to close (a leak), or it does "
                "not read at all (it hangs, or does not watch these connections), or it still has data to send that "
                "the peers do not take. Which of them is not in this capture.";
    word_evidence(context, group, arena, finding);
    lines_add(&finding->ruled_out, arena,
        "Not the network, nor the peers' kernels: their FINs have arrived here, that is how CLOSE_WAIT is entered.");
    word_fixes(context, group, arena, finding);
}
