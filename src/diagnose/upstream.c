/*
 * The cause of a stuck connection may be another connection of the same process, further on. A proxy or a tunnel keeps
 * a connection that its client has closed, until its server has answered or has closed too. It also stops reading from
 * a server if a client does not take the data. Then the process is not at fault: the other end of the other connection
 * is.
 *
 * A process waits for its servers if it has opened at least as many connections on which the server may owe something
 * as there are stuck ones. The server may owe something if it has not answered our FIN with its own (FIN_WAIT_2), or if
 * the process sent data last. The latter alone proves little: a program that forwards log lines always sends last,
 * because no server answers there. So other signs count too (enum upstream_sign): the server's end was seen and is
 * well; the server has answered before; more data was sent while nothing came.
 *
 * A process is blocked if at least as many of its connections have data to send that the peers do not take.
 *
 * One connection may carry the requests of many clients (ssh -L, HTTP/2, a database pool). Then a few connections
 * explain many stuck ones, but only if they are the only connections further on and certainly nothing passes on them.
 */
#include "diagnose/upstream.h"

#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/delivery.h"
#include "diagnose/finding.h"
#include "diagnose/pair.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_owners.h"
#include "model/holders.h"

enum {
    SILENT_MS = 5000,
    /* Data that is sent later than this after the handshake is not the first request. */
    FIRST_REQUEST_MS = 1000,
    /* Requests that one connection to a server may carry: SETTINGS_MAX_CONCURRENT_STREAMS, RFC 9113 section 6.5.2 */
    CLIENTS_MAX = 100,
};

static bool is_holder(const struct snapshot *snapshot, const struct conn *conn, const struct process *process)
{
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h)) {
        if (holders_process(snapshot, h) == process)
            return true;
    }
    return false;
}

/*
 * True if a process of the finding holds the connection. For a finding without holders (nobody has accepted yet): if a
 * process that has the group's listener open holds it.
 */
static bool holds(
    const struct group *group, const struct finding *finding, const struct snapshot *snapshot, const struct conn *conn)
{
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h)) {
        const struct process *process = holders_process(snapshot, h);
        if (finding->process_count == 0 && group->listener != NULL && is_holder(snapshot, group->listener, process))
            return true;
        for (size_t i = 0; i < finding->process_count; i++) {
            if (finding->processes[i].process == process)
                return true;
        }
    }
    return false;
}

/*
 * True if this side sent data last, at least SILENT_MS ago. If data was sent and received within one tick of the clock,
 * only a connection that has never received anything counts.
 */
static bool sent_last(const struct conn *conn)
{
    if (!conn_has(conn, CONN_TCP_INFO) || conn->last_data_sent_ms < SILENT_MS)
        return false;
    if (conn->last_data_sent_ms != conn->last_data_recv_ms)
        return conn->last_data_sent_ms < conn->last_data_recv_ms;
    return conn_has(conn, CONN_BYTES) && conn->bytes_received == 0 && conn->bytes_acked > 1;
}

static bool waits_for_server(const struct context *context, const struct conn *conn)
{
    bool waits = conn->state == STATE_FIN_WAIT_2 || (conn->state == STATE_ESTABLISHED && sent_last(conn));
    return waits && conn_has(conn, CONN_QUEUES) && conn->recv_q_bytes == 0 && !context_is_incoming(context, conn);
}

static bool is_blocked(const struct snapshot *snapshot, const struct conn *conn)
{
    bool open = conn->state == STATE_ESTABLISHED || conn->state == STATE_CLOSE_WAIT;
    return open && conn_has(conn, CONN_QUEUES | CONN_TIMER) && conn->send_q_bytes > 0 &&
        delivery_of(snapshot, conn) != DELIVERY_OPEN;
}

static uint32_t only_holder(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct holder *only = holders_first(snapshot, conn);
    if (only == NULL || only->next != NO_INDEX)
        return NO_INDEX;
    return only->process;
}

