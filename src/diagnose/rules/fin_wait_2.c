/*
 * FIN_WAIT_2: this side has sent its FIN and the peer's kernel has acknowledged it, but the peer's own FIN has not
 * arrived (RFC 9293 §3.6, §3.6.1). The peer may still send data, and each of its segments resets the age, so a
 * half-close on which data flows is normal. Otherwise the descriptor decides:
 *
 *   inode        a process still holds it: it called shutdown(), not close(). No timer runs, so it can last for ever
 *   no inode     the process has closed it: __tcp_close() in net/ipv4/tcp.c starts the time-out that ends FIN_WAIT_2
 *
 * If the other end is on this host too, it is in CLOSE_WAIT, and the finding is about the process there. If it is in
 * LAST_ACK or CLOSING, the program there has closed as well, and its FIN does not arrive here.
 */
#include "diagnose/rules/fin_wait_2.h"

#include <string.h>

#include "diagnose/command.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_lost.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/platform.h"
#include "diagnose/queues.h"
#include "diagnose/rules/state_only.h"
#include "model/host.h"

static bool data_still_comes(const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_TCP_INFO) && conn->last_data_recv_ms < limits->settle_ms;
}

/*
 * True if a process has it open. The inode shows it. If the source shows no inodes, the owner (not on Windows) or the
 * timer shows it: on Linux, close() starts a timer (__tcp_close()), so a connection without a timer is held.
 */
static bool is_held(const struct context *context, const struct conn *conn)
{
    if (conn_has(conn, CONN_INODE))
        return conn->inode != 0;
    const char *os = platform_of(context->snapshot)->os;
    if (conn_has(conn, CONN_TIMER) && conn->timer == TIMER_NONE && os != NULL && strcmp(os, "linux") == 0)
        return true;
    return conn->holder != NO_INDEX && platform_of(context->snapshot)->owner_has_it_open;
}

bool fin_wait_2_held_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return is_held(context, conn) && !data_still_comes(conn, limits) && context_is_settled(context, conn, limits);
}

/* Also if it is not known whether a process has it open; then the description says so. */
bool fin_wait_2_orphaned_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return !is_held(context, conn) && context_is_settled(context, conn, limits);
}

/* --- descriptions ------------------------------------------------------------------------------------------------- */

static void add_peer_fixes(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    const struct conn *first = &context->snapshot->conns[group->conns[0]];
    uint16_t service = group->incoming ? first->local_port : first->remote_port;
    fixes_add(&finding->fix_now, arena,
        finding->distinct_peers == 1 ? "On the peer: find the program that does not close. There the same connections "
                                       "are in CLOSE_WAIT."
                                     : "On the peers: find the program that does not close. There the same "
                                       "connections are in CLOSE_WAIT.",
        arena_printf(arena, "tcpwhy --state close-wait%s", phrases_select_end(arena, &first->local, service)));
}

static void rule_out_network(struct arena *arena, struct finding *finding)
{
    lines_add(&finding->ruled_out, arena,
        "Not a lost FIN: the peer's kernel has acknowledged ours, that is how FIN_WAIT_2 is entered.");
}

/* --- the other end has closed ------------------------------------------------------------------------------------- */

/* Other ends that have sent their FIN. It has not arrived here: else the state would be TIME_WAIT. */
struct closed_ends {
    uint64_t count;
    uint64_t again;      /* their FIN was sent again, and not only since this host was read */
    uint8_t retransmits; /* the most of one */
    bool is_local;
    const struct conn *example; /* an other end; NULL: there are none */
};

