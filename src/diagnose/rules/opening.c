/*
 * SYN_SENT and SYN_RECEIVED: the handshake (RFC 9293 §3.5). Each state normally lasts one round trip. If it lasts
 * longer, the kernel repeats the SYN or SYN-ACK; the rules use this, independent of the number of connections.
 *
 * SYN_SENT: a closed port answers with a reset at once. So silence means that the SYN, or the answer, was dropped: by a
 * firewall, because the host is down, or by a listener whose accept queue is full (tcp_conn_request() in
 * net/ipv4/tcp_input.c). If that listener is on this host, the finding is about the listener.
 *
 * SYN_RECEIVED: an existing client answers the SYN-ACK. If many clients do not, up to the backlog of the listener, and
 * the kernel answers further SYNs with cookies (inet_csk_reqsk_queue_is_full(), tcp_syn_flood_action()), it is a flood
 * from invented addresses. If a few do not, the SYN-ACK does not reach them. In both cases the last ACK may also have
 * been dropped at a full accept queue (tcp_v4_syn_recv_sock()); then the finding is about the listener.
 */
#include "diagnose/rules/opening.h"

#include <string.h>

#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/limits.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_lost.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "diagnose/rules/handshake_ends.h"
#include "diagnose/rules/state_only.h"

enum {
    SYN_RETRANSMITS = 2,    /* after at least 2 s: more than one lost segment */
    SYNACK_RETRANSMITS = 3, /* after 7 s; after 2 s if the client repeats its SYN, because then each answer counts */
};

bool syn_sent_unanswered_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    /* Without timers, the number of connections decides: limits.min_without_age. */
    return (!conn_has(conn, CONN_TIMER) || conn->retransmits >= SYN_RETRANSMITS) &&
        context_is_settled(context, conn, limits);
}

/* How many requests found the queue full since the previous reading. Returns false if that is not known. */
static bool flood_rise(const struct context *context, uint32_t netns, int64_t *ret_rise, uint64_t *ret_ms)
{
    /* The kernel counts these requests in one counter if cookies are on, and in the other if cookies are off. */
    int64_t cookies = 0, drops = 0;
    bool known = snapshot_counter_rise(context->snapshot, netns, COUNTER_REQ_Q_FULL_DO_COOKIES, &cookies, ret_ms);
    known |= snapshot_counter_rise(context->snapshot, netns, COUNTER_REQ_Q_FULL_DROP, &drops, ret_ms);
    *ret_rise = cookies + drops;
    return known;
}

/*
 * True if requests have ever found a queue full in this namespace. It may have been another queue, or long ago. It is
 * used because the kernel drops old requests in waves, and between these a flooded queue is at most three quarters
 * full.
 */
static bool was_full(const struct context *context, const struct queue *queue)
{
    const struct net_values *values = snapshot_net_values(context->snapshot, queue->listener);
    static const enum counter full[] = { COUNTER_REQ_Q_FULL_DO_COOKIES, COUNTER_REQ_Q_FULL_DROP };
    for (size_t i = 0; values != NULL && i < sizeof full / sizeof *full; i++) {
        if (values->has_counter[full[i]] && values->counters[full[i]] > 0)
            return true;
    }
    return false;
}

/* True if the queue is nearly full. False if the program does not accept: then the listener has its own finding. */
static bool is_filled(const struct context *context, const struct queue *queue, const struct limits *limits)
{
    if (queue->half_open < limits->min_count || queue_is_stalled(queue))
        return false;
    bool spread = queue->half_open_peers * 2 > queue->half_open;
    return queue_is_near_backlog(queue) ||
        (spread && queue->half_open_repeated > 0 && queue_is_half_full(queue) && was_full(context, queue));
}

/* True if the kernel has answered requests with cookies and at most half of these came back: no clients exist there. */
static bool are_cookies_lost(const struct context *context, uint32_t netns)
{
    int64_t sent = 0, returned = 0;
    uint64_t ms;
    return snapshot_counter_rise(context->snapshot, netns, COUNTER_REQ_Q_FULL_DO_COOKIES, &sent, &ms) && sent > 0 &&
        snapshot_counter_rise(context->snapshot, netns, COUNTER_SYNCOOKIES_RECV, &returned, &ms) &&
        returned * 2 <= sent;
}

