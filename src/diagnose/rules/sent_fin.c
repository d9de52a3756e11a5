/*
 * FIN_WAIT_1, CLOSING, LAST_ACK: this side has sent its FIN, and the acknowledgement of it is missing (RFC 9293
 * §3.3.2). They differ in who closed first: this side, both at once, the peer. What keeps them is the same: the
 * application here has done its part and is never at fault. Linux enters the states when the FIN is queued, so that
 * data may stand before it. Either nothing comes back (the retransmit timer doubles) or the peer's receive window is
 * zero (the persist timer probes, or its kernel refuses what comes): tcp_write_timeout() and tcp_probe_timer() in net/ipv4/tcp_timer.c. Data that still
 * flows to a slow reader resets both, so that such a connection stays young and is normal.
 */
#include "diagnose/rules/sent_fin.h"

#include "diagnose/context.h"

enum { DEAD_PROBES = 2 }; /* a peer that is alive answers every window probe, which resets the count */

/*
 * The peer's kernel answers and does not take the data: what it offered of a window does not hold what comes
 * (tcp_data_queue() drops it). Of a peer that has not closed yet, its own data may have been what was heard.
 */
static bool is_refused(const struct context *context, const struct conn *conn)
{
    return conn->state != STATE_FIN_WAIT_1 && context_is_retransmitting(conn) && conn_has(conn, CONN_QUEUES) &&
        conn->send_q_bytes > 1 && context_peer_is_alive(context, conn);
}

bool sent_fin_is_zero_window(const struct context *context, const struct conn *conn)
{
    if (conn->timer == TIMER_PERSIST)
        return conn->probes < DEAD_PROBES && (!conn_has(conn, CONN_SND_WND) || conn->snd_wnd_bytes == 0);
    return is_refused(context, conn);
}

static bool is_unanswered(const struct context *context, const struct conn *conn)
{
    if (conn->timer == TIMER_PERSIST)
        return conn->probes >= DEAD_PROBES;
    return context_is_retransmitting(conn) && !is_refused(context, conn);
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
