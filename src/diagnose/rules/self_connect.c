/*
 * A socket that is connected to itself. Two SYNs that cross make one connection (simultaneous open: RFC 9293 §3.5,
 * figure 7), and a socket may receive its own SYN. If a client connects to a port of this host on which nobody listens,
 * the kernel chooses an ephemeral source port. If that is the same port, the SYN arrives at the socket that sent it
 * (tcp_rcv_synsent_state_process()). A client that tries again and again will sooner or later get this port.
 *
 * One row proves it: no other socket of the host can have the same address and port.
 */
#include "diagnose/rules/self_connect.h"

#include <string.h>

#include "diagnose/command.h"
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_age.h"
#include "diagnose/platform.h"

bool self_connect_is(const struct conn *conn)
{
    return conn->local_port != 0 && conn->local_port == conn->remote_port && ip_equal(&conn->local, &conn->remote) &&
        !ip_is_any(&conn->local) && !ip_is_word(&conn->local);
}

/* At any age: the program uses the connection, and no answer can ever arrive. */
bool self_connect_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    (void)context;
    (void)limits;
    return self_connect_is(conn);
}

static bool is_ephemeral(const struct context *context, const struct conn *conn, int64_t *ret_first, int64_t *ret_last)
{
    const struct platform *platform = platform_of(context->snapshot);
    const struct net_values *values = snapshot_net_values(context->snapshot, conn);
    *ret_first = setting_value(values, SETTING_PORT_RANGE_FIRST, platform->port_first);
    *ret_last = setting_value(values, SETTING_PORT_RANGE_LAST, platform->port_last);
    return conn->local_port >= *ret_first && conn->local_port <= *ret_last;
}

static void add_evidence_of_port(
    const struct context *context, const struct conn *conn, struct arena *arena, struct finding *finding)
{
    int64_t first, last;
    const struct net_values *values = snapshot_net_values(context->snapshot, conn);
    bool is_known = values->has_setting[SETTING_PORT_RANGE_FIRST] && values->has_setting[SETTING_PORT_RANGE_LAST];
    if (is_ephemeral(context, conn, &first, &last))
        lines_add(&finding->evidence, arena,
            "Port %u is one of the ephemeral ports (%lld to %lld%s): connect() may choose it as the source of a "
            "connection to that same port.",
            conn->local_port, (long long)first, (long long)last, is_known ? "" : ", assumed: what is set was not seen");
    else
        lines_add(&finding->evidence, arena,
            "Port %u is none of the ephemeral ports (%lld to %lld%s): the program has chosen it as its source "
            "(bind()), or the range was another then.",
            conn->local_port, (long long)first, (long long)last, is_known ? "" : ", assumed: what is set was not seen");
    if ((context->seen & STATE_BIT(STATE_LISTEN)) != 0 && context->snapshot->origin == NULL &&
        context_listener(context, conn) == NULL)
        lines_add(&finding->evidence, arena,
            "Nobody listens on port %u: the service is not running, or could not bind its port.", conn->local_port);
}

static void add_evidence_of_queues(const struct conn *conn, struct arena *arena, struct finding *finding)
{
    if (!conn_has(conn, CONN_QUEUES) || (conn->recv_q_bytes == 0 && conn->send_q_bytes == 0))
        return;
    lines_add(&finding->evidence, arena,
        "%s wait in Recv-Q and %s in Send-Q: both were written by the program itself, which would have to read what it "
        "sends.",
        phrases_bytes(arena, conn->recv_q_bytes), phrases_bytes(arena, conn->send_q_bytes));
}

static void add_fixes(
    const struct context *context, const struct conn *conn, struct arena *arena, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena,
            "End the connection by restarting the program that holds it; then start the service on port %u, before the "
            "client tries again.",
            conn->local_port),
        NULL);
    phrases_fix_restart(arena, context, finding->owner, &finding->fix_now);
    fixes_add(&finding->fix_for_good, arena,
        "In the client: after connect(), compare getsockname() with getpeername(). Where both are the same, close the "
        "socket, and treat it as a connection that was refused.",
        NULL);
    int64_t first, last;
    if (is_ephemeral(context, conn, &first, &last)) {
        const char *port = arena_printf(arena, "%u", conn->local_port);
        fixes_add(&finding->fix_for_good, arena,
            "Give the service a port outside the range of ephemeral ports, or keep its port out of that range.",
            platform_fill(arena, platform->reserve_port, port));
        if (platform->reserve_setting != NULL)
            command_keep_setting(arena, finding, &finding->fix_for_good,
                "Keep its port out of that range. What is set replaces the list: name what is in it already.",
                platform->reserve_setting, port);
    }
    lines_add(&finding->will_not_help, arena,
        "Restarting the service, or SO_REUSEADDR in it: the port is taken by a connection of the client, which would "
        "have to set that option too.");
    lines_add(&finding->will_not_help, arena,
        "Looking for a slow or hung peer: there is none. What is written comes back to the writer.");
}

void self_connect_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct conn *conn = &context->snapshot->conns[group->conns[0]];
    const char *end = phrases_end(arena, &conn->local, conn->local_port);
    const char *os = platform_of(context->snapshot)->os;
    finding->confidence = CONFIDENCE_CERTAIN;
    finding->title = arena_printf(arena,
        "%s is connected to itself at %s, and keeps port %u from the service that should listen there",
        phrases_owner(arena, finding), end, conn->local_port);
    finding->why = arena_printf(arena,
        "The program connected to port %u while nobody listened on it, and the kernel gave the connection that same "
        "port as its source: its SYN met itself (a simultaneous open, RFC 9293 section 3.5). connect() succeeded, so "
        "that the client believes that it talks to the service; it reads back what it writes. While this connection is "
        "open, the service cannot bind the port (%s).",
        conn->local_port,
        os != NULL && strcmp(os, "windows") == 0 ? "WSAEADDRINUSE, 10048" : "EADDRINUSE, \"Address already in use\"");
    lines_add(&finding->evidence, arena, "Both ends are %s: this is one socket, not two.", end);
    add_evidence_of_port(context, conn, arena, finding);
    add_evidence_of_queues(conn, arena, finding);
    if (finding->owner == NULL)
        phrases_unseen(arena, context, group, &finding->evidence);
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "Nothing has happened on it %s.", phrases_ages(arena, group));
    lines_add(&finding->ruled_out, arena,
        "Not a connection between two programs of this host: its two ends would have different ports or addresses.");
    add_fixes(context, conn, arena, finding);
}