static struct closed_ends closed_ends_of(const struct context *context, const struct group *group)
{
    const struct snapshot *snapshot = context->snapshot;
    struct closed_ends ends = { .is_local = true };
    for (size_t i = 0; i < group->count && group->pair_of != NULL; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        const struct conn *other = group->pair_of[i] != NO_INDEX ? &snapshot->conns[group->pair_of[i]] : NULL;
        if (other == NULL || (other->state != STATE_LAST_ACK && other->state != STATE_CLOSING))
            continue;
        ends.count++;
        ends.example = other;
        ends.is_local &= hosts_of_conn(snapshot, conn) == hosts_of_conn(snapshot, other);
        ends.again += conn_has(other, CONN_TIMER) && other->retransmits > 0 &&
            lost_is_still_there(snapshot, other, hosts_of_conn(snapshot, conn));
        if (conn_has(other, CONN_TIMER) && other->retransmits > ends.retransmits)
            ends.retransmits = other->retransmits;
    }
    return ends;
}

static bool have_all_closed(const struct closed_ends *ends, const struct group *group)
{
    return ends->example != NULL && ends->count == group->count;
}

static void both_have_closed(struct arena *arena, const struct context *context, const struct group *group,
    const struct closed_ends *ends, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    const char *address = phrases_address(arena, &ends->example->local);
    bool is_sent_again = ends->again == group->count;
    finding->fault = FAULT_PEER_OR_PATH;
    finding->title = arena_printf(arena, "The peer's FIN of %s %s does not arrive here: both sides have closed",
        phrases_conns(arena, group->count), phrases_service(arena, context, group));
    finding->why = arena_printf(arena,
        "This side has closed, and so has the program at the other end, which was seen too: it is in %s there. Its FIN "
        "has not arrived here: it is lost on the way from the peer. %s",
        state_name((enum conn_state)ends->example->state),
        ends->is_local ? "A packet filter on this host drops it, or what connects its network namespaces does."
                       : "A packet filter on one of the two hosts drops it, or a firewall or NAT between them that "
                         "forgot the connection.");
    if (ends->again > 0)
        lines_add(
            &finding->evidence, arena, "At the other end the FIN was sent again up to %u times.", ends->retransmits);
    if (!(is_sent_again && ends->is_local) && finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = is_sent_again ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    lines_add(&finding->ruled_out, arena, "Not a program there that does not close: it has closed.");
    fixes_add(&finding->fix_now, arena, "See on this host whether the FIN arrives, and what filters it.",
        platform_fill(arena, ends->is_local ? platform->route : platform->packets, address));
    lines_add(&finding->will_not_help, arena, "Restarting the program there: it has closed, the rest is the kernel's.");
}

/* --- held by a process ------------------------------------------------------------------------------------------ */

/* Before this age, the peer may still be working on what was sent before the half-close. */
enum { CERTAIN_MS = 5 * 60 * 1000 };

struct held_facts {
    uint64_t half_closed; /* shutdown(SHUT_WR) */
    uint64_t shut_both;   /* shutdown(SHUT_RDWR); close() with SO_LINGER does not wait in this state */
    uint64_t unread;      /* connections with bytes that the process here has not read */
    uint64_t unread_bytes;
};

static struct held_facts facts_of(const struct context *context, const struct group *group)
{
    struct held_facts facts = { 0 };
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &context->snapshot->conns[group->conns[i]];
        if (conn_has(conn, CONN_SHUTDOWN)) {
            facts.half_closed += conn->shutdown == SHUTDOWN_SEND;
            facts.shut_both += conn->shutdown == (SHUTDOWN_SEND | SHUTDOWN_RECEIVE);
        }
        if (conn_has(conn, CONN_QUEUES) && conn->recv_q_bytes > 0) {
            facts.unread++;
            facts.unread_bytes += conn->recv_q_bytes;
        }
    }
    return facts;
}

