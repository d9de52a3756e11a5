#pragma once
/* For how long the kernel has been repeating a SYN or a SYN-ACK, and for how long it still will. */
#include <stdbool.h>
#include <stdint.h>

#include "model/conn.h"
#include "model/setting.h"

enum {
    HANDSHAKE_RTO_MS = 1000, /* TCP_TIMEOUT_INIT: nothing is known of the path yet (RFC 6298 §2.1) */
};

bool conn_is_handshake(const struct conn *conn);

/* Both are for connections in SYN_SENT or SYN_RECEIVED whose retransmit timer runs. */

/* The time since the first SYN or SYN-ACK: the real one may be greater. */
uint64_t handshake_least_ms(const struct net_values *values, const struct conn *conn);

/* The time until the kernel gives up. False where the client's own repetitions hide how often the timer fired. */
bool handshake_left_ms(const struct net_values *values, const struct conn *conn, uint64_t *ret_ms);
