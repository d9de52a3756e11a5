/*
 * ESTABLISHED: open in both directions, and healthy unless a queue does not move. There are four causes:
 *
 *   Send-Q > 0, retransmit timer   nothing answers: the peer or the path is gone (RFC 9293 §3.8.1, tcp_write_timeout())
 *   Send-Q > 0, persist timer      the peer's kernel answers, but its program does not read: window 0 (§3.8.6.1)
 *   Recv-Q > 0, no data arrives    the process here does not read
 *   both 0, for hours, no timer    idle; keepalive is off, so nothing shows whether the peer is still there (§3.8.4)
 *
 * These are normal: data in flight, a slow reader whose window opens from time to time, a pool that is idle for
 * minutes.
 */
#include "diagnose/rules/established.h"

#include "diagnose/confirm.h"
#include "diagnose/context.h"
#include "diagnose/delivery.h"
#include "diagnose/group.h"
#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_lost.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/queues.h"
#include "diagnose/rules/lost_probes.h"
#include "diagnose/upstream_text.h"
#include "model/age.h"
#include "model/previous.h"

bool established_unanswered_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    enum delivery delivery = delivery_of(context->snapshot, conn);
    return (delivery == DELIVERY_UNANSWERED || delivery == DELIVERY_REFUSED || lost_probes_prove(conn)) &&
        context_is_settled(context, conn, limits);
}

/*
 * True if the window has been closed for the settle time. A probe has no data and does not reset last_data_sent
 * (tcp_xmit_probe_skb()). Without tcp_info, the age comes from the pause between probes or retransmissions. It is a
 * lower bound that may be far too low, so half of the limit is enough: a window that is closed only for a moment never
 * gives such a pause.
 */
static bool is_held_up(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    if (conn_has(conn, CONN_TCP_INFO))
        return conn->last_data_sent_ms >= limits->settle_ms;
    struct age age = conn_age(context->snapshot, conn);
    return age.kind != AGE_UNKNOWN && (age.from_snapshots || age.ms * 2 >= limits->settle_ms);
}

bool established_zero_window_applies(
    const struct context *context, const struct conn *conn, const struct limits *limits)
{
    if (!conn_has(conn, CONN_TIMER | CONN_QUEUES) || conn->send_q_bytes == 0)
        return false;
    switch (delivery_of(context->snapshot, conn)) {
    case DELIVERY_NO_WINDOW:
        return is_held_up(context, conn, limits);
    case DELIVERY_WINDOW_TAKEN_BACK:
        return conn_retransmitting_for(context->snapshot, conn).ms >= limits->settle_ms;
    default:
        return false;
    }
}

bool established_unread_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    (void)context;
    return conn_has(conn, CONN_QUEUES | CONN_TCP_INFO) && conn->recv_q_bytes > 0 &&
        conn->last_data_recv_ms >= limits->settle_ms;
}

bool established_idle_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    /* If both ends are on this host, the peer cannot disappear unnoticed. */
    if (ip_is_loopback(&conn->remote) || ip_is_same(&conn->local, &conn->remote))
        return false;
    return conn_has(conn, CONN_TIMER | CONN_QUEUES | CONN_TCP_INFO) && conn->timer == TIMER_NONE &&
        conn->recv_q_bytes == 0 && conn->send_q_bytes == 0 && conn_age(context->snapshot, conn).ms >= limits->settle_ms;
}

/* --- descriptions ------------------------------------------------------------------------------------------------- */

static void lower_confidence(struct finding *finding, enum confidence confidence)
{
    if (finding->confidence > confidence)
        finding->confidence = confidence;
}

static void evidence_peers(struct arena *arena, struct finding *finding)
{
    if (finding->distinct_peers == 1 && finding->count > 1)
        lines_add(&finding->evidence, arena, "All of them have one peer: that host, or the path to it.");
    else if (finding->distinct_peers > 1)
        lines_add(
            &finding->evidence, arena, "They have %s different peers.", phrases_count(arena, finding->distinct_peers));
}

/* Adds the obstacle of the process. It makes the finding a warning, however few connections there are. */
static void assess_obstacle(struct arena *arena, const struct group *group, const char *owner, const char *obstacle,
    bool halted, struct finding *finding)
{
    if (obstacle == NULL)
        return;
    lines_add(&finding->evidence, arena, "%s %s.", owner, obstacle);
    if (finding->severity == SEVERITY_INFO && (halted || !group_may_be_pool(group)))
        finding->severity = SEVERITY_WARNING;
}

