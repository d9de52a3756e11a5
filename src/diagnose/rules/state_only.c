/*
 * Descriptions for a capture that shows only the state of connections: no timers, no queues, no ages. States that last
 * one round trip are a finding by their number alone, because normally there are few of them at one moment. The
 * findings are possible, not certain. They say what would show the cause.
 */
#include "diagnose/rules/state_only.h"

#include <string.h>

#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_lost.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/platform.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"

enum { MANY = 8 }; /* peers with one connection each: fewer may be chance */

static const char *state_of(const struct context *context, const struct group *group)
{
    return state_name((enum conn_state)context->snapshot->conns[group->conns[0]].state);
}

static const char *owner_phrase(struct arena *arena, const struct finding *finding)
{
    return finding->owner == NULL ? "" : arena_printf(arena, " of %s", phrases_process_within(arena, finding->owner));
}

/* True if the source prints how long the connections have been in their state. */
static bool has_ages(const struct group *group)
{
    return group->ages_known && !group->ages_from_snapshots;
}

static void evidence_number(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    finding->confidence = CONFIDENCE_POSSIBLE;
    bool is_handshake = (group->rule->states & (STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_SYN_RECEIVED))) != 0;
    lines_add(&finding->evidence, arena, "%s %s in %s at one moment; %s.", phrases_count(arena, group->count),
        group->count == 1 ? "was" : "were", state_of(context, group),
        is_handshake ? "one that is answered passes through it in one round trip"
                     : "a FIN without data before it is acknowledged in one round trip, and data that is still on its "
                       "way takes longer");
    phrases_shown_ages(arena, context, group, &finding->evidence);
    if (has_ages(group))
        finding->confidence = CONFIDENCE_LIKELY;
    else
        lines_add(&finding->evidence, arena,
            "This capture has no timers or ages: that they are stuck is assumed, because there are so many.");
    if (finding->distinct_peers == 1)
        lines_add(&finding->evidence, arena, "All of them have one peer: that host, or the path to it.");
    else if (finding->distinct_peers > 1)
        lines_add(
            &finding->evidence, arena, "They have %s different peers.", phrases_count(arena, finding->distinct_peers));
    phrases_pairs(arena, context, group, &finding->evidence);
}

static void fix_second_snapshot(struct arena *arena, const struct context *context, struct finding *finding)
{
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena, "To be certain: %s. What is still there is stuck, not passing.",
            phrases_second_snapshot(context->snapshot)),
        NULL);
}

static void fix_packets(struct arena *arena, const struct context *context, const char *text, struct finding *finding)
{
    const char *address = phrases_address(arena, &finding->peers[0].address);
    fixes_add(&finding->fix_now, arena, text, platform_fill(arena, platform_of(context->snapshot)->packets, address));
}

void by_state_sent_fin_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *state = state_of(context, group);
    finding->title = arena_printf(arena, "%s%s %s %s", phrases_conns(arena, group->count), owner_phrase(arena, finding),
        phrases_service(arena, context, group),
        group->count == 1 ? arena_printf(arena, "waits in %s for an acknowledgement of its FIN", state)
                          : arena_printf(arena, "wait in %s for an acknowledgement of their FIN", state));
    const struct lost lost = lost_of(context, group);
    finding->why = arena_printf(arena,
        "This side has closed and sent its FIN; what is missing is the peer's acknowledgement. %s",
        lost_why(arena, &lost,
            "Either the peers are gone (crashed, asleep, behind a NAT or firewall that forgot the connection), or they "
            "are there and do not read the data that stands before the FIN. Which of them is not in this capture."));
    evidence_number(arena, context, group, finding);
    lost_assess(arena, &lost, finding);
    lines_add(&finding->ruled_out, arena,
        "Not the application here: %s is entered by closing. What it forgot to close would be in CLOSE_WAIT.", state);
    fix_second_snapshot(arena, context, finding);
    if (!lost_fix(arena, context, &lost, finding))
        fix_packets(arena, context, "See on that host whether the peer answers.", finding);
    fixes_add(&finding->fix_for_good, arena,
        "Look at what lies between: a firewall or NAT whose idle time-out is shorter than the connections' pauses, a "
        "rule that is missing for the way back, peers that lose their network (mobile clients).",
        NULL);
    lines_add(&finding->will_not_help, arena, "None of these affects %s: %s.", state,
        platform_of(context->snapshot)->sent_fin_wont_help);
    lines_add(&finding->will_not_help, arena,
        "Changing or restarting the application here: it has closed, the rest is the kernel's.");
}

