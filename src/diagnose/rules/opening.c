/*
 * SYN_SENT and SYN_RECEIVED: the handshake (RFC 9293 §3.5). Either lasts for one round trip; what stays longer sends its
 * SYN or SYN-ACK again, which is what these rules go by, whatever the count.
 *
 * SYN_SENT: a closed port answers with a reset at once, so that silence means that the SYN, or its answer, was dropped:
 * by a firewall, by a host that is down, or by a listener whose accept queue is full (tcp_conn_request() in
 * net/ipv4/tcp_input.c). The last of these is the listener's finding where it is on this host.
 *
 * SYN_RECEIVED: a client that exists answers the SYN-ACK. Many who do not, up to the listener's backlog, with the kernel
 * answering further SYNs by cookies (inet_csk_reqsk_queue_is_full(), tcp_syn_flood_action()) is a flood of made-up
 * senders; a few are clients that the answer does not reach. Both can also be the last ACK dropped at a full accept
 * queue (tcp_v4_syn_recv_sock()): again the listener's finding.
 */
#include "diagnose/rules/opening.h"

#include "diagnose/context.h"
#include "diagnose/limits.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"

enum {
    SYN_RETRANSMITS = 2,    /* 2 s at the least: not one lost segment */
    SYNACK_RETRANSMITS = 3, /* 7 s where the client is silent; 2 s where it repeats its SYN, which counts too */
};

bool syn_sent_unanswered_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    /* Without timers their number has to tell: limits.min_without_age. */
    return (!conn_has(conn, CONN_TIMER) || conn->retransmits >= SYN_RETRANSMITS) &&
        context_is_settled(context, conn, limits);
}

bool syn_recv_flood_rise(const struct context *context, uint32_t netns, int64_t *ret_rise, uint64_t *ret_ms)
{
    /* With cookies on, and with cookies off: the requests that found the queue full. */
    int64_t cookies = 0, drops = 0;
    bool known = snapshot_counter_rise(context->snapshot, netns, COUNTER_REQ_Q_FULL_DO_COOKIES, &cookies, ret_ms);
    known |= snapshot_counter_rise(context->snapshot, netns, COUNTER_REQ_Q_FULL_DROP, &drops, ret_ms);
    *ret_rise = cookies + drops;
    return known;
}

/*
 * Whether requests have found a queue full in this namespace since it was made. It may not have been this queue, and not
 * today; but between two waves in which the kernel drops old requests, a flooded queue is no more than three quarters full.
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

/* As good as full, and not because the program does not accept: then the listener's own finding is made. */
static bool is_filled(const struct context *context, const struct queue *queue, const struct limits *limits)
{
    if (queue->half_open < limits->min_count || queue_is_stalled(queue))
        return false;
    bool spread = queue->half_open_peers * 2 > queue->half_open;
    return queue_is_near_backlog(queue) ||
        (spread && queue->half_open_repeated > 0 && queue_is_half_full(queue) && was_full(context, queue));
}

/* Requests that found the queue full were answered with cookies, and few of these came back: nobody was there. */
static bool are_cookies_lost(const struct context *context, uint32_t netns)
{
    int64_t sent = 0, returned = 0;
    uint64_t ms;
    return snapshot_counter_rise(context->snapshot, netns, COUNTER_REQ_Q_FULL_DO_COOKIES, &sent, &ms) && sent > 0 &&
        snapshot_counter_rise(context->snapshot, netns, COUNTER_SYNCOOKIES_RECV, &returned, &ms) &&
        returned * 2 <= sent;
}

/*
 * Clients that are there answer within a round trip, however many they are. How many have been asked twice only tells how
 * old the flood is: the kernel drops the old ones sooner while the queue is more than half full (reqsk_timer_handler()), and
 * half of a steady flood is young. So a good part of them is enough where they come from everywhere; where they come from
 * few addresses, which may be clients whom the answers do not reach, most have to.
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

/* Whether requests are being turned away now, two readings of the counters tell. */
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
