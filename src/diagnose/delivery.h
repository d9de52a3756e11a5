#pragma once
/*
 * What becomes of the data that a connection has to send. All rules use it to tell a peer that does not read from a
 * peer that does not answer.
 */
#include <stdbool.h>

#include "model/snapshot.h"

enum delivery {
    DELIVERY_OPEN, /* the data is sent, or has waited only for a moment, or too little is known */
    /* The peer offers a window of 0. The persist timer sends probes, and the peer answers them (RFC 9293 §3.8.6.1). */
    DELIVERY_NO_WINDOW,
    /*
     * The peer took its window back after the data had been sent: it has "shrunk" the window (RFC 9293 §3.8.6), because
     * its buffer is full. The kernel sends the same data again as a probe, and the peer answers.
     */
    DELIVERY_WINDOW_TAKEN_BACK,
    /*
     * The kernel sends the same data again and again. The peer does not acknowledge it, but segments of the peer
     * arrive. There are two possible reasons, which one snapshot does not tell apart. (1) The peer's kernel refuses the
     * data, and this kernel has not taken over the smaller window (tcp_may_update_window() of older kernels). (2) The
     * data is lost on the path to the peer. What arrives is the peer's own data, or the peer's FIN, which it sends
     * again because our acknowledgement is lost too.
     */
    DELIVERY_REFUSED,
    DELIVERY_UNANSWERED, /* data or window probes are sent again and again, and nothing arrives from the peer */
};

enum delivery delivery_of(const struct snapshot *snapshot, const struct conn *conn);

/* True if the peer's kernel has said that its buffer is full: the peer's program does not read. */
static inline bool delivery_is_zero_window(enum delivery delivery)
{
    return delivery == DELIVERY_NO_WINDOW || delivery == DELIVERY_WINDOW_TAKEN_BACK;
}

/* How often the same data was sent again, or how many window probes were sent. */
unsigned delivery_attempts(const struct conn *conn);
