#pragma once
/* Which local ports this host listens on: tells incoming connections from outgoing ones. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

struct listeners {
    const struct snapshot *snapshot;
    struct hash_index index; /* by namespace, address and port: index of a listener */
    /*
     * A bit for each port that somebody listens on, at any address, or at one of its own: most connections need no
     * more.
     */
    uint8_t at_any[65536 / 8], at_one[65536 / 8];
};

/* The snapshot must outlive it. */
void listeners_init(struct listeners *listeners, const struct snapshot *snapshot);
void listeners_deinit(struct listeners *listeners);

/*
 * The listener of the connection's namespace whose port is the connection's local one and whose address is its local
 * one or any, or NULL. "::" takes in IPv4 too, as a socket without IPV6_V6ONLY does. A listener finds itself.
 */
const struct conn *listeners_find(const struct listeners *listeners, const struct conn *conn);