/*
 * True if the queue is filled by a flood. Existing clients answer within a round trip, however many they are. The share
 * of half-open connections with a repeated SYN-ACK depends on the age of the flood: the kernel drops old ones sooner
 * while the queue is more than half full (reqsk_timer_handler()), and half of a steady flood is young. So an eighth of
 * them is enough if they come from many addresses. If they come from few addresses, these may be clients that the
 * SYN-ACK does not reach; then it must be more than half of them, or most cookies are lost (are_cookies_lost()).
 */
static bool is_flooded(const struct context *context, const struct queue *queue, const struct limits *limits)
{
    enum { SILENT_PART = 8 };
    if (!is_filled(context, queue, limits))
        return false;
    bool spread = queue->half_open_peers * 2 > queue->half_open;
    if (queue->half_open_timed == 0) /* a capture: how old they are is not known */
        return spread;
    if (queue->half_open_repeated * 2 > queue->half_open)
        return true;
    return (spread && queue->half_open_repeated * SILENT_PART >= queue->half_open) ||
        are_cookies_lost(context, queue->listener->netns);
}

bool syn_recv_flood_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    const struct queue *queue = context_queue(context, context_listener(context, conn));
    return queue != NULL && is_flooded(context, queue, limits);
}

/* Adds no finding: asks for a second reading of the counters, which shows whether requests are being dropped now. */
void syn_recv_flood_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    (void)arena;
    for (size_t i = 0; context->snapshot->previous == NULL && i < context->queues.count; i++)
        list->wants_rates |= is_filled(context, &context->queues.items[i],
            context_limits(context, context_service(context, context->queues.items[i].listener), rule));
}

bool syn_recv_unanswered_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return (!conn_has(conn, CONN_TIMER) || conn->retransmits >= SYNACK_RETRANSMITS) &&
        context_is_settled(context, conn, limits);
}

/* --- descriptions: shared parts ----------------------------------------------------------------------------------- */

static void evidence_retransmits(
    struct arena *arena, const struct group *group, const char *what, struct finding *finding)
{
    if (group->retransmits_min == group->retransmits_max)
        lines_add(&finding->evidence, arena, "The %s was sent again %u time%s without an answer.", what,
            group->retransmits_max, group->retransmits_max == 1 ? "" : "s");
    else
        lines_add(&finding->evidence, arena, "The %ss were sent again %u to %u times without an answer.", what,
            group->retransmits_min, group->retransmits_max);
}

static void evidence_give_up(struct arena *arena, const struct finding *finding, struct lines *evidence)
{
    if (!finding->give_up_known)
        return;
    const char *first = phrases_duration(arena, finding->first_give_up_ms);
    const char *last = phrases_duration(arena, finding->last_give_up_ms);
    if (strcmp(first, last) == 0)
        lines_add(evidence, arena, "Without an answer the kernel gives up in about %s.", last);
    else
        lines_add(evidence, arena, "Without an answer the kernel gives them up in about %s to %s.", first, last);
}

/* --- SYN_SENT ------------------------------------------------------------------------------------------------- */

/* Counts the open connections of this host to the same destination: they show that it can be reached. */
static uint64_t count_open(const struct snapshot *snapshot, const struct group *group, bool any_address)
{
    bool any_port = group->distinct_ports > 1;
    const struct conn *first = &snapshot->conns[group->conns[0]];
    uint64_t open = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        open += conn->state == STATE_ESTABLISHED && conn->netns == first->netns &&
            (any_port || conn->remote_port == first->remote_port) &&
            (any_address || ip_equal(&conn->remote, &first->remote));
    }
    return open;
}

/* True for many addresses with one or two attempts each, as a crawler or a scanner makes: many hosts never answer. */
static bool is_scattered(const struct finding *finding)
{
    enum { MANY = 8 };
    return finding->distinct_peers > MANY && finding->count < finding->distinct_peers * 3;
}

