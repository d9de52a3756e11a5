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
#include "diagnose/rules/fin_wait_2.h"

#include "diagnose/context.h"
#include "diagnose/platform.h"

static bool data_still_comes(const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_TCP_INFO) && conn->last_data_recv_ms < limits->settle_ms;
}

/* Whether somebody has it open is told by the inode, or, where that is not shown, by who is named as its owner. */
static bool is_held(const struct context *context, const struct conn *conn)
{
    if (conn_has(conn, CONN_INODE))
        return conn->inode != 0;
    return conn->holder != NO_INDEX && platform_of(context->snapshot)->owner_has_it_open;
}

bool fin_wait_2_held_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return is_held(context, conn) && !data_still_comes(conn, limits) && context_is_settled(context, conn, limits);
}

/* Where it is not known whether somebody has it open, the words say so. */
bool fin_wait_2_orphaned_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return !is_held(context, conn) && context_is_settled(context, conn, limits);
}
