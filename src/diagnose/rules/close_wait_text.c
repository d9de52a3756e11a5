/* The descriptions of the findings about CLOSE_WAIT, except the leak (close_wait_leak_text.c). Rules: close_wait.c. */
#include "diagnose/rules/close_wait_text.h"

#include <string.h>

#include "diagnose/acceptors_text.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_drops.h"
#include "diagnose/phrases_lost.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/platform.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "diagnose/rules/close_wait.h"
#include "diagnose/rules/listen.h"
#include "diagnose/upstream_text.h"

/*
 * The bytes in Recv-Q if it holds a close_notify alert of TLS (RFC 8446 §6.1, RFC 5246 §7.2.1) and a FIN. The record
 * has 24 bytes in TLS 1.3, and 31 with the AES-GCM suites of TLS 1.2. The FIN counts 1.
 */
enum { TLS13_CLOSE_NOTIFY_AND_FIN = 25, TLS12_CLOSE_NOTIFY_AND_FIN = 32 };

void close_wait_wont_help(struct arena *arena, const struct context *context, struct finding *finding)
{
    lines_add(&finding->will_not_help, arena, "%s", platform_of(context->snapshot)->close_wait_wont_help);
    lines_add(&finding->will_not_help, arena,
        "TCP keepalive: the peer's kernel answers the probes as long as it knows the connection. Later a probe brings "
        "a reset: the row goes, and the descriptor stays unless the program watches it.");
}

void close_wait_lower_confidence(struct finding *finding, enum confidence confidence)
{
    if (finding->confidence > confidence)
        finding->confidence = confidence;
}

void close_wait_rule_out_network(struct arena *arena, struct finding *finding)
{
    lines_add(&finding->ruled_out, arena, "Not the network: the peer's FIN has arrived here and was acknowledged.");
}

void close_wait_rule_out_blocked_writer(struct arena *arena, const struct group *group, struct finding *finding)
{
    if (group->unsent_bytes > 0)
        return;
    lines_add(&finding->ruled_out, arena, "Not a peer that does not take data: Send-Q is 0, nothing waits to be sent.");
}

void close_wait_rule_out_half_close(struct arena *arena, const struct group *group, struct finding *finding)
{
    if (group->ages_known && !group->ages_from_snapshots)
        lines_add(&finding->ruled_out, arena,
            group->resets > 0
                ? "Not a half-close on which data still flows: no data has passed in either direction for at "
                  "least %s."
                : "Not a half-close on which data still flows: nothing has passed in either direction for at least %s.",
            phrases_duration(arena, group->youngest_ms));
}

void close_wait_evidence_number(struct arena *arena, const struct group *group, struct finding *finding)
{
    if (finding_is_critical_by_number(group, group->limits))
        lines_add(&finding->evidence, arena,
            "So many are no passing moment: a program that closes when its peers do has a handful in CLOSE_WAIT.");
}

void close_wait_evidence_age(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    if (group->ages_from_snapshots)
        lines_add(&finding->evidence, arena, "In CLOSE_WAIT %s (between the two looks).", phrases_ages(arena, group));
    else if (group->ages_known)
        lines_add(&finding->evidence, arena, "In CLOSE_WAIT %s (time since the peer's last segment, its FIN).",
            phrases_ages(arena, group));
    else
        lines_add(&finding->evidence, arena,
            "How long they have been in CLOSE_WAIT is not known from this source; to tell those that stay, %s.",
            phrases_second_snapshot(context->snapshot));
    close_wait_evidence_number(arena, group, finding);
    phrases_clock_set_back(arena, context, group, &finding->evidence);
}

/* --- never accepted ------------------------------------------------------------------------------------------- */

static void listener_evidence(
    struct arena *arena, const struct snapshot *snapshot, const struct conn *listener, struct finding *finding)
{
    if (conn_has(listener, CONN_QUEUES | CONN_BACKLOG)) {
        lines_add(&finding->evidence, arena, "The listener's accept queue holds %s of at most %s%s.",
            phrases_count(arena, listener->recv_q_bytes), phrases_count(arena, (uint64_t)listener->send_q_bytes + 1),
            listener_is_full(listener) ? ": it is full, and new connections are being dropped" : "");
    } else if (conn_has(listener, CONN_QUEUES)) {
        lines_add(&finding->evidence, arena, "The listener's accept queue holds %s.",
            phrases_conns(arena, listener->recv_q_bytes));
    }
    const uint32_t only = (uint32_t)(listener - snapshot->conns);
    phrases_drops(arena, snapshot, &only, 1, &finding->evidence);
}

