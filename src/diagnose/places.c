#include "diagnose/places.h"

#include <string.h>

#include "hosts/clock_skew.h"
#include "hosts/nat.h"
#include "model/host.h"

static const struct places *make_places(const struct context *context)
{
    struct places *places = context->places;
    if (!places->is_made) {
        local_addresses_init_by_netns(&places->addresses, context->snapshot);
        places->is_partial = snapshot_is_partial(context->snapshot);
        places->is_made = true;
    }
    return places;
}

uint32_t places_of(const struct context *context, const struct ip *address)
{
    uint32_t netns = local_addresses_host(&make_places(context)->addresses, address);
    return netns < context->snapshot->netns_count ? netns : NO_INDEX;
}

/* True if a program listens there on that very address: it is this namespace's, and not one that a proxy speaks in. */
static bool has_listener(const struct context *context, uint32_t netns, const struct conn *conn)
{
    const struct conn end = { .local = conn->remote,
        .local_port = conn->remote_port,
        .netns = netns,
        .ipv6 = conn->ipv6,
        .state = STATE_ESTABLISHED };
    const struct conn *listener = listeners_find(&context->listeners, &end);
    return listener != NULL && ip_is_same(&listener->local, &conn->remote);
}

enum one_host places_are_one_host(const struct context *context, const struct conn *conn)
{
    if (ip_is_loopback(&conn->remote) || ip_is_same(&conn->local, &conn->remote))
        return ONE_HOST_SURE;
    struct places *places = context->places;
    uint32_t netns = places_of(context, &conn->remote);
    if (netns == NO_INDEX || conn->netns == NO_INDEX)
        return ONE_HOST_UNKNOWN;
    const struct snapshot *snapshot = context->snapshot;
    if (netns != conn->netns && snapshot->netns[netns].host == snapshot->netns[conn->netns].host) {
        if (!places->has_links)
            netns_links_find(&places->links, snapshot);
        places->has_links = true;
        if (!netns_links_have(&places->links, netns, conn->netns))
            return ONE_HOST_UNKNOWN; /* isolated networks may use the same addresses */
    } else if (netns != conn->netns) {
        return ONE_HOST_UNKNOWN;
    }
    return has_listener(context, netns, conn) ? ONE_HOST_SURE : ONE_HOST_LIKELY;
}

/* lsof lists descriptors, so it does not show sockets without one: those not accepted yet, and closed ones. */
static bool lists_descriptors(const struct host *host)
{
    return host->source != NULL && strcmp(host->source, "capture-lsof") == 0;
}

bool places_seen_whole(const struct context *context, uint32_t own_netns, uint32_t netns)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct host *own = snapshot->netns[own_netns].host, *other = snapshot->netns[netns].host;
    if (other == NULL)
        return !make_places(context)->is_partial;
    return !other->is_partial && !lists_descriptors(other) &&
        (own == other || (!hosts_are_apart(own, other) && !hosts_hide_ends(snapshot, own, other)));
}

const char *places_name(struct arena *arena, const struct snapshot *snapshot, const struct conn *conn, uint32_t netns)
{
    const struct netns *place = &snapshot->netns[netns];
    if (place->host != hosts_of_conn(snapshot, conn))
        return place->host->name;
    if (netns == conn->netns)
        return "this host";
    return arena_printf(arena, "the network namespace %s", place->name);
}
