/*
 * CLOSE_WAIT: the peer has sent its FIN, the kernel has acknowledged it, and the process here has not called close()
 * yet (RFC 9293 §3.6). The state has no timer: it lasts until the process acts. The queues show which of five causes it
 * is. The FIN counts one byte in Recv-Q (tcp_diag_get_info() in net/ipv4/tcp_diag.c).
 *
 *   no inode                        no process has accepted the connection: it waits in the accept queue
 *   Send-Q > 0, window 0 or unACKed the process is blocked: it writes to a peer that does not take the data
 *   several holders                 one process has closed it; another still holds the descriptor that it inherited
 *   Recv-Q > 0                      the process has not read the end of stream, nor the data before it
 *   Recv-Q = 0                      the process has read the end of stream, and has not called close()
 */
#include "diagnose/rules/close_wait.h"
#include "diagnose/delivery.h"

#include <string.h>

#include "diagnose/context.h"
#include "diagnose/platform.h"
#include "model/holders.h"

bool close_wait_not_accepted_applies(
    const struct context *context, const struct conn *conn, const struct limits *limits)
{
    /* Without an inode it is no orphan, because close() moves a socket out of CLOSE_WAIT. So it was never accepted. */
    return context_is_unaccepted(context, conn) && context_is_settled(context, conn, limits);
}

bool close_wait_blocked_writer_applies(
    const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_QUEUES | CONN_TIMER) && !conn_is_unheld(conn) && conn->send_q_bytes > 0 &&
        delivery_of(context->snapshot, conn) != DELIVERY_OPEN && context_is_settled(context, conn, limits);
}

static bool ran_for(const struct process *process, uint64_t ms)
{
    return process->running_ms == 0 || process->running_ms >= ms;
}

enum { STDERR = 2 };

/*
 * True if at least two processes hold the connection that have run for the settle time. A process between fork() and
 * exec() does not count. Descriptors 0 to 2 are given on purpose: inetd gives them to a script, and the script to the
 * programs that it runs.
 */
static bool is_shared(const struct snapshot *snapshot, const struct conn *conn, uint64_t settle_ms)
{
    unsigned settled = 0;
    bool by_accident = false;
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next(snapshot, h))
        by_accident |= h->fd > STDERR;
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h))
        settled += ran_for(holders_process(snapshot, h), settle_ms);
    return settled > 1 && by_accident;
}

static bool holds(const struct snapshot *snapshot, const struct conn *conn, uint32_t pid)
{
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h)) {
        if (holders_process(snapshot, h)->pid == pid)
            return true;
    }
    return false;
}

/*
 * True if only a child of the listening process holds the connection, and runs another program: the parent has accepted
 * and closed it, and the child has inherited the descriptor by accident. Descriptors 0 to 2 are given on purpose
 * (inetd, CGI). A descriptor with FD_CLOEXEC was not inherited through exec(): the child has set the flag itself
 * (sshd-session, systemd's sd_listen_fds()), or has received the descriptor over a UNIX socket (Node.js's cluster,
 * dovecot).
 */
static bool is_left_in_child(const struct context *context, const struct conn *conn)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct process *holder = snapshot_owner(snapshot, conn);
    const struct conn *listening = context_listener(context, conn);
    if (holder == NULL || listening == NULL || holders_first(snapshot, conn)->fd <= STDERR ||
        holders_first(snapshot, conn)->close_on_exec)
        return false;
    if (!holds(snapshot, listening, holder->parent_pid) || holds(snapshot, listening, holder->pid))
        return false;
    const struct process *parent = snapshot_parent(snapshot, holder);
    return parent != NULL && parent->name != NULL && holder->name != NULL && strcmp(parent->name, holder->name) != 0;
}

bool close_wait_inherited_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    if (conn->holder == NO_INDEX || !context_is_settled(context, conn, limits))
        return false;
    return is_shared(context->snapshot, conn, limits->settle_ms) || is_left_in_child(context, conn);
}

bool close_wait_unread_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    return conn_has(conn, CONN_QUEUES) && !conn_is_unheld(conn) && conn->recv_q_bytes >= 1 &&
        context_is_settled(context, conn, limits);
}

bool close_wait_leak_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    /* If the system does not count the FIN in Recv-Q, an empty Recv-Q does not show that the end of stream was read. */
    return conn_has(conn, CONN_QUEUES) && platform_of(context->snapshot)->counts_fin && !conn_is_unheld(conn) &&
        conn->recv_q_bytes == 0 && conn->send_q_bytes == 0 && context_is_settled(context, conn, limits);
}