void close_wait_not_accepted_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct conn *listener = group->listener;
    const char *service = phrases_service(arena, context, group);
    const struct acceptors acceptors = acceptors_find(context, arena, listener);
    const char *owner = acceptors_name(arena, &acceptors, finding->owner);
    enum obstacle halt = obstacle_to_accept(acceptors.obstructed);
    const char *obstacle = obstacle_text(arena, acceptors.obstructed, halt);

    finding->title = arena_printf(arena, "%s %sdoes not accept: %s %s %s closed by the peer before anyone took %s",
        owner, obstacle_title(halt), phrases_conns(arena, group->count), service, group->count == 1 ? "was" : "were",
        group->count == 1 ? "it" : "them");
    finding->why = arena_printf(arena,
        "The kernel completed these connections and put them into the accept queue of the listening socket; the "
        "process has not called accept() for them, and meanwhile the peers gave up and closed.%s%s%s",
        obstacle ? " " : "", obstacle ? phrases_process(arena, acceptors.obstructed) : "",
        obstacle ? arena_printf(arena, " %s.", obstacle) : "");

    if (conn_is_unheld(&context->snapshot->conns[group->conns[0]])) {
        lines_add(&finding->evidence, arena,
            "%s in CLOSE_WAIT %s no inode: no process has ever had a descriptor for them.",
            phrases_conns(arena, group->count), group->count == 1 ? "has" : "have");
    } else {
        lines_add(&finding->evidence, arena,
            "%s in CLOSE_WAIT %s no owner, although the listener's is shown, and connections wait in its queue: they "
            "were never accepted. (A process of a user whose descriptors could not be read would look the same.)",
            phrases_conns(arena, group->count), group->count == 1 ? "has" : "have");
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
    }
    if (listener != NULL)
        listener_evidence(arena, context->snapshot, listener, finding);
    acceptors_evidence(arena, &acceptors, &finding->evidence);
    queue_evidence(arena, context_queue(context, listener), finding);
    if (group->unread_bytes > 0)
        lines_add(&finding->evidence, arena, "%s of requests wait in them, unread.",
            phrases_bytes(arena, group->unread_bytes));
    close_wait_evidence_age(arena, context, group, finding);
    phrases_pairs(arena, context, group, &finding->evidence);

    lines_add(&finding->ruled_out, arena,
        "Not a leak: close() moves a socket out of CLOSE_WAIT, so that one without a descriptor was never accepted.");
    close_wait_rule_out_network(arena, finding);
    if (listener != NULL && conn_has(listener, CONN_QUEUES) && listener->recv_q_bytes == 0)
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY); /* it may have been accepted while the source read */
    if (listener == NULL)
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
    if (listener != NULL && listener_is_full(listener))
        finding->severity = SEVERITY_CRITICAL;
    else if (obstacle != NULL && finding->severity == SEVERITY_INFO)
        finding->severity = SEVERITY_WARNING;

    upstream_describe_workers(context, group, arena, finding);
    acceptors_fix(arena, context, &acceptors, &finding->fix_now);
    phrases_fix_restart_only(
        arena, context, acceptors.master != NULL ? acceptors.master : finding->owner, &finding->fix_now);
    acceptors_fix_for_good(arena, &acceptors, &finding->fix_for_good);
    lines_add(
        &finding->will_not_help, arena, "A larger backlog (somaxconn): the queue only gets longer; nobody empties it.");
    close_wait_wont_help(arena, context, finding);
}

/* --- blocked in writing --------------------------------------------------------------------------------------- */

static const char *blocked_by(
    struct arena *arena, const struct group *group, const struct lost *lost, uint64_t unanswered)
{
    if (unanswered == 0)
        return "They have stopped reading: their receive window is zero.";
    if (unanswered < group->count)
        return "Some have stopped reading (receive window zero), others acknowledge nothing.";
    if (group->heard == group->count)
        return "What is sent again and again is not acknowledged, although the peers' hosts are heard: it is lost on "
               "the way there, or their receive buffers are full.";
    return arena_printf(arena, "Nothing answers what is sent again and again%s",
        lost->seen == 0 && !lost->is_local ? ": the peer or the path to it is gone."
                                           : arena_printf(arena, ". %s", lost_why(arena, lost, "")));
}

