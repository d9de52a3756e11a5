/*
 * What keeps the process here from acting may lie one connection further on. A proxy or a tunnel keeps a connection that
 * its client has closed until the server behind it has answered or has closed too, and stops reading from a server whose
 * data a client does not take. Then the process is where it shows, and the other end of the other connection is at fault.
 *
 * A process waits for its servers when it has at least as many connections that it opened and on which it spoke last: the
 * request is out and no answer has come, or its FIN is and the server's has not (FIN_WAIT_2). It is blocked when at least
 * as many of its connections have data to send that the peer does not take.
 */
#include "diagnose/upstream.h"
#include "diagnose/delivery.h"

#include "base/memory.h"
#include "diagnose/finding.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_owners.h"
#include "model/holders.h"

enum { SILENT_MS = 5000 };

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

/* Its last word was ours. In one tick of the clock both ways may have been used: then whether anything ever came tells. */
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
            .blocked = blocked,
        };
    }
    return ends;
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
        const struct conn *conn = &snapshot->conns[end->conn];
        bool blocked = end->blocked, waiting = !blocked && group->incoming;
        if ((!blocked && !waiting) || !holds(group, finding, snapshot, conn))
            continue;
        upstream.blocked += blocked;
        upstream.waiting += waiting;
        upstream.half_closed += waiting && conn->state == STATE_FIN_WAIT_2;
        if (waiting && upstream.server == NULL)
            upstream.server = conn;
        if (waiting &&
            !(ip_equal(&conn->remote, &upstream.server->remote) && conn->remote_port == upstream.server->remote_port))
            upstream.several = true;
    }
    upstream.waits = upstream.waiting >= group->count;
    upstream.blocks = upstream.blocked >= group->count;
    return upstream;
}

const char *upstream_server(struct arena *arena, const struct upstream *upstream)
{
    if (upstream->several)
        return "the servers behind it";
    return phrases_end(arena, &upstream->server->remote, upstream->server->remote_port);
}

void upstream_describe_waiting(const struct context *context, const struct group *group,
    const struct upstream *upstream, struct arena *arena, struct finding *finding)
{
    const char *owner = phrases_owner(arena, finding);
    const char *server = upstream_server(arena, upstream);
    finding->fault = FAULT_PEER_APPLICATION;
    if (finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    finding->title = arena_printf(arena, "%s keeps %s %s that %s closed, while it waits for %s", owner,
        phrases_conns(arena, group->count), phrases_service(arena, context, group), phrases_peers_have(group), server);
    finding->why = arena_printf(arena,
        "It passes on what comes here, and has as many connections to %s on which %s. A proxy or a tunnel keeps its "
        "client's connection until the server has answered or has closed too, even when the client has gone: look "
        "at the server first.",
        server,
        upstream->half_closed * 2 > upstream->waiting ? "it has closed its side and the server has not"
                                                      : "it has asked and no answer has come");
    lines_add(&finding->evidence, arena, "%s has %s on which it spoke last and nothing has come back, to %s.", owner,
        phrases_conns(arena, upstream->waiting), server);
    fixes_add(&finding->fix_now, arena, "Look at the server: what does it do with these requests?",
        arena_printf(arena, "tcpwhy list%s --sort -age",
            phrases_select_end(arena, &upstream->server->remote, upstream->server->remote_port)));
    fixes_add(&finding->fix_for_good, arena,
        "In the proxy: a time limit on the server's answer that is not far longer than clients wait, and one on "
        "half-closed connections (HAProxy: timeout server, timeout client-fin, option abortonclose).",
        NULL);
}

void upstream_describe_workers(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct upstream upstream = upstream_find(context, group, finding);
    unsigned workers = group->listener != NULL ? holders_count_processes(context->snapshot, group->listener) : 0;
    /* One of several may be the master, who serves nobody. */
    if (upstream.waiting == 0 || upstream.waiting + (workers > 1) < workers)
        return;
    const char *server = upstream_server(arena, &upstream);
    lines_add(&finding->evidence, arena,
        "The processes that should accept have %s on which they spoke last and nothing has come back, to %s: they may be "
        "waiting for that.",
        phrases_conns(arena, upstream.waiting), server);
    fixes_add(&finding->fix_now, arena, "Look at what it waits for: does the server behind it answer?",
        arena_printf(arena, "tcpwhy list%s --sort -age",
            phrases_select_end(arena, &upstream.server->remote, upstream.server->remote_port)));
}