static void syn_sent_fixes(
    struct arena *arena, const struct group *group, const struct conn *first, bool is_seen, struct finding *finding)
{
    const char *address = phrases_address(arena, &first->remote);
    const char *peer = finding->distinct_peers == 1 ? address : "one of the peers";
    bool many_ports = group->distinct_ports > 1;
    const char *port = many_ports ? "" : arena_printf(arena, " port %u", first->remote_port);
    fixes_add(&finding->fix_now, arena, "See whether the SYN leaves this host, and whether anything comes back.",
        arena_printf(arena, "tcpdump -ni any 'host %s and tcp%s or icmp or icmp6'", address, port));
    fixes_add(&finding->fix_now, arena,
        "See which way it takes, and what this host's own firewall does with it. nft shows neither rules of "
        "iptables-legacy nor eBPF programs (Cilium) nor a cloud's security groups.",
        arena_printf(arena, "ip route get %s; nft list ruleset", address));
    if (!is_seen)
        fixes_add(&finding->fix_now, arena,
            arena_printf(arena, "On %s, if you can: is it up, does it listen on%s, is that listener's queue full?",
                peer, many_ports ? " these ports" : port),
            NULL);
    fixes_add(&finding->fix_for_good, arena,
        "Give connect() a time limit of a few seconds, try another server after it, and do not start more attempts "
        "while none gets through.",
        NULL);
    fixes_add(&finding->fix_for_good, arena,
        "Let firewalls on your own network reject (reset, ICMP) instead of dropping: then a wrong rule fails at once.",
        NULL);
    lines_add(&finding->will_not_help, arena, "More tcp_syn_retries: the same silence, for longer.");
    lines_add(&finding->will_not_help, arena,
        "tcp_fin_timeout, tcp_tw_reuse, more ephemeral ports: without a free port connect() fails at once and no "
        "SYN is sent.");
}

void syn_sent_unanswered_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct handshake_ends ends = handshake_ends_of(context, group, arena);
    if (!group->timers_known) {
        by_state_syn_sent_describe(context, group, arena, finding);
        handshake_ends_describe(context, group, &ends, arena, finding);
        return;
    }
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *first = &snapshot->conns[group->conns[0]];
    bool one_peer = finding->distinct_peers == 1;
    uint64_t open = count_open(snapshot, group, !one_peer);
    const char *destination = phrases_service(arena, context, group);

    finding->title = arena_printf(arena, "%s cannot connect %s: nobody answers %s", phrases_owner(arena, finding),
        destination,
        group->count == 1 ? "its SYN" : arena_printf(arena, "the SYNs of %s", phrases_conns(arena, group->count)));
    finding->why = arena_printf(arena,
        "A SYN was sent, again and again, and neither an acceptance nor a refusal came back: it is dropped on the "
        "way there, or the answer on the way back. That is %s%s.",
        lost_is_local(context, group) ? "a packet filter on this host: both addresses belong to it"
                                      : "a firewall that drops, a host that is down, a wrong address or route",
        open > 0
            ? ", or a server there that does not keep up: its accept queue is full, and its kernel drops what comes"
            : "");
    evidence_retransmits(arena, group, "SYN", finding);
    if (group->ages_known)
        lines_add(
            &finding->evidence, arena, "In SYN_SENT %s (counted from the first SYN).", phrases_ages(arena, group));
    if (open > 0)
        lines_add(&finding->evidence, arena, "%s %s of this host %s established: some get through.",
            phrases_conns(arena, open), destination, open == 1 ? "is" : "are");
    else
        lines_add(&finding->evidence, arena, "Not one connection of this host %s is established.", destination);
    if (finding->distinct_peers > 1)
        lines_add(&finding->evidence, arena, "They go to %s different addresses.",
            phrases_count(arena, finding->distinct_peers));
    evidence_give_up(arena, finding, &finding->evidence);
    phrases_pairs(arena, context, group, &finding->evidence);

    handshake_ends_describe(context, group, &ends, arena, finding);
    if (ends.unlistened == 0)
        lines_add(&finding->ruled_out, arena,
            "Not a port on which nobody listens, if that host refuses: a reset would have come at once. Windows with "
            "its firewall on does not refuse (stealth mode).");
    lines_add(
        &finding->ruled_out, arena, "Not a lack of local ports: then no SYN is sent, and connect() fails at once.");
    if (is_scattered(finding) && ends.example == NULL) {
        finding->severity = SEVERITY_INFO;
        lines_add(&finding->ruled_out, arena,
            "Not one destination that is down: there are nearly as many destinations as attempts, as a crawler or a "
            "scanner has them. Worth a look only if they should all answer: then it is this host's own uplink or "
            "firewall.");
    }
    syn_sent_fixes(arena, group, first, ends.example != NULL, finding);
}

