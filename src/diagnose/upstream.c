/*
 * What keeps the process here from acting may lie one connection further on. A proxy or a tunnel keeps a connection
 * that its client has closed until the server behind it has answered or has closed too, and stops reading from a server
 * whose data a client does not take. Then the process is where it shows, and the other end of the other connection is
 * at fault.
 *
 * A process waits for its servers when it has at least as many connections that it opened and on which something is
 * owed: its FIN is out and the server's has not come (FIN_WAIT_2), or it spoke last. The latter says little by itself:
 * a relay of log lines speaks last on every connection, for nobody ever answers there. So it counts by what else is
 * known: whether the server's end was seen, and is well; whether the server has answered before; whether more was sent
 * while nothing came. It is blocked when at least as many of its connections have data to send that the peer does not
 * take.
 *
 * One connection may also carry what many clients want (ssh -L, HTTP/2, a pool in front of a database). Then it
 * explains all of them only where it is the only way on, and it is plain that nothing passes there.
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
    /* Later than this after the connection was made, what is sent is not the first request. */
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

/* Of what nobody holds yet: those who may accept it. */
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
 * Its last word was ours. In one tick of the clock both ways may have been used: then whether anything ever came tells.
 */
static bool spoke_last(const struct conn *conn)
{
    if (!conn_has(conn, CONN_TCP_INFO) || conn->last_data_sent_ms < SILENT_MS)
        return false;
    if (conn->last_data_sent_ms != conn->last_data_recv_ms)
        return conn->last_data_sent_ms < conn->last_data_recv_ms;
    return conn_has(conn, CONN_BYTES) && conn->bytes_received == 0 && conn->bytes_acked > 1;
}

static bool waits_for_server(const struct context *context, const struct conn *conn)
{
    bool waits = conn->state == STATE_FIN_WAIT_2 || (conn->state == STATE_ESTABLISHED && spoke_last(conn));
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
    /*
     * Of a connection on which nothing came, the time since the last data is that since it was made:
     * tcp_finish_connect().
     */
    return conn->last_data_recv_ms > conn->last_data_sent_ms + FIRST_REQUEST_MS ? UPSTREAM_ONE_WAY : UPSTREAM_SILENT;
}

/* Finds the other ends of all, and what they say. */
static void judge_ends(const struct context *context, struct waiting_conns *ends)
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

/* One pass over all connections serves all findings. */
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
    judge_ends(context, ends);
    return ends;
}

/*
 * One of the clients that the processes serve, on this port or on another, who is no way on. The session of a tunnel
 * came in too (ssh -R), but through a listener that another process holds.
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

/* Whether the processes have another way on, where something may pass: an open connection that is none of these. */
static bool has_another_way(const struct context *context, const struct group *group, const struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    uint64_t open = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        open += conn->state == STATE_ESTABLISHED && conn->holder != NO_INDEX &&
            !is_client(context, group, finding, conn) && !is_blocked(snapshot, conn) &&
            holds(group, finding, snapshot, conn);
    }
    return open > 0;
}

/*
 * As many stuck ones as the group has explain it well enough to say so. Where there is no other way on, a few carry
 * what many clients want: then this is the cause, and what is found here only follows.
 */
static void judge_blocked(
    const struct context *context, const struct group *group, const struct finding *finding, struct upstream *upstream)
{
    uint64_t few = upstream->blocked_further;
    if (!group->incoming || few == 0)
        return;
    bool is_only_way = few * CLIENTS_MAX >= group->count && upstream->waiting == 0 &&
        !has_another_way(context, group, finding);
    upstream->blocks_all = is_only_way || few >= group->count;
    if (upstream->blocks_all)
        upstream->cause = is_only_way ? upstream->stuck : NULL;
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
    if (upstream.proven < group->count)
        upstream.cause = NULL;
    judge_blocked(context, group, finding, &upstream);
    return upstream;
}
