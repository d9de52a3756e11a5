/*
 * LISTEN: completed connections wait in the accept queue until the process takes them. Once there are more than the
 * backlog (sk_acceptq_is_full() in include/net/sock.h), the kernel drops what comes: SYNs and last ACKs of handshakes
 * alike (tcp_conn_request(), tcp_v4_syn_recv_sock()). Whatever fills it, it is emptied by accept() alone.
 *
 * A queue may be full for a moment when many come at once. It is a finding when what waits has waited for a second, when
 * clients on this host have had to ask again, or when the listener has dropped connections between two readings; and in a
 * capture that knows no ages, where nothing but the row itself speaks.
 *
 * Where peers have given up already, close-wait-not-accepted is the one finding about that listener, and says all this.
 */
#include "diagnose/rules/listen.h"

#include "diagnose/context.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "diagnose/rules/by_count.h"

static bool drops_now(const struct context *context, const struct conn *listener)
{
    int64_t rise;
    uint64_t ms;
    if (queue_drops_since(context->snapshot, listener) > 0)
        return true;
    return snapshot_counter_rise(context->snapshot, listener->netns, COUNTER_LISTEN_OVERFLOWS, &rise, &ms) && rise > 0;
}

bool accept_queue_overflow_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    if (!listener_is_full(conn))
        return false;
    /* With SO_REUSEPORT several share a port, and cannot be told apart by what waits: one stands for all. */
    const struct queue *queue = context_queue(context, context_listener(context, conn));
    if (queue != NULL && queue->closed > 0)
        return false;
    if (queue != NULL && (queue->oldest_ms >= limits->settle_ms || queue->syns_refused > 0))
        return true;
    /* A capture that does not show for how long anything waits: the row itself proves that the queue is full. */
    if (context->snapshot->origin != NULL && (queue == NULL || queue->aged == 0))
        return true;
    return drops_now(context, conn);
}

void accept_queue_overflow_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    if (context->snapshot->counts_only)
        by_count_listen_overflows(context, rule, arena, list);
    for (size_t i = 0; context->snapshot->previous == NULL && i < context->queues.count; i++)
        list->wants_rates |= queue_is_full(&context->queues.items[i]) && context->queues.items[i].closed == 0;
}