void close_wait_blocked_writer_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    uint64_t unanswered = group->silent + group->heard, by_window = group->count - unanswered;
    const char *owner = phrases_owner(arena, finding);
    const struct lost lost = lost_of(context, group);

    if (unanswered == 0)
        finding->fault = FAULT_PEER_APPLICATION;
    finding->title = arena_printf(arena, "%s cannot finish %s %s: %s stopped taking the data", owner,
        phrases_conns(arena, group->count), phrases_service(arena, context, group), phrases_peers_have(group));
    finding->why = arena_printf(arena,
        "The peers have closed their sending side and are owed %s more. %s The process here has to wait, or to "
        "give up: until then the connection stays in CLOSE_WAIT.",
        phrases_bytes(arena, group->unsent_bytes), blocked_by(arena, group, &lost, unanswered));

    lines_add(&finding->evidence, arena, "%s %s unsent or unacknowledged in Send-Q.",
        phrases_bytes(arena, group->unsent_bytes), group->unsent_bytes == 1 ? "is" : "are");
    if (by_window > 0)
        lines_add(&finding->evidence, arena, "%s: the peer's kernel answers, and takes nothing: its window is 0.",
            phrases_conns(arena, by_window));
    phrases_taken_back(arena, group, &finding->evidence);
    if (group->silent > 0)
        lines_add(&finding->evidence, arena, "%s: the data was sent again up to %u times without an answer.",
            phrases_conns(arena, group->silent), group->retransmits_max);
    if (group->heard > 0)
        lines_add(&finding->evidence, arena,
            "%s: the data was sent again up to %u times; the peer was heard meanwhile, and does not acknowledge it.",
            phrases_conns(arena, group->heard), group->retransmits_max);
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "Blocked %s.", phrases_ages(arena, group));
    close_wait_evidence_number(arena, group, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    phrases_descriptors(arena, finding->owner, &finding->evidence);

    lines_add(&finding->ruled_out, arena,
        "Not a forgotten close(): with data in Send-Q the process is still sending; closing would not deliver it "
        "sooner.");
    if (unanswered == 0)
        lines_add(
            &finding->ruled_out, arena, "Not the path: the peer's acknowledgements of the window probes come back.");
    finding_lower_confidence(group, CLOSE_WAIT_CERTAIN_MS, finding);
    if (group->heard > 0 && finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;

    if (unanswered == group->count && group->heard == 0) {
        lost_assess(arena, &lost, finding);
        lost_fix(arena, context, &lost, finding);
    } else {
        fixes_add(
            &finding->fix_now, arena, "Look at the peers first: which process there does not read, and why.", NULL);
    }
    phrases_fix_restart_owners(arena, context, finding);
    fixes_add(&finding->fix_for_good, arena,
        "Put a time limit on writing (SO_SNDTIMEO, the framework's write timeout, or TCP_USER_TIMEOUT, which also "
        "ends zero-window waits) and close when it passes.",
        NULL);
    if (finding->counterpart_count > 0)
        fixes_add(&finding->fix_for_good, arena,
            arena_printf(arena, "The reader is on %s: make %s read to the end of stream, or close.",
                phrases_reader_where(arena, finding), phrases_process(arena, finding->counterparts[0].process)),
            NULL);
    lines_add(&finding->will_not_help, arena, "Larger send buffers: the window that is zero is the peer's.");
    close_wait_wont_help(arena, context, finding);
}

/* --- inherited ------------------------------------------------------------------------------------------------ */

void close_wait_inherited_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *service = phrases_service(arena, context, group);
    bool shared = group->shared > 0;
    const struct process *last = finding->processes[finding->process_count - 1].process;
    if (shared) {
        const char *others = finding->process_count == 2
            ? ""
            : arena_printf(arena, " and %u more", (unsigned)finding->process_count - 2);
        finding->title = arena_printf(arena, "%s %s %s held open by several processes at once: %s, %s%s",
            phrases_conns(arena, group->count), service, group->count == 1 ? "is" : "are",
            phrases_process(arena, finding->owner), phrases_process(arena, last), others);
        /*
         * Processes of one program may share a connection on purpose: sshd has a privileged process for each session.
         */
        if (finding->owner->name == NULL || last->name == NULL || strcmp(finding->owner->name, last->name) == 0)
            close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
        finding->why = "A descriptor that was inherited across fork() keeps the connection alive: the kernel sends the "
                       "FIN only when the last copy is closed. One process may well have closed its own.";
    } else {
        finding->title = arena_printf(arena, "%s, started by the service, keeps %s %s open that the service has closed",
            phrases_process(arena, finding->owner), phrases_conns(arena, group->count), service);
        finding->why = "The listening process accepted these connections and has closed them; a child that it started "
                       "meanwhile, another program, inherited the descriptors and does not know of them. The FIN "
                       "goes out only when the last copy is closed.";
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
    }
    for (size_t i = 0; i < finding->process_count && i < 4; i++)
        lines_add(&finding->evidence, arena, "%s holds %s of them.",
            phrases_process(arena, finding->processes[i].process), phrases_count(arena, finding->processes[i].count));
    if (!shared && group->listener_holder != NULL)
        lines_add(&finding->evidence, arena, "Its parent %s listens on the %s, and holds none of them any more.",
            phrases_process(arena, group->listener_holder), phrases_ports(group));
    if (group->unread_bytes > 0)
        lines_add(&finding->evidence, arena, "%s wait unread.", phrases_bytes(arena, group->unread_bytes));
    close_wait_evidence_age(arena, context, group, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    phrases_descriptors(arena, finding->owner, &finding->evidence);

    close_wait_rule_out_network(arena, finding);
    close_wait_rule_out_blocked_writer(arena, group, finding);
    close_wait_rule_out_half_close(arena, group, finding);
    if (shared)
        lines_add(&finding->ruled_out, arena, "Not a fork() in progress: every holder has been running for a while.");
    finding_lower_confidence(group, CLOSE_WAIT_CERTAIN_MS, finding);

    for (size_t i = 0; i < finding->process_count && i < 2; i++) {
        const struct process *process = finding->processes[finding->process_count - 1 - i].process;
        fixes_add(&finding->fix_now, arena,
            arena_printf(arena, "See which descriptors %s should not have.", phrases_process(arena, process)),
            arena_printf(arena, "ls -l /proc/%u/fd", process->pid));
    }
    phrases_fix_restart(arena, context, last, &finding->fix_now);
    fixes_add(&finding->fix_for_good, arena,
        "Open sockets close-on-exec: accept4(…, SOCK_CLOEXEC), socket(… | SOCK_CLOEXEC); Python does so by itself, but "
        "for pass_fds and set_inheritable(True); fork() without exec keeps them in any language.",
        NULL);
    fixes_add(&finding->fix_for_good, arena,
        "After fork(), close in the parent what the child serves, and in the child what the parent serves.", NULL);
    lines_add(&finding->will_not_help, arena,
        "Closing it in one process only: the others' copies keep the connection; shutdown() would end it for all.");
    close_wait_wont_help(arena, context, finding);
}

/* --- end of stream not read ----------------------------------------------------------------------------------- */

bool close_wait_is_small_risk(const struct group *group, const struct finding *finding)
{
    return group->count < group->rule->limits.critical_count && !process_descriptors_run_out(finding->owner);
}

static uint64_t count_close_notify(const struct snapshot *snapshot, const struct group *group)
{
    uint64_t count = 0;
    for (size_t i = 0; i < group->count && !group->incoming; i++) {
        uint32_t queued = snapshot->conns[group->conns[i]].recv_q_bytes;
        count += queued == TLS13_CLOSE_NOTIFY_AND_FIN || queued == TLS12_CLOSE_NOTIFY_AND_FIN;
    }
    return count;
}

static void evidence_unread(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    const struct conn *first = &context->snapshot->conns[group->conns[0]];
    if (platform_of(context->snapshot)->counts_fin)
        lines_add(&finding->evidence, arena, "Recv-Q is at least 1 on every one: the peer's FIN is queued and unread.");
    else
        lines_add(&finding->evidence, arena, "Recv-Q holds data on every one, and behind it the peer's FIN: unread.");
    if (!conn_has(first, CONN_INODE) && first->holder == NO_INDEX)
        lines_add(&finding->evidence, arena,
            "Nobody is shown to hold them: they may also wait in the accept queue, if the program does not accept.");
}

void close_wait_unread_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    const struct process *obstructed = phrases_obstructed(arena, finding);
    const char *obstacle = phrases_obstacle(arena, obstructed);
    const struct upstream upstream = upstream_find(context, group, finding);
    uint64_t close_notify = count_close_notify(context->snapshot, group);

    finding->title = arena_printf(arena, "%s %shas not noticed that %s closed %s %s", owner,
        obstacle_title(obstacle_of(obstructed)), phrases_peers_have(group), phrases_conns(arena, group->count),
        phrases_service(arena, context, group));
    bool halted = phrases_is_halted(obstructed);
    bool blocked = upstream.blocks_all && !halted;
    bool waits = (upstream.waits || blocked) && !halted;
    if (blocked)
        upstream_describe_blocked(context, group, &upstream, arena, finding);
    else if (waits)
        upstream_describe_waiting(context, group, &upstream, arena, finding);
    else if (obstacle != NULL)
        finding->why = arena_printf(arena,
            "The end of stream has arrived and waits in the receive queue, but %s %s. Until it reads, it cannot "
            "know that the peer is gone.",
            phrases_process(arena, obstructed), obstacle);
    else if (finding->owner == NULL)
        finding->why = "The end of stream has arrived and waits in the receive queue; whoever holds these connections "
                       "does not read from them.";
    else if (close_notify == group->count)
        finding->why = arena_printf(arena,
            "These are idle TLS connections that %s opened, most likely a pool: the server said goodbye "
            "(close_notify) and closed; the pool does not watch connections that nobody uses, and will fail on the "
            "next use.",
            owner);
    else if (phrases_is_state_known(finding->owner))
        finding->why = arena_printf(arena,
            "The end of stream has arrived and waits in the receive queue; %s runs, but does not read from these "
            "connections: they are not polled, forgotten in a pool, or their handler is busy elsewhere.",
            phrases_process_within(arena, finding->owner));
    else
        finding->why = arena_printf(arena,
            "The end of stream has arrived and waits in the receive queue; %s does not read from these connections: it "
            "is stopped or hangs (its state is not known), they are not polled, forgotten in a pool, or their handler "
            "is busy elsewhere.",
            phrases_process_within(arena, finding->owner));

    evidence_unread(arena, context, group, finding);
    if (group->unread_bytes > 0)
        lines_add(&finding->evidence, arena, "%s of data lie unread before it, on %s.",
            phrases_bytes(arena, group->unread_bytes), phrases_conns(arena, group->with_unread));
    else
        lines_add(&finding->evidence, arena, "No data lies before it: all that came was read.");
    if (close_notify > 0)
        lines_add(&finding->evidence, arena,
            "On %s the queue is exactly a TLS close_notify alert and the FIN (25 bytes in TLS 1.3, 32 in TLS 1.2).",
            phrases_conns(arena, close_notify));
    if (obstacle != NULL)
        lines_add(&finding->evidence, arena, "%s %s.", phrases_process(arena, obstructed), obstacle);
    if (finding->owner == NULL)
        phrases_unseen(arena, context, group, &finding->evidence);
    close_wait_evidence_age(arena, context, group, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    phrases_descriptors(arena, finding->owner, &finding->evidence);

    if (!waits)
        close_wait_rule_out_network(arena, finding);
    close_wait_rule_out_blocked_writer(arena, group, finding);
    lines_add(&finding->ruled_out, arena,
        "Not a forgotten close() after the end of stream: it has not been read yet (Recv-Q would be 0).");
    finding_lower_confidence(group, CLOSE_WAIT_CERTAIN_MS, finding);
    if (!waits && upstream.may_wait) {
        upstream_describe_doubt(group, &upstream, arena, finding);
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
    }
    /* If there is data before the FIN, the process may be reading it slowly. */
    if (finding->owner == NULL || (group->with_unread > 0 && obstacle == NULL && close_notify == 0))
        close_wait_lower_confidence(finding, CONFIDENCE_LIKELY);
    /*
     * A pool whose threads do nothing does no harm by itself. A service that does not read, or a halted process, does.
     */
    if (obstacle != NULL && !waits && (group->incoming || halted) && finding->severity == SEVERITY_INFO)
        finding->severity = SEVERITY_WARNING;
    if (!halted && close_wait_is_idle_pool(context, group, arena, finding) &&
        !close_wait_may_be_awaited(context, group, arena, finding))
        finding->severity = SEVERITY_INFO;

    if (!phrases_fix_obstacle(arena, context, finding, obstructed, &finding->fix_now) && obstacle != NULL)
        phrases_fix_threads(arena, context, finding->owner, &finding->fix_now);
    if (!waits || process_descriptors_run_out(finding->owner))
        phrases_fix_restart_owners(arena, context, finding);
    if (!group->incoming)
        fixes_add(&finding->fix_for_good, arena,
            "Let the connection pool drop idle connections sooner than the server does, and test one before use "
            "(validation, eviction of idle connections).",
            NULL);
    if (!waits)
        fixes_add(&finding->fix_for_good, arena,
            "Keep every open connection in the event loop, also while it is idle or its handler waits for something "
            "else, and put time limits on handlers.",
            NULL);
    close_wait_wont_help(arena, context, finding);
}