/*
 * Adds whether segments of the peer arrived during the retransmissions. If so, the peer is there. Two reasons are then
 * possible, and this end cannot tell them apart: packets of one size or direction are lost, or the peer's buffer is
 * full.
 */
static void assess_silence(struct arena *arena, const struct group *group, struct finding *finding)
{
    if (group->heard > 0) {
        lines_add(&finding->evidence, arena,
            "On %s the peer was heard in the meantime: its host is there; what is sent from here is lost on the way "
            "(too large for the path, filtered), or its receive buffer is full.",
            phrases_conns(arena, group->heard));
        lower_confidence(finding, CONFIDENCE_LIKELY);
    } else if (group->silent_min_ms != UINT64_MAX) {
        lines_add(&finding->evidence, arena, "Nothing at all has come from %s for the last %s.",
            group->count == 1 ? "the peer" : "any of the peers", phrases_duration(arena, group->silent_min_ms));
        lines_add(&finding->ruled_out, arena,
            "Not a peer that has stopped reading: its kernel would still acknowledge, and offer a window of 0.");
    }
}

/* --- unanswered ----------------------------------------------------------------------------------------------- */

/* Replaces title and why by what the other ends show, if some were seen or if both ends must be on this host. */
static void describe_other_ends(struct arena *arena, const struct context *context, const struct group *group,
    const struct lost *lost, struct finding *finding)
{
    if (lost->seen == 0 && !lost->is_local)
        return;
    const char *title = lost_title(arena, lost,
        arena_printf(arena, "what %s sends on %s %s", phrases_owner(arena, finding), phrases_conns(arena, group->count),
            phrases_service(arena, context, group)));
    if (title != NULL)
        finding->title = title;
    finding->why = arena_printf(arena,
        "Data was sent, again and again with doubling pauses, and no acknowledgement comes back. %s",
        lost_why(arena, lost,
            "The peers of these may be there too, or have vanished. The program here notices only when the kernel "
            "gives up."));
}

void established_unanswered_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    finding->title = arena_printf(arena, "Nobody answers what %s sends on %s %s", owner,
        phrases_conns(arena, group->count), phrases_service(arena, context, group));
    finding
        ->why = "Data was sent, again and again with doubling pauses, and no acknowledgement comes back. The peer has "
                "vanished without a word (crashed, lost its power or its network), or something on the path drops "
                "the packets (a firewall or NAT that forgot the connection, a packet filter on this host, a broken "
                "link, packets too large for the path). The program here notices only when the kernel gives up.";
    if (group->heard == group->count) {
        finding->title = arena_printf(arena, "What %s sends on %s %s is not acknowledged by a peer that is there",
            owner, phrases_conns(arena, group->count), phrases_service(arena, context, group));
        finding->why =
            "Data was sent, again and again with doubling pauses; the peer's host was heard meanwhile, but does "
            "not acknowledge it. Either these packets are lost on the way there (too large for the path, "
            "which drops them without a word, or filtered in one direction), or the peer's kernel refuses "
            "them because its receive buffer is full.";
    }
    const struct lost lost = lost_of(context, group);
    describe_other_ends(arena, context, group, &lost, finding);
    if (lost_probes_are_most(context, group)) {
        lost_probes_describe(context, group, &lost, arena, finding);
        return;
    }
    if (group->retransmits_min == group->retransmits_max)
        lines_add(
            &finding->evidence, arena, "The data was sent again %u times without an answer.", group->retransmits_max);
    else
        lines_add(&finding->evidence, arena, "The data was sent again %u to %u times without an answer.",
            group->retransmits_min, group->retransmits_max);
    lines_add(&finding->evidence, arena, "%s wait in Send-Q to be acknowledged or sent.",
        phrases_bytes(arena, group->unsent_bytes));
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "Unanswered %s.", phrases_ages(arena, group));
    assess_silence(arena, group, finding);
    evidence_peers(arena, finding);
    if (finding->give_up_known)
        lines_add(&finding->evidence, arena,
            "Unless the peer answers, the kernel gives up in about %s at the latest (tcp_retries2; TCP_USER_TIMEOUT "
            "may end it sooner), and the program gets ETIMEDOUT.",
            phrases_duration(arena, finding->last_give_up_ms));
    phrases_pairs(arena, context, group, &finding->evidence);

    lines_add(&finding->ruled_out, arena, "Not a lost segment or two: each further attempt has doubled the pause.");
    lost_assess(arena, &lost, finding);
    lost_fix(arena, context, &lost, finding);

    const char *address = phrases_address(arena, &finding->peers[0].address);
    fixes_add(&finding->fix_now, arena,
        "See whether the peer is there, and how large packets may be on the way. Silence proves nothing where ping is "
        "filtered.",
        arena_printf(arena, "ping -c 3 %s; tracepath -n %s", address, address));
    fixes_add(&finding->fix_now, arena, "See on this host whether its answers arrive.",
        arena_printf(arena, "tcpdump -ni any 'host %s and tcp'", address));
    fixes_add(&finding->fix_for_good, arena,
        "Bound the wait: TCP_USER_TIMEOUT (say 30 s) in the program, or its own time limit on answers; then reconnect.",
        NULL);
    fixes_add(&finding->fix_for_good, arena,
        "Keepalive with pauses shorter than the idle time-out of firewalls and NATs on the path keeps their state "
        "alive.",
        NULL);
    lines_add(&finding->will_not_help, arena,
        "tcp_fin_timeout, tcp_tw_reuse, TcpTimedWaitDelay: they concern FIN_WAIT_2 and TIME_WAIT.");
    lines_add(&finding->will_not_help, arena,
        "Switching keepalive on for these: it does not run while data is unacknowledged (TCP_USER_TIMEOUT does).");
}