void by_state_syn_sent_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    const char *address = phrases_address(arena, &finding->peers[0].address);
    finding->title = arena_printf(arena, "%s waits for an answer to %s %s", phrases_owner(arena, finding),
        group->count == 1 ? "its SYN" : arena_printf(arena, "the SYNs of %s", phrases_conns(arena, group->count)),
        phrases_service(arena, context, group));
    finding->why = arena_printf(arena,
        "A SYN was sent, and neither an acceptance nor a refusal has come back yet. %s: they are dropped there or on "
        "the way back, by a firewall, a host that is down, a wrong address or route, or a server whose accept queue is "
        "full.",
        has_ages(group) ? "After so long they are no longer on their way" : "So many at once are rarely on their way");
    evidence_number(arena, context, group, finding);
    lines_add(&finding->ruled_out, arena,
        "Not a port on which nobody listens, if that host refuses: a reset would have come at once. Windows with its "
        "firewall on does not refuse (stealth mode).");
    fix_second_snapshot(arena, context, finding);
    fix_packets(arena, context, "See whether the SYN leaves that host, and whether anything comes back.", finding);
    fixes_add(&finding->fix_now, arena, "See the way there, and what the host's own firewall does with it.",
        platform_fill(arena, platform->route, address));
    fixes_add(&finding->fix_for_good, arena,
        "Give connect() a time limit of a few seconds, try another server after it, and do not start more attempts "
        "while none gets through.",
        NULL);
    lines_add(&finding->will_not_help, arena, "%s", platform->handshake_wont_help);
}

/* Adds how many of the connections to the port were ever established. */
static void evidence_share(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *first = &snapshot->conns[group->conns[0]];
    uint64_t open = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        open += conn->state == STATE_ESTABLISHED && conn->local_port == first->local_port &&
            conn->netns == first->netns;
    }
    if (open == 0 && !context_is_asked_about(context, group->count))
        lines_add(&finding->evidence, arena, "Not one connection to port %u is established.", first->local_port);
    else if (open > 0)
        lines_add(&finding->evidence, arena, "%s to the same port %s established: some get through.",
            phrases_conns(arena, open), open == 1 ? "is" : "are");
}

static void fix_flood(const struct context *context, struct arena *arena, struct finding *finding)
{
    if (platform_of(context->snapshot)->os != NULL && strcmp(platform_of(context->snapshot)->os, "linux") == 0)
        fixes_add(&finding->fix_now, arena,
            "See whether the kernel takes it for a flood: cookies sent (TCPReqQFullDoCookies) rise, and far fewer come "
            "back valid (SyncookiesRecv). Then real clients get through, and routing is not the question.",
            "sysctl net.ipv4.tcp_syncookies; nstat -az TcpExtTCPReqQFullDoCookies TcpExtTCPReqQFullDrop "
            "TcpExtSyncookiesRecv; sleep 5; nstat");
    fixes_add(&finding->fix_for_good, arena,
        "Against a flood: SYN cookies, and filtering before this host (the provider, a load balancer, a SYN proxy).",
        NULL);
}