/* --- SYN_RECEIVED: a flood ------------------------------------------------------------------------------------ */

/* If this part of the half-open connections (a sixteenth) came within the last second, the flood goes on. */
enum { YOUNG_PART = 16 };

static void flood_evidence_counters(const struct context *context, const struct group *group, const struct queue *queue,
    struct arena *arena, struct finding *finding)
{
    const struct conn *first = &context->snapshot->conns[group->conns[0]];
    int64_t rise, answered = 0;
    uint64_t ms;
    if (!flood_rise(context, first->netns, &rise, &ms)) {
        finding->confidence = CONFIDENCE_LIKELY;
        lines_add(&finding->evidence, arena,
            "Whether further requests find the queue full now could not be told: that takes two readings of the "
            "counters.");
        return;
    }
    bool cookies = setting_value(snapshot_net_values(context->snapshot, first), SETTING_SYNCOOKIES, 1) != 0;
    if (rise == 0) {
        /* Connections without a repeated SYN-ACK came in the last second: new ones take the places of dropped ones. */
        bool goes_on = (queue->half_open - queue->half_open_repeated) * YOUNG_PART >= queue->half_open;
        finding->confidence = goes_on ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
        finding->severity = goes_on ? finding->severity : SEVERITY_INFO;
        lines_add(&finding->evidence, arena, "No further request found the queue full during the last %s%s.",
            phrases_duration(arena, ms),
            goes_on ? "; but new ones take the places of those that the kernel drops" : "");
        return;
    }
    finding->confidence = CONFIDENCE_CERTAIN;
    lines_add(&finding->evidence, arena, "%s further requests found the queue full within %s: %s.",
        phrases_count(arena, (uint64_t)rise), phrases_duration(arena, ms),
        cookies ? "the kernel answers them with SYN cookies (TCPReqQFullDoCookies)"
                : "they were dropped, because SYN cookies are off (TCPReqQFullDrop)");
    if (!cookies)
        finding->severity = SEVERITY_CRITICAL;
    if (snapshot_counter_rise(context->snapshot, first->netns, COUNTER_SYNCOOKIES_RECV, &answered, &ms) &&
        answered > 0) {
        lines_add(&finding->evidence, arena,
            "%s cookies came back valid in that time: real clients are among them, and get through.",
            phrases_count(arena, (uint64_t)answered));
        if (answered * 2 > rise)
            finding->confidence = CONFIDENCE_POSSIBLE; /* real clients: the backlog is too small, it is no flood */
    }
}