/* --- zero window ---------------------------------------------------------------------------------------------- */

/* A reader that needs longer than this to free a part of the buffer counts as one that does not read. */
enum { SLOW_READER_MS = 5 * 60 * 1000 };

/*
 * Lowers confidence and severity if the peer may be a slow reader. The window opens again only when a sixteenth of the
 * buffer is free (__tcp_select_window()). With a large buffer, a slow reader, or a media player that has enough data
 * for now, needs a minute or two for that.
 */
static void assess_slowness(struct arena *arena, const struct group *group, struct finding *finding)
{
    if (group->youngest_ms >= SLOW_READER_MS)
        lines_add(&finding->ruled_out, arena,
            "Not a slow reader: its window would have opened now and then; it has not once for %s.",
            phrases_duration(arena, group->youngest_ms));
    else
        lower_confidence(finding, CONFIDENCE_LIKELY);
    /* A window that was taken back opens as soon as the peer reads anything. */
    bool taken_back = group->taken_back * 2 > group->count;
    if (!group->ages_from_timer && group->oldest_ms < SLOW_READER_MS && !process_descriptors_run_out(finding->owner) &&
        !taken_back)
        finding->severity = SEVERITY_INFO;
}

void established_zero_window_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    finding->title = arena_printf(arena, "%s cannot send on %s %s: %s stopped reading", owner,
        phrases_conns(arena, group->count), phrases_service(arena, context, group), phrases_peers_have(group));
    finding->why = arena_printf(arena,
        "The peers' receive windows are zero: their kernels are alive and say so, their programs do not read what "
        "has come. %s wait here until they do; a thread that writes to such a connection waits too.",
        phrases_bytes(arena, group->unsent_bytes));
    lines_add(&finding->evidence, arena, "%s wait in Send-Q.", phrases_bytes(arena, group->unsent_bytes));
    phrases_taken_back(arena, group, &finding->evidence);
    if (group->taken_back == 0)
        lines_add(&finding->evidence, arena, "The persist timer runs: the peer's window is 0, and is probed.");
    else if (group->taken_back < group->count)
        lines_add(&finding->evidence, arena, "On %s the persist timer runs: the peer's window is 0, and is probed.",
            phrases_conns(arena, group->count - group->taken_back));
    if (group->ages_from_timer)
        lines_add(&finding->evidence, arena,
            "The pauses between probes double from a fraction of a second on, and have become long: so nothing could "
            "be sent for at least %s. It may be far longer: this capture has no clock of it.",
            phrases_duration(arena, group->proven_oldest_ms));
    else if (group->ages_known)
        lines_add(&finding->evidence, arena, "No data could be sent %s.", phrases_ages(arena, group));
    if (group->silent_min_ms != UINT64_MAX)
        lines_add(&finding->evidence, arena, "The peers answer the probes: the last answer came %s ago.",
            phrases_duration(arena, group->silent_min_ms));
    evidence_peers(arena, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    phrases_descriptors(arena, finding->owner, &finding->evidence);

    lines_add(&finding->ruled_out, arena, "Not the network: the probes are answered.");
    assess_slowness(arena, group, finding);

    if (!phrases_fix_reader(arena, context, finding))
        fixes_add(&finding->fix_now, arena,
            "Look at the program on the peer: it is hung or stopped, or has paused reading on purpose (a client "
            "that pages through a result, a player that is paused).",
            NULL);
    fixes_add(&finding->fix_for_good, arena,
        "Put a time limit on writing (SO_SNDTIMEO, the framework's write time-out, TCP_USER_TIMEOUT, which ends "
        "zero-window waits too), and write without blocking the threads that serve others.",
        NULL);
    lines_add(&finding->will_not_help, arena,
        "Larger send buffers here, or keepalive: the window that is zero is the peer's, and its kernel answers.");
    lines_add(&finding->will_not_help, arena, "Tuning the network: nothing is lost on it.");
}

