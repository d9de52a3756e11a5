/*
 * LAST_ACK: the peer closed first, the process here has closed too, and our FIN waits for its acknowledgement (RFC
 * 9293 §3.3.2). The application has done its part: it is never its fault. Linux enters the state when the FIN is
 * queued, so that data may stand before it. Either nothing comes back (the retransmit timer doubles) or the peer's
 * receive window is zero (the persist timer probes): tcp_write_timeout() and tcp_probe_timer() in
 * net/ipv4/tcp_timer.c.
 */
#include "diagnose/rule.h"

enum {
    UNANSWERED_RETRANSMITS = 3, /* 0.2 + 0.4 + 0.8 s at the least: not a lost segment or two */
    DEAD_PROBES = 3,            /* a peer that is alive answers every probe, which resets the count */
};

static bool is_zero_window(const struct conn *conn)
{
    return conn->timer == TIMER_PERSIST && conn->probes < DEAD_PROBES &&
        (!conn_has(conn, CONN_SND_WND) || conn->snd_wnd_bytes == 0);
}

static bool is_unanswered(const struct conn *conn)
{
    if (conn->timer == TIMER_PERSIST)
        return conn->probes >= DEAD_PROBES;
    return conn->timer == TIMER_RETRANSMIT && conn->retransmits >= UNANSWERED_RETRANSMITS;
}

bool last_ack_zero_window_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_TIMER) && is_zero_window(conn) && context_is_settled(context, conn, limits);
}

bool last_ack_unanswered_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_TIMER) && is_unanswered(conn) && context_is_settled(context, conn, limits);
}