void syn_recv_flood_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct conn *first = &context->snapshot->conns[group->conns[0]];
    const struct conn *listener = context_listener(context, first);
    const struct queue *queue = context_queue(context, listener);
    uint32_t backlog = listener->send_q_bytes;
    const struct net_values *values = snapshot_net_values(context->snapshot, first);

    bool spread = finding->distinct_peers * 2 > group->count;
    finding->title = arena_printf(arena, "%s half-open connections %s fill the request queue of %s: a SYN flood",
        phrases_count(arena, group->count), phrases_service(arena, context, group),
        phrases_process(arena, finding->owner));
    finding
        ->why = "Many ask for a connection and never answer the acceptance, as senders with made-up addresses do. The "
                "requests fill the listener's queue until each times out. The program here is not involved: it "
                "sees a connection only when the handshake is complete.";
    lines_add(&finding->evidence, arena, "%s half-open connections at a backlog of %s: %s.",
        phrases_count(arena, queue->half_open), phrases_count(arena, backlog),
        queue_is_near_backlog(queue) ? "no further ones are kept"
                                     : "it has been full, and the kernel drops the old ones in waves");
    if (queue->half_open_timed > 0)
        lines_add(&finding->evidence, arena,
            "%s of them have not answered the first SYN-ACK within a second; the others are younger than that.",
            phrases_count(arena, queue->half_open_repeated));
    else
        lines_add(&finding->evidence, arena, "How old they are is not known from this source.");
    lines_add(&finding->evidence, arena, "They came from %s address%s%s.",
        phrases_count(arena, finding->distinct_peers), finding->distinct_peers == 1 ? "" : "es",
        spread ? ": nearly as many as connections, as made-up senders have them"
               : "; real clients there whom the SYN-ACKs do not reach (a broken way back) would look the same");
    flood_evidence_counters(context, group, queue, arena, finding);
    evidence_give_up(arena, finding, &finding->evidence);
    if (!spread && finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    if (queue->half_open_timed == 0)
        finding->confidence = CONFIDENCE_POSSIBLE;

    lines_add(&finding->ruled_out, arena, "Not a program that does not accept: its accept queue holds %s of %s.",
        phrases_count(arena, listener->recv_q_bytes), phrases_count(arena, (uint64_t)backlog + 1));
    if (queue->half_open_repeated > 0)
        lines_add(&finding->ruled_out, arena,
            "Not a busy moment: clients that are there answer within a round trip, and need no second SYN-ACK.");

    if (setting_value(values, SETTING_SYNCOOKIES, 1) == 0)
        fixes_add(&finding->fix_now, arena, "Switch SYN cookies on: real clients get through while the queue is full.",
            "sysctl -w net.ipv4.tcp_syncookies=1");
    else
        fixes_add(&finding->fix_now, arena,
            "Usually nothing: with SYN cookies real clients get through; watch the load of the line and the CPU.",
            NULL);
    fixes_add(&finding->fix_now, arena, "See where they come from.",
        arena_printf(arena, "tcpwhy count --state syn-received --port %u --by peer-net", first->local_port));
    fixes_add(&finding->fix_for_good, arena,
        "Filter made-up senders before they reach this host (the provider, a load balancer, nftables synproxy).", NULL);
    fixes_add(&finding->fix_for_good, arena,
        "If they are real clients behind a slow line: a larger listen() backlog, and net.core.somaxconn with it.",
        NULL);
    lines_add(
        &finding->will_not_help, arena, "Restarting the program: the requests come again, and real clients suffer.");
    lines_add(&finding->will_not_help, arena,
        "tcp_max_syn_backlog while SYN cookies are on: the listener's backlog is the limit then.");
    lines_add(&finding->will_not_help, arena, "Blocking single addresses: a flood makes up its senders.");
}

/* --- SYN_RECEIVED: the answer does not arrive ----------------------------------------------------------------- */

/*
 * If the accept queue was full, the listener has dropped last ACKs of handshakes. A client repeats its ACK only when
 * the SYN-ACK arrives again. So half-open connections may be left from that time, although their clients have answered.
 */
static void assess_listener(
    struct arena *arena, const struct snapshot *snapshot, const struct group *group, struct finding *finding)
{
    const struct conn *listener = group->listener;
    if (listener == NULL)
        return;
    bool by_both;
    uint64_t drops = queue_drops(snapshot, listener, &by_both), again = 0;
    for (size_t i = 0; i < group->count; i++)
        again += snapshot->conns[group->conns[i]].retransmits;
    bool half_full = conn_has(listener, CONN_QUEUES | CONN_BACKLOG) &&
        listener->recv_q_bytes * 2ULL >= listener->send_q_bytes;
    /* A SYN that the client repeats counts in the listener's own counter too: tcp_v4_rcv(), discard_and_relse. */
    if (drops > 0 && (by_both || half_full || drops > again)) {
        if (half_full) /* that is the more likely cause; it has its own finding if it lasts */
            finding->severity = SEVERITY_INFO;
        finding->confidence = CONFIDENCE_POSSIBLE;
        lines_add(&finding->evidence, arena,
            "The listener has dropped up to %s connection attempts since it was opened, as it does while its accept "
            "queue is full: if that was a moment ago, the clients have answered, and their answer was dropped here.",
            phrases_count(arena, drops));
    } else if (conn_has(listener, CONN_QUEUES | CONN_BACKLOG)) {
        lines_add(&finding->ruled_out, arena, "Not a program that does not accept: its accept queue holds %s of %s.",
            phrases_count(arena, listener->recv_q_bytes), phrases_count(arena, (uint64_t)listener->send_q_bytes + 1));
    }
}

