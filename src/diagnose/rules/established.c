/*
 * ESTABLISHED: open both ways, and healthy unless one of the queues stands still. Four things are told apart:
 *
 *   Send-Q > 0, retransmit timer   nothing answers: the peer or the path is gone (RFC 9293 §3.8.1, tcp_write_timeout())
 *   Send-Q > 0, persist timer      the peer's kernel answers, its program does not read: window 0 (§3.8.6.1)
 *   Recv-Q > 0, nothing comes      the process here does not read
 *   both 0, for hours, no timer    idle, and nothing would tell if the peer were gone: keepalive is off (§3.8.4)
 *
 * Data on its way, a slow reader whose window opens now and then and a pool that rests for minutes are normal life.
 */
#include "diagnose/rules/established.h"
#include "diagnose/delivery.h"

#include "diagnose/context.h"
#include "model/age.h"

bool established_unanswered_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    enum delivery delivery = delivery_of(context->snapshot, conn);
    return (delivery == DELIVERY_UNANSWERED || delivery == DELIVERY_REFUSED) &&
        context_is_settled(context, conn, limits);
}

/*
 * A probe carries no data and does not count as sent (tcp_xmit_probe_skb()). Without tcp_info the pause between probes has
 * to tell for how long, and tells least: half of the limit then is enough, because no pause gets that long on a window that
 * closes for a moment, and the connection may be far older. Where the window was taken back, data is what probes it, and
 * the pauses between tell for how long.
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
    /* Between two sockets of one host nobody can vanish unnoticed. */
    if (ip_is_loopback(&conn->remote) || ip_is_same(&conn->local, &conn->remote))
        return false;
    return conn_has(conn, CONN_TIMER | CONN_QUEUES | CONN_TCP_INFO) && conn->timer == TIMER_NONE &&
        conn->recv_q_bytes == 0 && conn->send_q_bytes == 0 && conn_age(context->snapshot, conn).ms >= limits->settle_ms;
}
