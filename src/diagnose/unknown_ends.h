#pragma once
/*
 * Open connections whose other host, or network namespace, was seen whole too and does not have them in any state.
 */
#include "diagnose/context.h"
#include "diagnose/unknown_times.h"

/* Connections between two addresses that belong to one service, some of which the other host does not have. */
struct unknown_service {
    uint32_t first; /* one that it does not have */
    uint32_t netns; /* the other host's */
    struct unknown_times times;
    bool is_incoming;
    bool has_rows;           /* the other host has connections, with whomever */
    uint64_t siblings;       /* that both have, with the very same addresses */
    uint64_t dated;          /* of them, what both remember agrees with the times of the snapshots; */
    uint64_t misdated;       /* or does not */
    uint64_t known;          /* those, and others that may have their other end anywhere */
    uint64_t missing;        /* that the other host does not have */
    uint64_t in_use;         /* of them, something has come since the other host was seen, or a moment before */
    uint64_t quiet;          /* of them, nothing has come for longer */
    uint32_t known_quiet_ms; /* of the siblings, the longest time in which nothing has come */
};

struct unknown_end {
    uint32_t conn;
    uint32_t service; /* index into services */
    uint32_t netns;   /* that has its remote address */
    bool is_known;
    bool is_sibling;
    uint32_t other; /* of a sibling, its other end */
};

/* Those that are missing, and their services. */
const struct unknown_ends *unknown_ends_find(const struct context *context);
/* The service of a connection that is missing; NULL for others. */
const struct unknown_service *unknown_ends_service(const struct context *context, const struct conn *conn);
/* For how long nothing has come from the peer. */
uint32_t unknown_ends_quiet_ms(const struct conn *conn);
/* Idle, and used once: a peer that has never completed the handshake has never answered to anything. */
bool unknown_ends_is_idle(const struct conn *conn, bool incoming);