/* Rules out a flood if the half-open connections are not near the backlog, or come from few addresses. */
static void assess_flood(
    const struct context *context, const struct conn *listener, struct arena *arena, struct finding *finding)
{
    enum { MANY = 8 };
    const struct queue *queue = context_queue(context, listener);
    bool spread = finding->distinct_peers >= MANY && finding->distinct_peers * 2 > finding->count;
    if (queue != NULL && conn_has(listener, CONN_QUEUES | CONN_BACKLOG) && !queue_is_near_backlog(queue))
        lines_add(&finding->ruled_out, arena,
            "Not a flood that shuts others out: %s half-open connections do not fill a request queue of %s.",
            phrases_count(arena, queue->half_open), phrases_count(arena, listener->send_q_bytes));
    else if (!spread)
        lines_add(&finding->ruled_out, arena, "Not a flood of made-up senders: they come from %s address%s only.",
            phrases_count(arena, finding->distinct_peers), finding->distinct_peers == 1 ? "" : "es");
    else
        lines_add(&finding->evidence, arena,
            "A SYN flood looks like this: nearly every one has an address of its own. How many the listener's request "
            "queue holds is not known here, so that it is not ruled out.");
}

void syn_recv_unanswered_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct handshake_ends ends = handshake_ends_of(context, group, arena);
    if (!group->timers_known) {
        by_state_syn_received_describe(context, group, arena, finding);
        handshake_ends_describe(context, group, &ends, arena, finding);
        return;
    }
    const char *service = phrases_service(arena, context, group);
    const struct conn *listener = group->listener;
    finding->title = arena_printf(arena, "%s %s stay half-open: the clients do not answer the SYN-ACK",
        phrases_conns(arena, group->count), service);
    finding
        ->why = "The SYN has arrived, the acceptance was sent and sent again, and the last step of the handshake does "
                "not come: the SYN-ACK is lost on its way to the client (a route back that differs, a firewall "
                "that saw only one direction), the client's own firewall drops it, or the sender's address was "
                "made up.";
    evidence_retransmits(arena, group, "SYN-ACK", finding);
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "In SYN_RECEIVED %s.", phrases_ages(arena, group));
    if (finding->distinct_peers == 1)
        lines_add(&finding->evidence, arena, "All from one address: that host, or the way back to it.");
    else if (finding->distinct_peers > 1)
        lines_add(
            &finding->evidence, arena, "They came from %s addresses.", phrases_count(arena, finding->distinct_peers));
    if (ends.synack_lost < group->count) /* else the clients have not answered */
        assess_listener(arena, context->snapshot, group, finding);
    evidence_give_up(arena, finding, &finding->evidence);
    phrases_pairs(arena, context, group, &finding->evidence);
    handshake_ends_describe(context, group, &ends, arena, finding);
    if (ends.synack_lost + ends.ack_lost < group->count)
        assess_flood(context, listener, arena, finding);

    const char *address = phrases_address(arena, &finding->peers[0].address);
    fixes_add(&finding->fix_now, arena, "See whether the SYN-ACK leaves, and by which interface.",
        arena_printf(arena, "tcpdump -ni any 'host %s and tcp'", address));
    fixes_add(&finding->fix_now, arena,
        "See the way back from the service's address, and what filters it. nft does not show the rules of "
        "iptables-legacy, of eBPF (Cilium) and of a cloud's security groups.",
        arena_printf(arena, "ip route get %s from %s; nft list ruleset", address,
            phrases_address(arena, &context->snapshot->conns[group->conns[0]].local)));
    fixes_add(&finding->fix_for_good, arena,
        "Make both directions take the same firewall (or let it not track this traffic), and give this host a "
        "route back to the clients' network.",
        NULL);
    lines_add(&finding->will_not_help, arena, "More tcp_synack_retries: the same loss, for longer.");
    lines_add(&finding->will_not_help, arena, "A larger backlog or a restart: the program is not involved yet.");
}
