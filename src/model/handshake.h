#pragma once
/* How long the kernel has been repeating a SYN or SYN-ACK, and how long it will go on. */
#include <stdbool.h>
#include <stdint.h>

#include "model/conn.h"
#include "model/setting.h"

enum {
    HANDSHAKE_RTO_MS = 1000, /* TCP_TIMEOUT_INIT: no round-trip time is known yet (RFC 6298 §2.1) */
};

bool conn_is_handshake(const struct conn *conn);

/* These two are for connections in SYN_SENT or SYN_RECEIVED whose retransmit timer runs. `values` may be NULL. */

/* The time since the first SYN or SYN-ACK; a lower bound. */
uint64_t handshake_least_ms(const struct net_values *values, const struct conn *conn);

/* The time until the kernel gives up. Returns false if the client's repeated SYNs hide how often the timer fired. */
bool handshake_left_ms(const struct net_values *values, const struct conn *conn, uint64_t *ret_ms);