/* --- unread --------------------------------------------------------------------------------------------------- */

struct unread {
    uint64_t bytes;
    uint64_t compared; /* connections that have at least as many bytes as in the previous snapshot */
    uint64_t full;     /* connections with more bytes than a usual receive buffer: the window is probably closed */
};

static struct unread count_unread(const struct context *context, const struct group *group)
{
    struct unread unread = { 0 };
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &context->snapshot->conns[group->conns[i]];
        const struct conn *then = previous_conn(context->snapshot, conn);
        unread.bytes += conn->recv_q_bytes;
        unread.compared += then != NULL && conn_has(then, CONN_QUEUES) && then->recv_q_bytes > 0;
    }
    return unread;
}

static const char *unread_why(
    struct arena *arena, const char *owner, const char *obstacle, const struct process *process)
{
    if (obstacle != NULL)
        return arena_printf(arena, "What the peers sent waits in the receive queues, but %s %s.", owner, obstacle);
    if (process == NULL)
        return "What the peers sent waits in the receive queues; whoever holds these connections does not read them.";
    return arena_printf(arena,
        "What the peers sent waits in the receive queues; %s from these connections: %stheir handler is busy "
        "elsewhere, waits for something else, or has forgotten them; or it has paused reading on purpose, because it "
        "cannot pass the data on.",
        arena_printf(arena, phrases_is_state_known(process) ? "%s runs, but does not read" : "%s does not read", owner),
        phrases_is_state_known(process) ? "" : "it is stopped or hangs (its state is not known), ");
}

static void unread_fixes(struct arena *arena, const struct context *context, const struct group *group,
    const char *obstacle, const struct process *obstructed, struct finding *finding)
{
    const struct process *process = finding->owner;
    if (!phrases_fix_obstacle(arena, context, finding, obstructed, &finding->fix_now))
        phrases_fix_threads(arena, context, process, &finding->fix_now);
    if (process != NULL && obstacle == NULL)
        fixes_add(&finding->fix_now, arena,
            context->snapshot->origin == NULL
                ? "Look again in a while: what is still there, with no fewer bytes, is stuck."
                : "Take the capture again in a while: what is still there, with no fewer bytes, is stuck.",
            context->snapshot->origin == NULL ? arena_printf(arena, "tcpwhy --confirm 30 --pid %u", process->pid)
                                              : NULL);
    if (process == NULL || obstacle != NULL)
        phrases_fix_restart(arena, context, process, &finding->fix_now);
    fixes_add(&finding->fix_for_good, arena,
        "Read from every open connection, also while its request is being worked on, and put time limits on "
        "handlers; where reading stops on purpose (backpressure), limit for how long, then close.",
        NULL);
    if (!group->incoming)
        fixes_add(&finding->fix_for_good, arena,
            "A pool: a connection that holds unread bytes while idle is out of step with its server; drop it.", NULL);
    lines_add(&finding->will_not_help, arena, "Larger receive buffers: more lies unread.");
    lines_add(&finding->will_not_help, arena, "Anything on the peer or the path: the data has arrived.");
}

/*
 * The process cannot write what it would read here: its connections further on are blocked, and have their own finding.
 */
static void describe_blocked(const struct context *context, const struct group *group, const struct upstream *upstream,
    struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    finding->fault = FAULT_PEER_APPLICATION;
    finding->severity = SEVERITY_INFO;
    lower_confidence(finding, CONFIDENCE_LIKELY);
    finding->title = arena_printf(arena, "%s does not read from %s %s: it cannot pass on what it has", owner,
        phrases_conns(arena, group->count), phrases_service(arena, context, group));
    finding->why = arena_printf(arena,
        "What the peers sent waits in the receive queues, most likely because %s cannot pass it on: as many of its "
        "other connections have data that their peers do not take. Fix those connections first; this is only a "
        "consequence.",
        owner);
    lines_add(&finding->evidence, arena, "%s of %s have data in Send-Q that the peer does not take.",
        phrases_conns(arena, upstream->blocked), owner);
}

