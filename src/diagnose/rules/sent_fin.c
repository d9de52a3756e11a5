/*
 * FIN_WAIT_1, CLOSING, LAST_ACK: this side has sent its FIN, and the peer has not acknowledged it (RFC 9293 §3.3.2).
 * The states differ in who closed first: this side, both at once, the peer. The application here has done its part and
 * is never at fault. Linux enters these states when the FIN is queued, so there may be unsent data before it.
 *
 * There are two causes: nothing comes back (the retransmit timer doubles), or the peer's receive window is zero (the
 * persist timer sends probes, or the peer's kernel refuses the data). See tcp_write_timeout() and tcp_probe_timer() in
 * net/ipv4/tcp_timer.c. Data that still flows to a slow reader resets both timers; such a connection is normal.
 */
#include "diagnose/rules/sent_fin.h"

#include "diagnose/command.h"
#include "diagnose/context.h"
#include "diagnose/delivery.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_lost.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/rule.h"
#include "diagnose/rules/state_only.h"

/*
 * True if the peer's window is zero. DELIVERY_REFUSED counts only if the window is not known: ss does not print a
 * window of 0. If the peer has sent its FIN too, it then most likely refuses the data. If a window is shown that could
 * hold the data, the data may just as well be lost on the path.
 */
static bool is_zero_window(const struct context *context, const struct conn *conn)
{
    enum delivery delivery = delivery_of(context->snapshot, conn);
    bool refused = delivery == DELIVERY_REFUSED && !conn_has(conn, CONN_SND_WND) && conn->state != STATE_FIN_WAIT_1 &&
        conn_has(conn, CONN_QUEUES) && conn->send_q_bytes > 1;
    return delivery_is_zero_window(delivery) || refused;
}

static bool is_unanswered(const struct context *context, const struct conn *conn)
{
    return delivery_of(context->snapshot, conn) != DELIVERY_OPEN && !is_zero_window(context, conn);
}

bool sent_fin_zero_window_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_TIMER) && is_zero_window(context, conn) && context_is_settled(context, conn, limits);
}

bool sent_fin_unanswered_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    /* Without timers, the number of connections decides: limits.min_without_age. */
    return (!conn_has(conn, CONN_TIMER) || is_unanswered(context, conn)) && context_is_settled(context, conn, limits);
}

/* CLOSING is so rare that one finding covers both causes; its description says which one it is. */
bool sent_fin_either_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return sent_fin_zero_window_applies(context, conn, limits) || sent_fin_unanswered_applies(context, conn, limits);
}

/* --- descriptions: what differs between the states ---------------------------------------------------------------- */

struct state_words {
    const char *fin;      /* "Nobody answers the last FIN of …" */
    const char *closed;   /* who has closed, as the start of a sentence */
    const char *rule_out; /* why it is not the application here */
};

static const struct state_words *words_of(const struct context *context, const struct group *group)
{
    static const struct state_words fin_wait_1 = {
        .fin = "the FIN",
        .closed = "This side has closed first",
        .rule_out = "Not the application here: FIN_WAIT_1 is entered by closing. What it forgot to close would be in "
                    "CLOSE_WAIT.",
    };
    static const struct state_words closing = {
        .fin = "the FIN",
        .closed = "Both sides have closed at the same moment",
        .rule_out = "Not the application here: CLOSING is entered by closing. What it forgot to close would be in "
                    "CLOSE_WAIT.",
    };
    static const struct state_words last_ack = {
        .fin = "the last FIN",
        .closed = "Both sides have closed",
        .rule_out = "Not the application here: LAST_ACK is entered by closing. What it forgot to close would be in "
                    "CLOSE_WAIT.",
    };
    switch (context->snapshot->conns[group->conns[0]].state) {
    case STATE_FIN_WAIT_1:
        return &fin_wait_1;
    case STATE_CLOSING:
        return &closing;
    default:
        return &last_ack;
    }
}

static const char *state_of(const struct context *context, const struct group *group)
{
    return state_name((enum conn_state)context->snapshot->conns[group->conns[0]].state);
}

