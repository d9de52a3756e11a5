/*
 * CLOSE_WAIT: the peer has sent its FIN and the kernel has acknowledged it; what is missing is the close() of the
 * process here (RFC 9293 §3.6). No timer runs in this state: it lasts until the process acts. Which of five things
 * keeps it from acting is told by the queues, in which the FIN counts one byte (tcp_diag_get_info() in
 * net/ipv4/tcp_diag.c):
 *
 *   no inode                        it was never accepted: it still waits in the listener's accept queue
 *   Send-Q > 0, window 0 or unACKed it cannot close properly, it is stuck writing to a peer that does not take the data
 *   several holders                 some process closed it, another still holds the inherited descriptor
 *   Recv-Q > 0                      nobody has read the end of stream (nor the data before it)
 *   Recv-Q = 0                      the end of stream was read, and close() was not called
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
    /*
     * close() moves a socket out of CLOSE_WAIT, so that one without inode cannot be an orphan: it was never accepted.
     */
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
 * Held by several processes that have all been there for a while: one caught between fork() and exec() does not
 * count. A script that inetd started and what the script runs have the connection as their descriptors 0 to 2, all of
 * them on purpose.
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
 * Held by one process only, another program that the listening process started: what accepted it has closed it, the
 * child got the descriptor by accident. Descriptors 0 to 2 are given on purpose (inetd, CGI). One that is closed on
 * exec did not come through exec(): the child set that (sshd-session, systemd's sd_listen_fds()) or was handed it over
 * a UNIX socket (Node.js's cluster, dovecot), and knows of it.
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
    /* Where a FIN does not count in Recv-Q, an empty one does not tell that the end of the stream was read. */
    return conn_has(conn, CONN_QUEUES) && platform_of(context->snapshot)->counts_fin && !conn_is_unheld(conn) &&
        conn->recv_q_bytes == 0 && conn->send_q_bytes == 0 && context_is_settled(context, conn, limits);
}
