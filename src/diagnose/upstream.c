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

#include "base/memory.h"
#include "diagnose/finding.h"
#include "diagnose/phrases.h"

enum { SILENT_MS = 5000 };

static bool is_holder(const struct snapshot *snapshot, const struct conn *conn, const struct process *process)
{
    for (uint32_t h = conn->holder; h != NO_INDEX; h = snapshot->holders[h].next) {
        if (&snapshot->processes[snapshot->holders[h].process] == process)
            return true;
    }
    return false;
}

/* Of what nobody holds yet: those who may accept it. */
static bool holds(
    const struct group *group, const struct finding *finding, const struct snapshot *snapshot, const struct conn *conn)
{
    for (uint32_t h = conn->holder; h != NO_INDEX; h = snapshot->holders[h].next) {
        const struct process *process = &snapshot->processes[snapshot->holders[h].process];
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

static bool is_blocked(const struct conn *conn)
{
    bool open = conn->state == STATE_ESTABLISHED || conn->state == STATE_CLOSE_WAIT;
    bool no_window = conn->timer == TIMER_PERSIST && (!conn_has(conn, CONN_SND_WND) || conn->snd_wnd_bytes == 0);
    return open && conn_has(conn, CONN_QUEUES | CONN_TIMER) && conn->send_q_bytes > 0 &&
        (no_window || context_is_sent_in_vain(conn));
}

static uint32_t only_holder(const struct snapshot *snapshot, const struct conn *conn)
{
    if (conn->holder == NO_INDEX || snapshot->holders[conn->holder].next != NO_INDEX)
        return NO_INDEX;
    return snapshot->holders[conn->holder].process;
}

/* One pass over all connections serves all findings. */
static const struct waiting_ends *find_ends(const struct context *context)
{
    const struct snapshot *snapshot = context->snapshot;
    struct waiting_ends *ends = context->waiting_ends;
    if (ends->is_made)
        return ends;
    ends->is_made = true;
    size_t capacity = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        bool blocked = is_blocked(conn);
        if (!blocked && !waits_for_server(context, conn))
            continue;
        if (ends->count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            ends->items = xrealloc_array(ends->items, capacity, sizeof *ends->items);
        }
        ends->items[ends->count++] = (struct waiting_end){
            .conn = (uint32_t)i,
            .process = only_holder(snapshot, conn),
            .blocked = blocked,
        };
    }
    return ends;
}

struct chain chain_find(const struct context *context, const struct group *group, const struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    struct chain chain = { 0 };
    if (finding->process_count == 0 && group->listener == NULL)
        return chain;
    const struct waiting_ends *ends = find_ends(context);
    const struct process *only = finding->process_count == 1 ? finding->processes[0].process : NULL;
    for (size_t i = 0; i < ends->count; i++) {
        const struct waiting_end *end = &ends->items[i];
        if (only != NULL && end->process != NO_INDEX && &snapshot->processes[end->process] != only)
            continue;
        const struct conn *conn = &snapshot->conns[end->conn];
        bool blocked = end->blocked, waiting = !blocked && group->incoming;
        if ((!blocked && !waiting) || !holds(group, finding, snapshot, conn))
            continue;
        chain.blocked += blocked;
        chain.waiting += waiting;
        chain.half_closed += waiting && conn->state == STATE_FIN_WAIT_2;
        if (waiting && chain.server == NULL)
            chain.server = conn;
        if (waiting &&
            !(ip_equal(&conn->remote, &chain.server->remote) && conn->remote_port == chain.server->remote_port))
            chain.several = true;
    }
    chain.waits = chain.waiting >= group->count;
    chain.blocks = chain.blocked >= group->count;
    return chain;
}

const char *chain_server(struct arena *arena, const struct chain *chain)
{
    if (chain->several)
        return "the servers behind it";
    return words_end(arena, &chain->server->remote, chain->server->remote_port);
}

void chain_word_waiting(const struct context *context, const struct group *group, const struct chain *chain,
    struct arena *arena, struct finding *finding)
{
    const char *owner = words_owner(arena, finding);
    const char *server = chain_server(arena, chain);
    const char *address = words_address(arena, &chain->server->remote);
    finding->fault = FAULT_PEER_APPLICATION;
    if (finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    finding->title = arena_printf(arena, "%s keeps %s %s that %s closed, while it waits for %s", owner,
        words_conns(arena, group->count), words_service(arena, context, group), words_peers_have(group), server);
    finding->why = arena_printf(arena,
        "It passes on what comes here, and has as many connections to %s on which %s. A proxy or a tunnel keeps its "
        "client's connection until the server has answered or has closed too, even when the client has gone: look "
        "at the server first.",
        server,
        chain->half_closed * 2 > chain->waiting ? "it has closed its side and the server has not"
                                                : "it has asked and no answer has come");
    lines_add(&finding->evidence, arena, "%s has %s on which it spoke last and nothing has come back, to %s.", owner,
        words_conns(arena, chain->waiting), server);
    fixes_add(&finding->fix_now, arena, "Look at the server: what does it do with these requests?",
        arena_printf(arena, "tcpwhy list --peer %s --sort -age", address));
    fixes_add(&finding->fix_for_good, arena,
        "In the proxy: a time limit on the server's answer that is not far longer than clients wait, and one on "
        "half-closed connections (HAProxy: timeout server, timeout client-fin, option abortonclose).",
        NULL);
}

void chain_word_workers(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct chain chain = chain_find(context, group, finding);
    unsigned workers = group->listener != NULL ? snapshot_holder_processes(context->snapshot, group->listener) : 0;
    /* One of several may be the master, who serves nobody. */
    if (chain.waiting == 0 || chain.waiting + (workers > 1) < workers)
        return;
    const char *server = chain_server(arena, &chain);
    lines_add(&finding->evidence, arena,
        "The processes that should accept have %s on which they spoke last and nothing has come back, to %s: they may be "
        "waiting for that.",
        words_conns(arena, chain.waiting), server);
    fixes_add(&finding->fix_now, arena, "Look at what it waits for: does the server behind it answer?",
        arena_printf(arena, "tcpwhy list --peer %s --sort -age", words_address(arena, &chain.server->remote)));
}