static void evidence_held(struct arena *arena, const struct context *context, const struct group *group,
    const struct held_facts *facts, struct finding *finding)
{
    if (facts->half_closed > 0)
        lines_add(&finding->evidence, arena,
            "%s shut down for sending only: shutdown(SHUT_WR) was called, and the process can still read.",
            facts->half_closed == 1 ? "1 connection is"
                                    : arena_printf(arena, "%s are", phrases_conns(arena, facts->half_closed)));
    if (facts->shut_both > 0)
        lines_add(&finding->evidence, arena, "%s shut down both ways: shutdown(SHUT_RDWR) was called, and not close().",
            facts->shut_both == 1 ? "1 connection is"
                                  : arena_printf(arena, "%s are", phrases_conns(arena, facts->shut_both)));
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "How long nothing has come from %s: %s.",
            group->count == 1 ? "the peer" : "the peers", phrases_ages(arena, group));
    phrases_clock_set_back(arena, context, group, &finding->evidence);
    if (facts->unread > 0)
        lines_add(&finding->evidence, arena, "Data of the peers lies unread in Recv-Q here: %s on %s.",
            phrases_bytes(arena, facts->unread_bytes), phrases_conns(arena, facts->unread));
    if (group->keepalives == 0)
        lines_add(&finding->evidence, arena,
            "No time-out runs on them: while a descriptor is open, and keepalive is off, the kernel waits for ever.");
    else if (group->keepalives < group->count)
        lines_add(&finding->evidence, arena,
            "Keepalive runs on %s: it ends those whose peer has vanished. On the others no time-out runs.",
            phrases_conns(arena, group->keepalives));
    else
        lines_add(
            &finding->evidence, arena, "Keepalive runs on them: it ends those whose peer has vanished, and no other.");
    phrases_descriptors(arena, finding->owner, &finding->evidence);
}

/*
 * True if the peer's kernel has shown that it still has the connection: it has answered a keepalive probe, or its end
 * is in this snapshot. Otherwise two other causes look the same as a program that does not close: a peer that has lost
 * its power, and a NAT that has forgotten the connection.
 */
static bool is_peer_alive(const struct group *group)
{
    return (group->keepalives > 0 && group->resets > 0) || group->pair_count > 0;
}

static void held_by_who_waits(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    bool is_alive = is_peer_alive(group), is_local = lost_is_local(context, group);
    finding->fault = is_alive ? FAULT_PEER_APPLICATION : FAULT_PEER_OR_PATH;
    finding->title = arena_printf(arena, "%s waits on %s %s for %s to close as well", phrases_owner(arena, finding),
        phrases_conns(arena, group->count), phrases_service(arena, context, group),
        finding->distinct_peers == 1 ? "a peer" : "peers");
    finding->why = is_alive
        ? "The process has shut down its side and kept the descriptors; the peer's kernel has acknowledged that, but "
          "the program there has not closed: it never will, or is still at work on its answer. Nobody has set a limit "
          "to the wait."
        : is_local
        ? "The process has shut down its side and kept the descriptors, and the kernel acknowledged that for the other "
          "end, which was on this host. Since then nothing has come: the other socket is gone, and the reset that says "
          "so was dropped on this host, or the program there does not close. Nobody has set a limit to the wait."
        : "The process has shut down its side and kept the descriptors, and the peer's kernel acknowledged that then. "
          "Since then nothing has come: the program there does not close, is still at work on its answer, or the peer "
          "or the way to it is gone. Nobody has set a limit to the wait.";
    finding_lower_confidence(group, CERTAIN_MS, finding);
    lines_add(&finding->ruled_out, arena,
        "Not a half-close on which data still flows: that would make the connections young again.");
    add_peer_fixes(arena, context, group, finding);
    if (process_descriptors_run_out(finding->owner)) /* then there is no time to wait for the peer */
        phrases_fix_restart_owners(arena, context, finding);
    fixes_add(&finding->fix_for_good, arena,
        "In the peer's program: close when recv() returns 0 (tcpwhy explain close-wait-leak).", NULL);
    if (group->keepalives < group->count)
        fixes_add(&finding->fix_for_good, arena,
            "In the program here: SO_KEEPALIVE with TCP_KEEPIDLE of a minute or so ends the wait for a peer that has "
            "vanished; without it nothing does.",
            NULL);
}

