/*
 * FIN_WAIT_1, CLOSING, LAST_ACK: this side has sent its FIN, and the acknowledgement of it is missing (RFC 9293
 * §3.3.2). They differ in who closed first: this side, both at once, the peer. What keeps them is the same: the
 * application here has done its part and is never at fault. Linux enters the states when the FIN is queued, so that
 * data may stand before it. Either nothing comes back (the retransmit timer doubles) or the peer's receive window is
 * zero (the persist timer probes, or its kernel refuses what comes): tcp_write_timeout() and tcp_probe_timer() in net/ipv4/tcp_timer.c. Data that still
 * flows to a slow reader resets both, so that such a connection stays young and is normal.
 */
#include "diagnose/rules/sent_fin.h"
#include "diagnose/delivery.h"

#include "diagnose/context.h"

/*
 * Of a peer that has not closed yet, its own data may have been what was heard: then that it refuses what comes is not
 * certain enough to be its fault (tcp_data_queue() drops what does not fit).
 */
bool sent_fin_is_zero_window(const struct context *context, const struct conn *conn)
{
    enum delivery delivery = delivery_of(context->snapshot, conn);
    bool refused = delivery == DELIVERY_REFUSED && conn->state != STATE_FIN_WAIT_1 && conn_has(conn, CONN_QUEUES) &&
        conn->send_q_bytes > 1;
    return delivery_is_zero_window(delivery) || refused;
}

static bool is_unanswered(const struct context *context, const struct conn *conn)
{
    return delivery_of(context->snapshot, conn) != DELIVERY_OPEN && !sent_fin_is_zero_window(context, conn);
}

bool sent_fin_zero_window_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_TIMER) && sent_fin_is_zero_window(context, conn) &&
        context_is_settled(context, conn, limits);
}

bool sent_fin_unanswered_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    /* Without timers their number has to tell: limits.min_without_age. */
    return (!conn_has(conn, CONN_TIMER) || is_unanswered(context, conn)) && context_is_settled(context, conn, limits);
}

/* CLOSING is so rare that one finding takes in both; its words tell them apart. */
bool sent_fin_either_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return sent_fin_zero_window_applies(context, conn, limits) || sent_fin_unanswered_applies(context, conn, limits);
}