/* Counts the sockets of the group that no process holds. */
static uint64_t orphans_of(const struct context *context, const struct group *group)
{
    uint64_t orphans = 0;
    for (size_t i = 0; i < group->count; i++)
        orphans += conn_is_unheld(&context->snapshot->conns[group->conns[i]]);
    return orphans;
}

/* Counts the sockets of the group that a process still has open. */
static uint64_t held_of(const struct context *context, const struct group *group)
{
    uint64_t held = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &context->snapshot->conns[group->conns[i]];
        held += conn_has(conn, CONN_INODE) ? conn->inode != 0 : conn->holder != NO_INDEX;
    }
    return held;
}

/* --- descriptions: shared parts -------------------------------------------------------------------------------- */

static void evidence_orphans(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    uint64_t orphans = orphans_of(context, group), held = held_of(context, group);
    if (held > 0)
        lines_add(&finding->evidence, arena,
            "%s still %s a descriptor: shutdown() was called, close() not yet; the kernel keeps trying longer for "
            "those.",
            phrases_conns(arena, held), held == 1 ? "has" : "have");
    if (orphans == 0)
        return;
    const struct net_values *values = snapshot_net_values(snapshot, &snapshot->conns[group->conns[0]]);
    int64_t all = values->has_counter[COUNTER_ORPHANS] ? values->counters[COUNTER_ORPHANS] : (int64_t)orphans;
    int64_t most = setting_value(values, SETTING_MAX_ORPHANS, 0);
    lines_add(&finding->evidence, arena, "No process holds %s: %s closed by the application.",
        orphans == group->count ? "them" : phrases_count(arena, orphans), orphans == 1 ? "it was" : "they were");
    if (most <= 0)
        return;
    lines_add(&finding->evidence, arena, "This host has %s orphaned sockets; the kernel allows %s (tcp_max_orphans).",
        phrases_count(arena, (uint64_t)all), phrases_count(arena, (uint64_t)most));
}

static void evidence_give_up(struct arena *arena, struct finding *finding)
{
    if (!finding->give_up_known)
        return;
    if (finding->count == 1)
        lines_add(&finding->evidence, arena, "Unless the peer answers, the kernel gives up by itself in about %s.",
            phrases_duration(arena, finding->last_give_up_ms));
    else
        lines_add(&finding->evidence, arena,
            "Unless the peer answers, the kernel gives up by itself: the first in about %s, the last in about %s.",
            phrases_duration(arena, finding->first_give_up_ms), phrases_duration(arena, finding->last_give_up_ms));
}

static void will_not_help(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    if (orphans_of(context, group) == group->count)
        lines_add(&finding->will_not_help, arena,
            "Changing or restarting the application here: it has closed, these sockets are the kernel's.");
    lines_add(&finding->will_not_help, arena,
        "None of these affects %s: tcp_fin_timeout is for FIN_WAIT_2, TcpTimedWaitDelay for TIME_WAIT, InitialRto and "
        "MaxSynRetransmissions for the handshake.",
        state_of(context, group));
}

static const char *owner_phrase(struct arena *arena, const struct finding *finding)
{
    return finding->owner == NULL ? "" : arena_printf(arena, " of %s", phrases_process_within(arena, finding->owner));
}

/* A peer whose segments arrive, but which does not acknowledge, may have several reasons: DELIVERY_REFUSED. */
static void assess_heard(struct arena *arena, const struct group *group, struct finding *finding)
{
    if (group->heard == 0) {
        lines_add(
            &finding->ruled_out, arena, "Not a peer that has stopped reading: its kernel would still acknowledge.");
        return;
    }
    lines_add(&finding->evidence, arena,
        "On %s the peer was heard in the meantime: its host is there. What is sent from here is lost on the way (too "
        "large for the path, filtered), or its receive buffer is full.",
        phrases_conns(arena, group->heard));
    finding->confidence = CONFIDENCE_LIKELY;
}