static void held_by_who_does_not_read(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    finding->fault = FAULT_LOCAL_APPLICATION;
    finding->title = arena_printf(arena, "%s has shut down its side of %s %s and does not read what the peer sent",
        owner, phrases_conns(arena, group->count), phrases_service(arena, context, group));
    finding->why = "The process has called shutdown() and kept the descriptors, and data of the peer lies unread in "
                   "the receive queues. A peer whose data is not taken cannot come to its end and close.";
    const char *obstacle = phrases_obstacle(arena, finding->owner);
    if (obstacle != NULL)
        lines_add(&finding->evidence, arena, "%s %s.", owner, obstacle);
    phrases_fix_restart_owners(arena, context, finding);
    fixes_add(&finding->fix_for_good, arena,
        "After shutdown(SHUT_WR), read until the end of stream (recv() returns 0), then close(); if nothing that "
        "comes is of interest, call close() at once.",
        NULL);
}

void fin_wait_2_held_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    struct held_facts facts = facts_of(context, group);
    bool unread = facts.unread * 2 > group->count;
    evidence_held(arena, context, group, &facts, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    const struct closed_ends closed = closed_ends_of(context, group);
    bool both_closed = !unread && have_all_closed(&closed, group);
    if (!both_closed)
        rule_out_network(arena, finding);
    if (unread)
        held_by_who_does_not_read(arena, context, group, finding);
    else if (both_closed)
        both_have_closed(arena, context, group, &closed, finding);
    else
        held_by_who_waits(arena, context, group, finding);
    fixes_add(&finding->fix_for_good, arena,
        "In the program here: limit the wait. After shutdown() give the peer some seconds (SO_RCVTIMEO, a timer in "
        "the event loop), then close(): from there on the kernel's own time-out runs.",
        NULL);
    lines_add(&finding->will_not_help, arena,
        "tcp_fin_timeout: it starts with close(). Nothing limits FIN_WAIT_2 while a descriptor is open.");
    if (is_peer_alive(group) && !both_closed)
        lines_add(&finding->will_not_help, arena,
            "TCP keepalive against a program that does not close: its kernel answers for it. It ends what has "
            "vanished.");
}

/* --- orphaned --------------------------------------------------------------------------------------------------- */

/* From these shares of a limit on, there is a risk. */
enum { ORPHAN_PERCENT = 25, BUCKET_PERCENT = 80 };

static bool near(int64_t value, int64_t limit, int percent)
{
    return limit > 0 && value * 100 >= limit * percent;
}

/*
 * Adds the limits. Full sockets count against tcp_max_orphans. Mini-sockets count against tcp_max_tw_buckets, as
 * TIME_WAIT does: inet_twsk_alloc() in net/ipv4/inet_timewait_sock.c.
 */
static void evidence_limits(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    uint64_t minis = 0;
    const struct conn *first = &context->snapshot->conns[group->conns[0]];
    const struct net_values *values = snapshot_net_values(context->snapshot, first);
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &context->snapshot->conns[group->conns[i]];
        minis += conn_has(conn, CONN_TIMER) && conn->timer == TIMER_TIME_WAIT;
    }
    int64_t buckets = setting_value(values, SETTING_MAX_TW_BUCKETS, 0);
    int64_t orphans = setting_value(values, SETTING_MAX_ORPHANS, 0);
    if (minis > 0 && buckets > 0 && values->has_counter[COUNTER_TIME_WAIT]) {
        int64_t used = values->counters[COUNTER_TIME_WAIT];
        lines_add(&finding->evidence, arena,
            "They count with TIME_WAIT: %s such entries in this namespace, of %s (tcp_max_tw_buckets).",
            phrases_count(arena, (uint64_t)used), phrases_count(arena, (uint64_t)buckets));
        if (near(used, buckets, BUCKET_PERCENT) && finding->severity < SEVERITY_WARNING)
            finding->severity = SEVERITY_WARNING;
    }
    if (minis < group->count && orphans > 0 && values->has_counter[COUNTER_ORPHANS]) {
        int64_t used = values->counters[COUNTER_ORPHANS];
        lines_add(&finding->evidence, arena,
            "%s still %s full sockets; this host has %s orphans, the kernel allows %s (tcp_max_orphans).",
            phrases_count(arena, group->count - minis), group->count - minis == 1 ? "is" : "are",
            phrases_count(arena, (uint64_t)used), phrases_count(arena, (uint64_t)orphans));
        if (near(used, orphans, ORPHAN_PERCENT) && finding->severity < SEVERITY_WARNING)
            finding->severity = SEVERITY_WARNING;
    }
}

