#pragma once
/*
 * What becomes of the data that a connection has to send. The one place that tells a peer that does not take it from
 * one that does not answer; all rules, in whatever state, go by it.
 */
#include <stdbool.h>

#include "model/snapshot.h"

enum delivery {
    DELIVERY_OPEN, /* it goes out, or has only been waiting for a moment, or too little is known */
    /* The peer offers no window: the persist timer probes it, and the peer answers (RFC 9293 §3.8.6.1). */
    DELIVERY_NO_WINDOW,
    /*
     * The peer took back a window that it had offered, after the data had gone out: its buffer filled up before the
     * window did. The same data is sent again as the probe, and the peer answers (RFC 9293 §3.8.6, "shrinking").
     */
    DELIVERY_WINDOW_TAKEN_BACK,
    /*
     * The same data is sent again and again, and the peer is heard meanwhile. Either its kernel refuses the data,
     * and this kernel has not taken up the window that shrank (tcp_may_update_window() of older ones). Or the data is
     * lost on the way there, and what is heard is the peer's own data, or its FIN that it sends again because our
     * acknowledgement is lost too. A snapshot does not tell these apart.
     */
    DELIVERY_REFUSED,
    DELIVERY_UNANSWERED, /* the same, or window probes; and nothing comes back */
};

enum delivery delivery_of(const struct snapshot *snapshot, const struct conn *conn);

/* The peer's kernel says that it has no room: its program does not read. */
static inline bool delivery_is_zero_window(enum delivery delivery)
{
    return delivery == DELIVERY_NO_WINDOW || delivery == DELIVERY_WINDOW_TAKEN_BACK;
}

/* How often the same data, or a probe of the window, was sent again. */
unsigned delivery_attempts(const struct conn *conn);
