#pragma once
/* The addresses and ports on which this host listens. They tell incoming connections from outgoing ones. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

struct listeners {
    const struct snapshot *snapshot;
    struct hash_index index; /* by namespace, address and port: index of a listener */
    /*
     * One bit for each port: at_any, a listener has the any address; at_one, a listener has one address. Most
     * connections need only these.
     */
    uint8_t at_any[65536 / 8], at_one[65536 / 8];
};

/* The snapshot must outlive it. */
void listeners_init(struct listeners *listeners, const struct snapshot *snapshot);
void listeners_deinit(struct listeners *listeners);

/*
 * The listener in the connection's namespace that has the connection's local port, and its local address or the any
 * address. NULL if there is none. "::" matches IPv4 too, as a socket without IPV6_V6ONLY does. A listener finds itself.
 */
const struct conn *listeners_find(const struct listeners *listeners, const struct conn *conn);