static void heard_describe(
    struct arena *arena, const struct state_words *words, const char *fins, struct finding *finding)
{
    finding->title = arena_printf(arena, "A peer that is there does not acknowledge %s", fins);
    finding->why = arena_printf(arena,
        "%s; the same is sent again and again with doubling pauses. The peer's host is heard meanwhile, but does not "
        "acknowledge it. Either these packets are lost on the way there (too large for the path, which drops them "
        "without a word, or filtered in one direction), or the peer's kernel refuses them because its receive buffer "
        "is full.",
        words->closed);
}

/* --- unanswered ----------------------------------------------------------------------------------------------- */

void sent_fin_unanswered_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    if (!group->timers_known) {
        by_state_sent_fin_describe(context, group, arena, finding);
        return;
    }
    const struct state_words *words = words_of(context, group);
    const struct lost lost = lost_of(context, group);
    const char *fins = arena_printf(arena, "%s of %s%s %s", words->fin, phrases_conns(arena, group->count),
        owner_phrase(arena, finding), phrases_service(arena, context, group));
    const char *title = lost_title(arena, &lost, fins);
    finding->title = title != NULL ? title : arena_printf(arena, "Nobody answers %s", fins);
    finding->why = arena_printf(arena,
        "%s; our FIN is sent again and again with doubling pauses, and no acknowledgement comes back. %s",
        words->closed,
        lost_why(arena, &lost,
            "The peer has vanished (crashed, rebooted, asleep, behind a NAT or firewall that forgot the connection), "
            "or the path drops what is sent or answered (a packet filter on this host included)."));
    if (title == NULL && group->heard == group->count)
        heard_describe(arena, words, fins, finding);

    const char *segment = group->unsent_bytes > 0 ? "What is unacknowledged" : "The FIN";
    if (group->retransmits_min == group->retransmits_max)
        lines_add(&finding->evidence, arena, "%s was sent again %u times without an answer.", segment,
            group->retransmits_max);
    else
        lines_add(&finding->evidence, arena, "%s was sent again %u to %u times without an answer.", segment,
            group->retransmits_min, group->retransmits_max);
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "In %s %s (sum of the timeouts so far).", state_of(context, group),
            phrases_ages(arena, group));
    if (group->silent_min_ms != UINT64_MAX && group->heard == 0)
        lines_add(&finding->evidence, arena, "Nothing at all has come from any of the peers for the last %s.",
            phrases_duration(arena, group->silent_min_ms));
    if (group->unsent_bytes > 0)
        lines_add(&finding->evidence, arena, "%s of data before the FIN are unacknowledged too.",
            phrases_bytes(arena, group->unsent_bytes));
    if (finding->distinct_peers == 1 && group->count > 1)
        lines_add(&finding->evidence, arena,
            lost_has_all(&lost) ? "All of them go to one peer: the path to it."
                                : "All of them go to one peer: that host, or the path to it.");
    else if (finding->distinct_peers > 1)
        lines_add(
            &finding->evidence, arena, "They go to %s different peers.", phrases_count(arena, finding->distinct_peers));
    evidence_orphans(arena, context, group, finding);
    evidence_give_up(arena, finding);
    phrases_pairs(arena, context, group, &finding->evidence);

    lines_add(&finding->ruled_out, arena, "%s", words_of(context, group)->rule_out);
    assess_heard(arena, group, finding);
    if (!group->ages_known)
        finding->confidence = CONFIDENCE_LIKELY;
    lost_assess(arena, &lost, finding);

    fixes_add(&finding->fix_now, arena, "Usually nothing: the kernel gives them up by itself.", NULL);
    lost_fix(arena, context, &lost, finding);
    fixes_add(&finding->fix_now, arena, "See on this host whether the peer's answers arrive.",
        arena_printf(arena, "tcpdump -ni any 'host %s and tcp'", phrases_address(arena, &finding->peers[0].address)));
    fixes_add(&finding->fix_for_good, arena,
        "Look at what lies between: a firewall or NAT whose idle time-out is shorter than the connections' pauses, "
        "a security group without a rule back, peers that lose their network (mobile clients).",
        NULL);
    command_keep_setting(arena, finding, &finding->fix_for_good,
        "Only where there are so many that the orphan limit comes near: fewer attempts for each orphan shorten its "
        "life. Its price: a client that is out of reach for some 13 s instead of 100 s loses the end of its answer.",
        "net.ipv4.tcp_orphan_retries", "4");
    will_not_help(arena, context, group, finding);
}