void by_state_syn_received_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    const char *address = phrases_address(arena, &finding->peers[0].address);
    bool spread = finding->distinct_peers * 4 >= group->count * 3 && group->count >= MANY;
    finding->title = arena_printf(arena, "%s %s %s not answered the SYN-ACK yet%s", phrases_conns(arena, group->count),
        phrases_service(arena, context, group), group->count == 1 ? "has" : "have",
        spread ? ": as in a SYN flood" : "");
    finding->why = spread
        ? "SYNs came from as many addresses as there are connections, and none of these answers the SYN-ACK. That is "
          "what a SYN flood looks like: the senders are made up. Otherwise the SYN-ACKs do not reach real clients (a "
          "route back that differs, a firewall that saw only one direction), or the service does not accept and its "
          "queue is full."
        : "The clients' SYNs came, and the SYN-ACKs are not answered. Either they do not reach the clients (a route "
          "back that differs, a firewall that saw only one direction), or the senders were made up (a SYN "
          "flood), or the service does not accept and its queue is full.";
    evidence_number(arena, context, group, finding);
    if (spread) {
        /* The paste has hardly anything else: the host may have far more of them. */
        if (context_is_asked_about(context, group->count) && finding->severity == SEVERITY_INFO)
            finding->severity = SEVERITY_WARNING;
        evidence_share(context, group, arena, finding);
        fix_flood(context, arena, finding);
    }
    lines_add(&finding->ruled_out, arena,
        "Not a leak of the program here: it sees a connection only when the handshake is complete.");
    fix_second_snapshot(arena, context, finding);
    fix_packets(arena, context, "See whether the SYN-ACK leaves, and by which interface.", finding);
    fixes_add(&finding->fix_now, arena, "See the way back.", platform_fill(arena, platform->route, address));
    fixes_add(&finding->fix_for_good, arena,
        "Make both directions take the same firewall, and give the host a route back to the clients' network.", NULL);
    lines_add(&finding->will_not_help, arena, "More retransmissions of the SYN-ACK: the same loss, for longer.");
}

void by_state_fin_wait_2_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    finding->confidence = CONFIDENCE_LIKELY;
    finding->title = arena_printf(arena, "%s%s %s %s", phrases_conns(arena, group->count), owner_phrase(arena, finding),
        phrases_service(arena, context, group),
        group->count == 1 ? "waits in FIN_WAIT_2 for a peer that does not close"
                          : "wait in FIN_WAIT_2 for peers that do not close");
    finding->why = arena_printf(arena,
        "This side has closed, the peers' kernels have acknowledged it, but the programs there keep their ends open. "
        "%s; where it has only shut down its sending side (a half-close), %s. Which of them is not in this capture.",
        platform->fin_wait_2_life, platform->fin_wait_2_half_closed);
    lines_add(&finding->evidence, arena, "%s %s in FIN_WAIT_2 at one moment.", phrases_conns(arena, group->count),
        group->count == 1 ? "was" : "were");
    phrases_shown_ages(arena, context, group, &finding->evidence);
    if (finding->distinct_peers == 1)
        lines_add(&finding->evidence, arena, "All of them belong to one peer: one program there does not close.");
    else if (finding->distinct_peers > 1)
        lines_add(
            &finding->evidence, arena, "They have %s different peers.", phrases_count(arena, finding->distinct_peers));
    phrases_pairs(arena, context, group, &finding->evidence);
    lines_add(&finding->ruled_out, arena,
        "Not a lost FIN: the peer's kernel has acknowledged ours, that is how FIN_WAIT_2 is entered.");
    fix_second_snapshot(arena, context, finding);
    fixes_add(&finding->fix_now, arena,
        "On the peers: find the program that does not close. There the same connections are in CLOSE_WAIT.", NULL);
    fixes_add(&finding->fix_for_good, arena,
        "In the peer's program: close when recv() returns 0 (tcpwhy explain close-wait-leak).", NULL);
    lines_add(&finding->will_not_help, arena, "%s", platform->fin_wait_2_wont_help);
}
