#include <errno.h>
#include <stdlib.h>

#include "diagnose/rule.h"

struct place {
    uint32_t netns;
    uint16_t port;
    uint32_t conn;
};

static int by_place(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    if (one->netns != other->netns)
        return one->netns < other->netns ? -1 : 1;
    if (one->port != other->port)
        return one->port < other->port ? -1 : 1;
    return one->conn < other->conn ? -1 : one->conn > other->conn;
}

int context_init(struct context *context, const struct snapshot *snapshot)
{
    *context = (struct context){ .snapshot = snapshot };
    size_t count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        count += conn_is_listener(&snapshot->conns[i]);
    struct place *places = malloc((count + 1) * sizeof *places);
    context->listeners = malloc((count + 1) * sizeof *context->listeners);
    if (places == NULL || context->listeners == NULL) {
        free(places);
        context_deinit(context);
        return -ENOMEM;
    }
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (conn_is_listener(conn))
            places[context->listener_count++] =
                (struct place){ .netns = conn->netns, .port = conn->local_port, .conn = (uint32_t)i };
    }
    qsort(places, count, sizeof *places, by_place);
    for (size_t i = 0; i < count; i++)
        context->listeners[i] = places[i].conn;
    free(places);
    return 0;
}

void context_deinit(struct context *context)
{
    free(context->listeners);
    *context = (struct context){ 0 };
}

/* The first of the listeners that is not before (netns, port). */
static size_t first_listener(const struct context *context, uint32_t netns, uint16_t port)
{
    size_t low = 0, high = context->listener_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct conn *listener = &context->snapshot->conns[context->listeners[middle]];
        if (listener->netns < netns || (listener->netns == netns && listener->local_port < port))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t context_listener(const struct context *context, const struct conn *conn)
{
    uint32_t found = NO_INDEX;
    for (size_t i = first_listener(context, conn->netns, conn->local_port); i < context->listener_count; i++) {
        const struct conn *listener = &context->snapshot->conns[context->listeners[i]];
        if (listener->netns != conn->netns || listener->local_port != conn->local_port)
            break;
        /* The more specific address wins, as in the kernel: compute_score() in net/ipv4/inet_hashtables.c. */
        if (ip_equal(&listener->local, &conn->local))
            return context->listeners[i];
        bool takes = ip_is_any(&listener->local) && (listener->ipv6 || ip_is_v4(&conn->local));
        if (takes && (found == NO_INDEX || listener->ipv6 == conn->ipv6))
            found = context->listeners[i];
    }
    return found;
}

bool context_is_incoming(const struct context *context, const struct conn *conn)
{
    if (context_listener(context, conn) != NO_INDEX)
        return true;
    const struct net_values *values = snapshot_net_values(context->snapshot, conn);
    int64_t first = setting_value(values, SETTING_PORT_RANGE_FIRST, 32768);
    int64_t last = setting_value(values, SETTING_PORT_RANGE_LAST, 60999);
    bool local_ephemeral = conn->local_port >= first && conn->local_port <= last;
    bool remote_ephemeral = conn->remote_port >= first && conn->remote_port <= last;
    if (local_ephemeral != remote_ephemeral)
        return remote_ephemeral;
    /* An un-accepted connection came in, whatever its ports; otherwise the lower port is the service by custom. */
    return conn->local_port < conn->remote_port;
}

bool context_is_settled(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    struct age age = conn_age(context->snapshot, conn);
    return age.kind == AGE_UNKNOWN || age.ms >= limits->settle_ms;
}