static enum upstream_sign sign_of(const struct context *context, const struct conn *conn, const struct conn *other)
{
    const struct snapshot *snapshot = context->snapshot;
    if (conn->state == STATE_FIN_WAIT_2)
        return UPSTREAM_PROVEN;
    if (other != NULL) {
        bool is_read = conn_has(other, CONN_QUEUES) && other->recv_q_bytes == 0;
        bool is_held_up = phrases_is_halted(snapshot_owner(snapshot, other));
        return is_read && !conn_is_unheld(other) && !is_held_up ? UPSTREAM_WELL : UPSTREAM_PROVEN;
    }
    if (!conn_has(conn, CONN_BYTES))
        return UPSTREAM_SILENT;
    if (conn->bytes_received > 0)
        return UPSTREAM_DIALOGUE;
    /* If nothing was ever received, last_data_recv is the time since the handshake: tcp_finish_connect(). */
    return conn->last_data_recv_ms > conn->last_data_sent_ms + FIRST_REQUEST_MS ? UPSTREAM_ONE_WAY : UPSTREAM_SILENT;
}

/* Finds the other end and the sign of each connection. */
static void classify_ends(const struct context *context, struct waiting_conns *ends)
{
    const struct snapshot *snapshot = context->snapshot;
    struct stuck *pairs = xcalloc(ends->count, sizeof *pairs);
    for (size_t i = 0; i < ends->count; i++)
        pairs[i] = (struct stuck){ .conn = ends->items[i].conn, .pair = NO_INDEX };
    pair_find(snapshot, pairs, ends->count);
    for (size_t i = 0; i < ends->count; i++) {
        struct waiting_conn *end = &ends->items[i];
        end->other = pairs[i].pair;
        const struct conn *other = end->other != NO_INDEX ? &snapshot->conns[end->other] : NULL;
        if (end->sign != UPSTREAM_BLOCKED)
            end->sign = (uint8_t)sign_of(context, &snapshot->conns[end->conn], other);
    }
    free(pairs);
}

/* Makes the list of connections that wait or are blocked, once for all findings. */
static const struct waiting_conns *find_ends(const struct context *context)
{
    const struct snapshot *snapshot = context->snapshot;
    struct waiting_conns *ends = context->waiting_conns;
    if (ends->is_made)
        return ends;
    ends->is_made = true;
    size_t capacity = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        bool blocked = is_blocked(snapshot, conn);
        if (!blocked && !waits_for_server(context, conn))
            continue;
        if (ends->count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            ends->items = xrealloc_array(ends->items, capacity, sizeof *ends->items);
        }
        ends->items[ends->count++] = (struct waiting_conn){
            .conn = (uint32_t)i,
            .process = only_holder(snapshot, conn),
            .sign = blocked ? UPSTREAM_BLOCKED : UPSTREAM_SILENT,
            .other = NO_INDEX,
        };
    }
    classify_ends(context, ends);
    return ends;
}

/*
 * True if the peer is a client that these processes serve, on this port or another one, so that the connection leads no
 * further. A tunnel's session may be incoming too (ssh -R), but then another process holds its listener.
 */
static bool is_client(
    const struct context *context, const struct group *group, const struct finding *finding, const struct conn *conn)
{
    const struct conn *first = &context->snapshot->conns[group->conns[0]];
    if (!context_is_incoming(context, conn))
        return false;
    const struct conn *listener = context_listener(context, conn);
    return conn->local_port == first->local_port ||
        (listener != NULL && holds(group, finding, context->snapshot, listener));
}

static void add_end(const struct context *context, const struct group *group, const struct finding *finding,
    const struct waiting_conn *end, struct upstream *upstream)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *conn = &snapshot->conns[end->conn];
    if (end->sign == UPSTREAM_BLOCKED) {
        upstream->blocked++;
        if (is_client(context, group, finding, conn))
            return;
        upstream->blocked_further++;
        upstream->stuck = upstream->stuck != NULL ? upstream->stuck : conn;
        return;
    }
    if (end->sign == UPSTREAM_WELL || end->sign == UPSTREAM_ONE_WAY) {
        upstream->passed_on++;
        return;
    }
    upstream->waiting++;
    upstream->expected += end->sign >= UPSTREAM_DIALOGUE;
    upstream->proven += end->sign == UPSTREAM_PROVEN;
    upstream->half_closed += conn->state == STATE_FIN_WAIT_2;
    if (end->sign == UPSTREAM_PROVEN && end->other != NO_INDEX && upstream->cause == NULL) {
        upstream->cause = &snapshot->conns[end->other];
        upstream->server = conn;
    }
    if (upstream->server == NULL)
        upstream->server = conn;
    if (!(ip_equal(&conn->remote, &upstream->server->remote) && conn->remote_port == upstream->server->remote_port))
        upstream->several = true;
}

