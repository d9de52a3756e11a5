#pragma once
/*
 * Finds open connections that are missing at the other end: the other host, or network namespace, was read completely,
 * and does not have them in any state.
 */
#include "diagnose/context.h"
#include "diagnose/unknown_times.h"

/* Connections between two addresses that belong to one service, some of which the other host does not have. */
struct unknown_service {
    uint32_t first; /* one that it does not have */
    uint32_t netns; /* of the other host */
    struct unknown_times times;
    bool is_incoming;
    bool has_rows;           /* the other host has connections, no matter with which host */
    uint64_t siblings;       /* number of connections that both have, with exactly the same addresses */
    uint64_t dated;          /* number of siblings with DATING_AGREES */
    uint64_t misdated;       /* number of siblings with DATING_DIFFERS */
    uint64_t known;          /* the siblings, and connections whose other end may be anywhere */
    uint64_t missing;        /* number of connections that the other host does not have */
    uint64_t in_use;         /* of the missing: received something after the other host was read, or just before */
    uint64_t quiet;          /* of the missing: received nothing since */
    uint32_t known_quiet_ms; /* of the siblings: the longest time without receiving anything */
};

struct unknown_end {
    uint32_t conn;
    uint32_t service; /* index into services */
    uint32_t netns;   /* that has its remote address */
    bool is_known;
    bool is_sibling;
    uint32_t other; /* of a sibling, its other end */
};

/* Finds the missing connections and their services. The context owns the result. */
const struct unknown_ends *unknown_ends_find(const struct context *context);
/* The service of a missing connection. NULL for other connections. */
const struct unknown_service *unknown_ends_service(const struct context *context, const struct conn *conn);
/* For how many milliseconds nothing has come from the peer. */
uint32_t unknown_ends_quiet_ms(const struct conn *conn);
/*
 * True if both queues are empty, and if the peer has completed the handshake. It has not, if this side has connected
 * and the peer has never answered since: then its accept queue was full.
 */
bool unknown_ends_is_idle(const struct conn *conn, bool incoming);
