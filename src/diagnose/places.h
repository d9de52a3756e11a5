#pragma once
/* Which network namespace has an address, and whether all of its connections were seen. */
#include "diagnose/context.h"

/* The only network namespace that has this address, as an index; NO_INDEX if none or several have it. */
uint32_t places_of(const struct context *context, const struct ip *address);
/* Whether both ends of a connection belong to one host. */
enum one_host {
    ONE_HOST_UNKNOWN, /* or they do not */
    ONE_HOST_LIKELY,  /* sockets of the host have both addresses, as those of a transparent proxy may too */
    ONE_HOST_SURE,    /* loopback, the same address twice, or a listener has the remote address and port */
};
enum one_host places_are_one_host(const struct context *context, const struct conn *conn);
/*
 * True if a connection that the snapshot does not show in `netns` does not exist there, and if its other end in
 * `own_netns` would be recognised: no NAT and no time between the two snapshots hides it.
 */
bool places_seen_whole(const struct context *context, uint32_t own_netns, uint32_t netns);
/* "db-1", "the network namespace web", "this host": the place as it is called in a finding about `conn`. */
const char *places_name(struct arena *arena, const struct snapshot *snapshot, const struct conn *conn, uint32_t netns);