void established_unread_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    const struct process *obstructed = phrases_obstructed(arena, finding);
    const char *obstacle = phrases_obstacle(arena, obstructed);
    const struct upstream upstream = upstream_find(context, group, finding);
    struct unread unread = count_unread(context, group);

    finding->title = arena_printf(arena, "%s %sdoes not read from %s %s: %s lie%s unread", owner,
        obstacle_title(obstacle_of(obstructed)), phrases_conns(arena, group->count),
        phrases_service(arena, context, group), phrases_bytes(arena, unread.bytes), unread.bytes == 1 ? "s" : "");
    finding->why = unread_why(arena, obstacle ? phrases_process(arena, obstructed) : owner, obstacle, finding->owner);

    lines_add(
        &finding->evidence, arena, "%s wait in Recv-Q, received and acknowledged.", phrases_bytes(arena, unread.bytes));
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "The last of them came %s ago%s.",
            phrases_duration(arena, group->youngest_ms),
            group->oldest_ms < group->youngest_ms + 1000
                ? ""
                : arena_printf(arena, " or longer, at most %s", phrases_duration(arena, group->oldest_ms)));
    if (unread.compared > 0)
        lines_add(&finding->evidence, arena, "On %s the queue was no longer %s ago: nothing was read in between.",
            unread.compared == group->count ? "all of them" : phrases_conns(arena, unread.compared),
            phrases_duration(arena, context->snapshot->taken_at_ms - context->snapshot->previous->taken_at_ms));
    if (finding->owner == NULL)
        phrases_unseen(arena, context, group, &finding->evidence);
    assess_obstacle(arena, group, phrases_process(arena, obstructed), obstacle, phrases_is_halted(obstructed), finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    phrases_descriptors(arena, finding->owner, &finding->evidence);

    lines_add(
        &finding->ruled_out, arena, "Not the peer, nor the network: the data is here, the kernel has acknowledged it.");
    if (upstream.blocks && obstacle == NULL)
        describe_blocked(context, group, &upstream, arena, finding);
    if (unread.compared == group->count)
        lines_add(&finding->ruled_out, arena, "Not a slow reader: the queues have not become shorter.");
    else if (finding->owner == NULL || finding->owner->state != 'T') {
        /*
         * One snapshot does not rule out that the process reads slowly: after the window has closed, no data arrives
         * until a part of the buffer is free (__tcp_select_window()).
         */
        lower_confidence(finding, CONFIDENCE_LIKELY);
        if (obstacle == NULL && group->oldest_ms < SLOW_READER_MS)
            finding->severity = SEVERITY_INFO;
    }
    unread_fixes(arena, context, group, obstacle, obstructed, finding);
}

/* --- idle ----------------------------------------------------------------------------------------------------- */

void established_idle_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    finding->title = arena_printf(arena, "%s keeps %s %s that nobody has used for hours, without keepalive", owner,
        phrases_conns(arena, group->count), phrases_service(arena, context, group));
    finding->why = lost_is_local(context, group)
        ? "Nothing has passed on them for so long, and no keepalive probe asks whether the other ends still exist. "
          "Both ends belong to this host, so that they are most likely well: a program that ends closes its sockets."
        : "Nothing has passed on them for so long, and no keepalive probe asks whether the peers are still there. "
          "They may all be well. But a peer that lost its power or its network sends no FIN, and a firewall that "
          "forgot the connection says nothing: without a probe such a connection stays for ever.";
    lines_add(&finding->evidence, arena, "Idle %s.", phrases_ages(arena, group));
    lines_add(
        &finding->evidence, arena, "Both queues are empty, and no timer runs: keepalive is off for these sockets.");
    evidence_peers(arena, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    phrases_descriptors(arena, finding->owner, &finding->evidence);
    lines_add(
        &finding->ruled_out, arena, "Not a fault that shows: nothing is unread, nothing unsent, nothing unanswered.");
    lower_confidence(finding, CONFIDENCE_POSSIBLE);

    fixes_add(&finding->fix_now, arena, "Nothing, unless their number keeps growing.",
        arena_printf(arena, "tcpwhy count --state established --older 2h --by process,peer"));
    fixes_add(&finding->fix_for_good, arena,
        "Let the program set SO_KEEPALIVE with TCP_KEEPIDLE well below the idle time-out of firewalls and NATs on "
        "the path (a few minutes), or close what was idle for too long.",
        NULL);
    lines_add(&finding->will_not_help, arena,
        "net.ipv4.tcp_keepalive_time alone: it counts only for sockets that have SO_KEEPALIVE switched on.");
}
