/*
 * ESTABLISHED without an inode: the handshake is complete, and the connection waits in the accept queue. The queue is
 * first in, first out (reqsk_queue_add(), inet_csk_accept()). So the age of the oldest connection shows how long no
 * process has emptied the queue, even if it is far from full. The age is exact: lsndtime is set when the handshake ends
 * (tcp_create_openreq_child()), no data is sent before accept(), and the client's keepalive does not change it.
 *
 * A busy server may let clients wait for a moment. There is a finding if the oldest connection has waited for the
 * limit, or for a shorter time if the process that should accept cannot act.
 */
#include "diagnose/rules/not_accepted.h"

#include "diagnose/acceptors_text.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/queues.h"
#include "diagnose/upstream_text.h"

enum { MOMENT_MS = 5000 };

bool established_not_accepted_applies(
    const struct context *context, const struct conn *conn, const struct limits *limits)
{
    if (!conn_is_unheld(conn))
        return false;
    const struct conn *listener = context_listener(context, conn);
    const struct queue *queue = context_queue(context, listener);
    struct age age = conn_age(context->snapshot, conn);
    if ((age.kind != AGE_UNKNOWN && !age.from_snapshots && age.ms >= limits->settle_ms) ||
        (queue != NULL && queue->oldest_ms >= limits->settle_ms))
        return true;
    enum obstacle obstacle = obstacle_to_accept(acceptors_first(context, listener));
    return age.kind != AGE_UNKNOWN && age.ms >= MOMENT_MS && obstacle != OBSTACLE_NONE && obstacle != OBSTACLE_BUSY;
}

static uint64_t count_silent(const struct snapshot *snapshot, const struct group *group)
{
    uint64_t silent = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        silent += conn_has(conn, CONN_QUEUES) && conn->recv_q_bytes == 0;
    }
    return silent;
}

static void add_evidence(const struct context *context, const struct group *group, const struct acceptors *acceptors,
    struct arena *arena, struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *listener = group->listener;
    uint64_t silent = count_silent(snapshot, group), with_data = group->count - silent;
    lines_add(&finding->evidence, arena, "%s in ESTABLISHED %s no inode: no process has ever had a descriptor for %s.",
        phrases_conns(arena, group->count), group->count == 1 ? "has" : "have", group->count == 1 ? "it" : "them");
    if (group->ages_known)
        lines_add(&finding->evidence, arena,
            "Waiting %s: the queue is first in, first out, and nobody has come to the oldest.",
            phrases_ages(arena, group));
    if (listener != NULL && conn_has(listener, CONN_QUEUES | CONN_BACKLOG))
        lines_add(&finding->evidence, arena,
            "The listener's accept queue holds %s of at most %s: it is not full, so that no client is turned away yet.",
            phrases_count(arena, listener->recv_q_bytes), phrases_count(arena, (uint64_t)listener->send_q_bytes + 1));
    if (with_data > 0)
        lines_add(&finding->evidence, arena, "On %s the client has sent something already, which lies unread.",
            phrases_conns(arena, with_data));
    if (silent > 0)
        lines_add(&finding->evidence, arena,
            "On %s nothing was sent: the client waits for the server to speak, or has "
            "opened it in advance.",
            phrases_conns(arena, silent));
    acceptors_evidence(arena, acceptors, &finding->evidence);
    phrases_pairs(arena, context, group, &finding->evidence);
    phrases_descriptors(arena, finding->owner, &finding->evidence);
    lines_add(&finding->ruled_out, arena,
        "Not the network, nor the clients: the handshakes are complete, what is missing is accept().");
    lines_add(&finding->ruled_out, arena,
        "Not an idle connection that a process holds: it would have an inode, and a descriptor.");
}

static void add_fixes(const struct context *context, const struct group *group, const struct acceptors *acceptors,
    struct arena *arena, struct finding *finding)
{
    upstream_describe_workers(context, group, arena, finding);
    acceptors_fix(arena, context, acceptors, &finding->fix_now);
    if (!acceptors->is_inherited)
        phrases_fix_restart_only(
            arena, context, acceptors->master != NULL ? acceptors->master : finding->owner, &finding->fix_now);
    acceptors_fix_for_good(arena, acceptors, &finding->fix_for_good);
    lines_add(
        &finding->will_not_help, arena, "A larger backlog (somaxconn): the queue only gets longer; nobody empties it.");
    lines_add(&finding->will_not_help, arena,
        "A health check that only connects: the kernel completes the handshake for a server that hangs.");
}

void established_not_accepted_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct acceptors acceptors = acceptors_find(context, arena, group->listener);
    enum obstacle obstacle = obstacle_to_accept(acceptors.obstructed);
    const char *text = obstacle_text(arena, acceptors.obstructed, obstacle);
    finding->title = arena_printf(arena, "%s %sdoes not accept: %s %s %s in its accept queue",
        acceptors_name(arena, &acceptors, finding->owner), obstacle_title(obstacle), phrases_conns(arena, group->count),
        phrases_service(arena, context, group), group->count == 1 ? "waits" : "wait");
    finding->why = text != NULL
        ? arena_printf(arena,
              "The kernel has completed these connections and keeps them in the accept queue of the listening socket; "
              "nobody takes them out with accept(): %s %s. The clients believe that they are connected, and wait.",
              phrases_process(arena, acceptors.obstructed), text)
        : "The kernel has completed these connections and keeps them in the accept queue of the listening socket; "
          "nobody takes them out with accept(), or not fast enough. The clients believe that they are connected, and "
          "wait.";
    add_evidence(context, group, &acceptors, arena, finding);
    if (group->listener == NULL && finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    if (finding->severity == SEVERITY_INFO && (text != NULL || acceptors.is_inherited))
        finding->severity = SEVERITY_WARNING;
    add_fixes(context, group, &acceptors, arena, finding);
}