/* Counts the open connections further on that are not blocked. */
static uint64_t count_open_further(
    const struct context *context, const struct group *group, const struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    uint64_t open = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        open += conn->state == STATE_ESTABLISHED && conn->holder != NO_INDEX &&
            !is_client(context, group, finding, conn) && !is_blocked(snapshot, conn) &&
            holds(group, finding, snapshot, conn);
    }
    return open;
}

/*
 * Blocked connections further on explain the group if they are as many. If they are the only connections further on, a
 * few explain it, because each may carry the requests of many clients; then the group is only a consequence.
 */
static void assess_blocked(
    const struct context *context, const struct group *group, const struct finding *finding, struct upstream *upstream)
{
    uint64_t few = upstream->blocked_further;
    if (!group->incoming || few == 0)
        return;
    bool is_only_way = few * CLIENTS_MAX >= group->count && upstream->waiting == 0 &&
        count_open_further(context, group, finding) == 0;
    upstream->blocks_all = is_only_way || few >= group->count;
    if (upstream->blocks_all)
        upstream->cause = is_only_way ? upstream->stuck : NULL;
}

/* True if the clients' FINs are unread (finding close-wait-unread). All of the group have one cause. */
static bool are_fins_unread(const struct context *context, const struct group *group)
{
    const struct conn *first = &context->snapshot->conns[group->conns[0]];
    return first->state == STATE_CLOSE_WAIT && conn_has(first, CONN_QUEUES) && first->recv_q_bytes > 0;
}

/*
 * A proxy that has fewer connections further on than clients (a pool, as PgBouncer has) does not read from a client
 * whose request must wait for one of them, so that it does not see the client's FIN. It explains the group only if the
 * server's ends were seen and do not read; otherwise it may. A program that has another way could go on, and one that
 * has read the FINs leaks.
 */
static void assess_pool(
    const struct context *context, const struct group *group, const struct finding *finding, struct upstream *upstream)
{
    uint64_t few = upstream->waiting;
    upstream->is_pool = few > 0 && few < group->count && few * CLIENTS_MAX >= group->count && group->incoming &&
        upstream->passed_on == 0 && upstream->blocked_further == 0 && are_fins_unread(context, group) &&
        count_open_further(context, group, finding) == few - upstream->half_closed;
    upstream->may_wait |= upstream->is_pool;
    upstream->waits |= upstream->is_pool && upstream->proven == few;
}

struct upstream upstream_find(const struct context *context, const struct group *group, const struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    struct upstream upstream = { 0 };
    if (finding->process_count == 0 && group->listener == NULL)
        return upstream;
    const struct waiting_conns *ends = find_ends(context);
    const struct process *only = finding->process_count == 1 ? finding->processes[0].process : NULL;
    for (size_t i = 0; i < ends->count; i++) {
        const struct waiting_conn *end = &ends->items[i];
        if (only != NULL && end->process != NO_INDEX && &snapshot->processes[end->process] != only)
            continue;
        bool is_of_use = end->sign == UPSTREAM_BLOCKED || group->incoming;
        if (is_of_use && holds(group, finding, snapshot, &snapshot->conns[end->conn]))
            add_end(context, group, finding, end, &upstream);
    }
    upstream.waits = upstream.expected >= group->count;
    upstream.may_wait = upstream.waiting >= group->count;
    upstream.blocks = upstream.blocked >= group->count;
    assess_pool(context, group, finding, &upstream);
    if (upstream.proven < group->count && !(upstream.is_pool && upstream.waits))
        upstream.cause = NULL;
    assess_blocked(context, group, finding, &upstream);
    return upstream;
}
