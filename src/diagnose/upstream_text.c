#include "diagnose/upstream_text.h"

#include "diagnose/delivery.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_owners.h"
#include "model/age.h"
#include "model/holders.h"

const char *upstream_server(struct arena *arena, const struct upstream *upstream)
{
    if (upstream->several)
        return "the servers behind it";
    return phrases_end(arena, &upstream->server->remote, upstream->server->remote_port);
}

/* Sets the connection that is the cause, and the sentence for the finding about it: consequences_fold(). */
static void set_cause(const struct context *context, const struct group *group, const struct upstream *upstream,
    struct arena *arena, struct finding *finding)
{
    finding->cause = upstream->cause;
    finding->cited = arena_printf(arena, "%s keeps %s %s in CLOSE_WAIT, that %s closed, because it waits for this.",
        phrases_owner(arena, finding), phrases_conns(arena, group->count), phrases_service(arena, context, group),
        phrases_peers_have(group));
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
        "It looks like a proxy: it has %s to %s, on which %s. A proxy or a tunnel keeps its client's connection until "
        "the server has answered or has closed too, even when the client has gone: look at the server first.",
        upstream->is_pool ? arena_printf(arena, "%s, and no other way on,", phrases_conns(arena, upstream->waiting))
                          : "as many connections",
        server,
        upstream->half_closed * 2 > upstream->waiting ? "it has closed its side and the server has not"
                                                      : "it has sent a request and waits for the reply");
    lines_add(&finding->evidence, arena, "%s has %s on which it spoke last and nothing has come back, to %s.", owner,
        phrases_conns(arena, upstream->waiting), server);
    set_cause(context, group, upstream, arena, finding);
    fixes_add(&finding->fix_now, arena, "Look at the server: what does it do with these requests?",
        arena_printf(arena, "tcpwhy list%s --sort -age",
            phrases_select_end(arena, &upstream->server->remote, upstream->server->remote_port)));
    fixes_add(&finding->fix_for_good, arena,
        "In the proxy: a time limit on the server's answer that is not far longer than clients wait, and one on "
        "half-closed connections (HAProxy: timeout server, timeout client-fin, option abortonclose).",
        NULL);
}

static void add_stuck_evidence(const struct context *context, const struct conn *conn, const char *end,
    struct arena *arena, struct finding *finding)
{
    const char *bytes = phrases_bytes(arena, conn->send_q_bytes);
    uint64_t give_up_ms = 0;
    if (delivery_is_zero_window(delivery_of(context->snapshot, conn))) {
        lines_add(
            &finding->evidence, arena, "%s wait in Send-Q to %s, whose window is 0: it does not read.", bytes, end);
        return;
    }
    lines_add(&finding->evidence, arena, "%s wait in Send-Q to %s, sent again %u times without an acknowledgement.",
        bytes, end, delivery_attempts(conn));
    if (conn_give_up_ms(context->snapshot, conn, &give_up_ms))
        lines_add(&finding->evidence, arena,
            "The kernel gives that connection up in about %s at the latest; then the program learns of it, and can end "
            "these.",
            phrases_duration(arena, give_up_ms));
}

void upstream_describe_blocked(const struct context *context, const struct group *group,
    const struct upstream *upstream, struct arena *arena, struct finding *finding)
{
    const struct conn *conn = upstream->stuck;
    const char *owner = phrases_owner(arena, finding);
    const char *end = phrases_end(arena, &conn->remote, conn->remote_port);
    bool refused = delivery_is_zero_window(delivery_of(context->snapshot, conn));
    finding->fault = refused ? FAULT_PEER_APPLICATION : FAULT_PEER_OR_PATH;
    if (finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    finding->title = arena_printf(arena, "%s keeps %s %s that %s closed: nothing passes on its connection to %s", owner,
        phrases_conns(arena, group->count), phrases_service(arena, context, group), phrases_peers_have(group), end);
    finding->why = arena_printf(arena,
        "What comes here goes on over %s, and there %s. A tunnel or a proxy (ssh -L, HTTP/2, a pool in front of a "
        "database) ends its client's connection when the other side has: that cannot be heard now.",
        upstream->blocked_further == 1 ? arena_printf(arena, "one connection, to %s", end)
                                       : phrases_conns(arena, upstream->blocked_further),
        refused ? "the peer does not read" : "nothing acknowledges what is sent");
    add_stuck_evidence(context, conn, end, arena, finding);
    set_cause(context, group, upstream, arena, finding);
    fixes_add(&finding->fix_now, arena, "Look at that connection first.",
        ip_is_word(&conn->remote) ? arena_printf(arena, "tcpwhy --port %u", conn->remote_port)
                                  : arena_printf(arena, "tcpwhy --peer %s --port %u",
                                        phrases_address(arena, &conn->remote), conn->remote_port));
    fixes_add(&finding->fix_for_good, arena,
        "Bound the wait there: TCP_USER_TIMEOUT, or the program's own probes (ssh: ServerAliveInterval 15).", NULL);
}

void upstream_describe_doubt(
    const struct group *group, const struct upstream *upstream, struct arena *arena, struct finding *finding)
{
    if (upstream->waiting > 0) {
        const char *server = upstream_server(arena, upstream);
        lines_add(&finding->evidence, arena,
            "It spoke last on %s, to %s, and nothing has come back so far%s: if that is a request, it may wait for the "
            "answer; whether one is owed does not show here.",
            phrases_conns(arena, upstream->waiting), server,
            upstream->waiting < group->count ? " (one may carry the requests of many clients, as in HTTP/2)" : "");
        fixes_add(&finding->fix_now, arena, "See whether a server behind it owes an answer.",
            arena_printf(arena, "tcpwhy list%s --sort -age",
                phrases_select_end(arena, &upstream->server->remote, upstream->server->remote_port)));
    }
    if (upstream->passed_on > 0)
        lines_add(&finding->ruled_out, arena,
            "Not a server behind it that owes an answer: on %s it spoke last, but there the server was seen to have "
            "read everything, or has never answered anything, as nobody does who takes log lines.",
            phrases_conns(arena, upstream->passed_on));
}

void upstream_describe_workers(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct upstream upstream = upstream_find(context, group, finding);
    unsigned workers = group->listener != NULL ? holders_count_processes(context->snapshot, group->listener) : 0;
    /* One of several processes may be a master, which serves nobody. */
    if (upstream.waiting == 0 || upstream.waiting + (workers > 1) < workers)
        return;
    const char *server = upstream_server(arena, &upstream);
    lines_add(&finding->evidence, arena,
        "The processes that should accept have %s on which they spoke last and nothing has come back, to %s: they may "
        "be waiting for that.",
        phrases_conns(arena, upstream.waiting), server);
    fixes_add(&finding->fix_now, arena, "Look at what it waits for: does the server behind it answer?",
        arena_printf(arena, "tcpwhy list%s --sort -age",
            phrases_select_end(arena, &upstream.server->remote, upstream.server->remote_port)));
}