/* --- zero window ---------------------------------------------------------------------------------------------- */

static void evidence_window(struct arena *arena, const struct group *group, struct finding *finding)
{
    uint64_t persisting = group->count - group->heard - group->taken_back;
    phrases_taken_back(arena, group, &finding->evidence);
    if (group->heard > 0) {
        lines_add(&finding->evidence, arena,
            "On %s the same data was sent again up to %u times; the peer's kernel is heard and takes nothing: its "
            "receive buffer is full, or what is sent is lost on the way there.",
            phrases_conns(arena, group->heard), group->retransmits_max);
        finding->confidence = CONFIDENCE_LIKELY;
    }
    if (persisting > 0 && group->zero_windows > 0)
        lines_add(&finding->evidence, arena, "The peer's window is 0 on %s; the persist timer probes it.",
            persisting == group->count ? "all of them" : phrases_conns(arena, persisting));
    else if (persisting > 0)
        lines_add(&finding->evidence, arena, "The persist timer runs: the peer's window is 0.");
}

void sent_fin_zero_window_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    finding->title = arena_printf(arena, "The last data of %s%s %s cannot be delivered: %s stopped reading",
        phrases_conns(arena, group->count), owner_phrase(arena, finding), phrases_service(arena, context, group),
        phrases_peers_have(group));
    finding->why = arena_printf(arena,
        "%s, but %s stand before our FIN and the peers' %s: their programs %sdo not read "
        "what is still coming. The kernels there are alive and say so.",
        words_of(context, group)->closed, phrases_bytes(arena, group->unsent_bytes),
        group->heard == group->count ? "receive buffers are full" : "receive windows are zero",
        context->snapshot->conns[group->conns[0]].state == STATE_FIN_WAIT_1 ? "" : "have closed the sending side and ");

    lines_add(
        &finding->evidence, arena, "%s wait in Send-Q before the FIN.", phrases_bytes(arena, group->unsent_bytes));
    evidence_window(arena, group, finding);
    if (group->silent_min_ms != UINT64_MAX)
        lines_add(&finding->evidence, arena, "The peers' kernels answer: the last answer came %s ago.",
            phrases_duration(arena, group->silent_min_ms));
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "How long no data could be sent: %s.", phrases_ages(arena, group));
    evidence_orphans(arena, context, group, finding);
    evidence_give_up(arena, finding);
    phrases_pairs(arena, context, group, &finding->evidence);

    lines_add(&finding->ruled_out, arena, "%s", words_of(context, group)->rule_out);
    if (group->heard == 0)
        lines_add(&finding->ruled_out, arena, "Not the network: what is sent is answered.");

    if (!phrases_fix_reader(arena, context, finding))
        fixes_add(&finding->fix_now, arena,
            "Look at the program on the peer: it must read to the end of stream, or close.", NULL);
    fixes_add(&finding->fix_for_good, arena,
        "In the peer's program: a client that has asked and shut down its side must read the answer to its end, or "
        "close the socket outright so that the data is refused with a reset.",
        NULL);
    fixes_add(&finding->fix_for_good, arena,
        "Here: TCP_USER_TIMEOUT bounds how long the kernel waits for a window that does not open.", NULL);
    will_not_help(arena, context, group, finding);
}

/* --- CLOSING: either ------------------------------------------------------------------------------------------ */

void sent_fin_either_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    uint64_t shut = 0;
    for (size_t i = 0; i < group->count; i++)
        shut += is_zero_window(context, &context->snapshot->conns[group->conns[i]]);
    if (shut * 2 <= group->count) {
        sent_fin_unanswered_describe(context, group, arena, finding);
        return;
    }
    finding->fault = FAULT_PEER_APPLICATION;
    sent_fin_zero_window_describe(context, group, arena, finding);
}