void fin_wait_2_orphaned_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct closed_ends closed = closed_ends_of(context, group);
    bool both_closed = have_all_closed(&closed, group);
    if (!conn_is_unheld(&context->snapshot->conns[group->conns[0]])) {
        by_state_fin_wait_2_describe(context, group, arena, finding);
        if (both_closed)
            both_have_closed(arena, context, group, &closed, finding);
        return;
    }
    const struct net_values *values = snapshot_net_values(
        context->snapshot, &context->snapshot->conns[group->conns[0]]);
    int64_t timeout = setting_value(values, SETTING_FIN_TIMEOUT, 60);
    const char *owner = finding->owner == NULL
        ? ""
        : arena_printf(arena, " of %s", phrases_process_within(arena, finding->owner));
    finding->title = arena_printf(arena, "%s%s %s, closed here, wait for peers that do not close",
        phrases_conns(arena, group->count), owner, phrases_service(arena, context, group));
    finding->why = arena_printf(arena,
        "The program here has closed and the peers' kernels have acknowledged it, but the programs there keep "
        "their ends open. The kernel here does not wait for ever: after %s (tcp_fin_timeout) it drops them.",
        phrases_duration(arena, (uint64_t)timeout * 1000));

    lines_add(&finding->evidence, arena, "No process holds them: they were closed by the application.");
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "In FIN_WAIT_2 %s.", phrases_ages(arena, group));
    if (finding->give_up_known)
        lines_add(&finding->evidence, arena, "They end by themselves: the first in %s, the last in %s.",
            phrases_duration(arena, finding->first_give_up_ms), phrases_duration(arena, finding->last_give_up_ms));
    if (finding->distinct_peers == 1 && !both_closed)
        lines_add(&finding->evidence, arena, "All of them belong to one peer: one program there does not close.");
    evidence_limits(arena, context, group, finding);
    phrases_pairs(arena, context, group, &finding->evidence);
    if (!both_closed)
        rule_out_network(arena, finding);
    lines_add(&finding->ruled_out, arena, "Not the application here: it has closed.");

    fixes_add(&finding->fix_now, arena, "Nothing here: the kernel ends them by itself.", NULL);
    if (both_closed) {
        both_have_closed(arena, context, group, &closed, finding);
    } else {
        add_peer_fixes(arena, context, group, finding);
        fixes_add(&finding->fix_for_good, arena,
            "In the peer's program: close when recv() returns 0 (tcpwhy explain close-wait-leak).", NULL);
    }
    command_keep_setting(arena, finding, &finding->fix_for_good,
        "Where they are so many that ports or the limits above run short, a shorter wait helps. Its price: a peer that "
        "answers later than that gets a reset.",
        "net.ipv4.tcp_fin_timeout", "20");
    if (!group->incoming)
        lines_add(&finding->will_not_help, arena,
            "tcp_tw_reuse: since Linux 6.12 it does not take the port of a connection in FIN_WAIT_2; before, it did, "
            "and reset the peer.");
    lines_add(&finding->will_not_help, arena, "Restarting the service here: what is closed is the kernel's.");
}
