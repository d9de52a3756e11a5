#include "diagnose/context.h"

#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/platform.h"
#include "diagnose/queues.h"

#include "model/setting.h"

void context_init(struct context *context, const struct snapshot *snapshot)
{
    context->snapshot = snapshot;
    context->seen = snapshot_states(snapshot);
    listeners_init(&context->listeners, snapshot);
    queues_init(&context->queues, &context->listeners);
    context->waiting_conns = xcalloc(1, sizeof *context->waiting_conns);
    context->served = xcalloc(1, sizeof *context->served);
    context->unknown_ends = xcalloc(1, sizeof *context->unknown_ends);
    context->places = xcalloc(1, sizeof *context->places);
    context->process_counts = xcalloc(snapshot->process_count, sizeof *context->process_counts);
    context->local_addresses = (struct local_addresses){ 0 };
    if (snapshot->host_count > 0)
        local_addresses_init(&context->local_addresses, snapshot);
}

void context_deinit(struct context *context)
{
    local_addresses_deinit(&context->local_addresses);
    local_addresses_deinit(&context->places->addresses);
    netns_links_deinit(&context->places->links);
    free(context->places);
    free(context->process_counts);
    free(context->served->counts);
    free(context->served->shares_port);
    free(context->served);
    free(context->unknown_ends->items);
    free(context->unknown_ends->services);
    free(context->unknown_ends);
    free(context->waiting_conns->items);
    free(context->waiting_conns);
    queues_deinit(&context->queues);
    listeners_deinit(&context->listeners);
}

const struct conn *context_listener(const struct context *context, const struct conn *conn)
{
    return listeners_find(&context->listeners, conn);
}

static bool is_ephemeral(const struct context *context, const struct conn *conn, uint16_t port)
{
    const struct net_values *values = snapshot_net_values(context->snapshot, conn);
    const struct platform *platform = platform_of(context->snapshot);
    return port >= setting_value(values, SETTING_PORT_RANGE_FIRST, platform->port_first) &&
        port <= setting_value(values, SETTING_PORT_RANGE_LAST, platform->port_last);
}

bool context_guesses_direction(const struct context *context, const struct conn *conn)
{
    return context_listener(context, conn) == NULL &&
        is_ephemeral(context, conn, conn->local_port) == is_ephemeral(context, conn, conn->remote_port);
}

bool context_is_incoming(const struct context *context, const struct conn *conn)
{
    if (context_listener(context, conn) != NULL)
        return true;
    bool remote_ephemeral = is_ephemeral(context, conn, conn->remote_port);
    if (is_ephemeral(context, conn, conn->local_port) != remote_ephemeral)
        return remote_ephemeral;
    return conn->local_port < conn->remote_port; /* services usually have the lower port */
}

bool context_is_settled(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    struct age age = conn_age(context->snapshot, conn);
    uint64_t life_ms;
    if (conn_life_ms(conn, &life_ms) && life_ms < limits->settle_ms)
        return false;
    return age.kind == AGE_UNKNOWN || age.from_snapshots || age_judged_ms(&age) >= limits->settle_ms;
}

bool context_is_unanswered(const struct context *context, const struct conn *conn, const struct conn *other)
{
    if (!context_is_incoming(context, conn) || !conn_has(conn, CONN_TCP_INFO))
        return false;
    /* A FIN counts 1 in bytes_received. Without byte counts, the clocks show which side sent data last. */
    bool asked = conn_has(conn, CONN_BYTES) ? conn->bytes_received > 1 && conn->bytes_acked == 0
                                            : conn->last_data_recv_ms < conn->last_data_sent_ms;
    if (!asked)
        return false;
    if (other != NULL) /* an end that no process holds waits for nothing */
        return !conn_is_unheld(other);
    /* A peer on this host would have been seen. */
    return !ip_is_loopback(&conn->remote) && !ip_is_same(&conn->local, &conn->remote);
}

bool context_is_unaccepted(const struct context *context, const struct conn *conn)
{
    if (conn_has(conn, CONN_INODE) || conn->holder != NO_INDEX)
        return conn_is_unheld(conn);
    const struct conn *listener = context_listener(context, conn);
    return listener != NULL && listener->holder != NO_INDEX && conn_has(listener, CONN_QUEUES) &&
        listener->recv_q_bytes > 0 && platform_of(context->snapshot)->counts_fin;
}

const struct queue *context_queue(const struct context *context, const struct conn *listener)
{
    return queues_at(&context->queues, listener);
}

const struct conn *context_stalled_listener(const struct context *context, const struct conn *conn)
{
    return queues_stalled_listener(&context->queues, conn);
}

bool context_is_asked_about(const struct context *context, uint64_t count)
{
    return context->asked_count > 0 && count * 2 >= context->asked_count;
}
