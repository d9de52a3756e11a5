/*
 * FIN_WAIT_2: this side has closed and the peer's kernel has acknowledged it; what is missing is the peer's own FIN
 * (RFC 9293 §3.6, §3.6.1). The peer may go on sending for as long as it likes, and each of its segments makes the
 * connection young again, so that a half-close on which data flows is normal. What remains is told by the descriptor:
 *
 *   inode        a process still holds it: it called shutdown(), not close(). No timer runs, it can last for ever
 *   no inode     closed here: __tcp_close() in net/ipv4/tcp.c starts the FIN_WAIT_2 time-out, after which it is gone
 *
 * Where the other end is on this host too, it is in CLOSE_WAIT, and the process there is the finding.
 */
#include "diagnose/rule.h"

static bool data_still_comes(const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_TCP_INFO) && conn->last_data_recv_ms < limits->settle_ms;
}

bool fin_wait_2_held_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_INODE) && conn->inode != 0 && !data_still_comes(conn, limits) &&
        context_is_settled(context, conn, limits);
}

bool fin_wait_2_orphaned_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_INODE) && conn->inode == 0 && context_is_settled(context, conn, limits);
}
