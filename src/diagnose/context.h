#pragma once
/*
 * The snapshot, with the look-ups that rules need.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "diagnose/queues.h"
#include "hosts/local_addresses.h"
#include "model/listeners.h"
#include "model/policy.h"

/*
 * Connections that wait for their peers, which may be why others are not closed: upstream.c, made when first asked for.
 */
struct waiting_conns {
    struct waiting_conn {
        uint32_t conn;
        uint32_t process; /* the only one that holds it; NO_INDEX: there are none, or several */
        uint8_t sign;     /* enum upstream_sign */
        uint32_t other;   /* its other end, where that was seen; or NO_INDEX */
    } * items;
    size_t count;
    bool is_made;
};

/* What acceptors.c knows of processes and their listeners, made when first asked for. */
struct served {
    uint32_t *counts;            /* for each process: connections that it holds and that came in through a listener */
    uint8_t *shares_port;        /* a bit for each connection: one of several listeners of one end (SO_REUSEPORT) */
    const struct conn *listener; /* that was asked for last, */
    const struct process *first; /* and whom it belongs to */
};

/* Connections that the host at the other end does not know: unknown_ends.c, made when first asked for. */
struct unknown_ends {
    struct unknown_end *items; /* in the order of the connections */
    size_t count, capacity;
    struct unknown_service *services;
    size_t service_count, service_capacity;
    bool is_made;
};

/* The snapshot with the look-ups that rules need. */
struct context {
    const struct snapshot *snapshot;
    uint32_t seen;               /* STATE_BIT()s that the snapshot holds */
    const bool *selected;        /* for each connection: whether the person asked for it */
    bool selects_all;            /* nothing was left out: findings about the whole host are in place */
    uint64_t asked_count;        /* connections, without listeners, of a paste or of a selection; 0: of a whole host */
    const uint8_t *causes;       /* what is known so far: indexes into rules; 0: normal */
    const struct policy *policy; /* or NULL */
    const struct limits *limits; /* of each rule, for connections of no service and of each service: limits.c */
    struct listeners listeners;
    struct queues queues;
    struct waiting_conns *waiting_conns;
    struct served *served;
    struct unknown_ends *unknown_ends;
    struct local_addresses local_addresses; /* where there are several hosts */
    uint64_t *process_counts;               /* for each process, to count in; all 0 but while somebody does */
};

void context_init(struct context *context, const struct snapshot *snapshot);
void context_deinit(struct context *context);

/* The listening socket that the connection came in through, or NULL. */
const struct conn *context_listener(const struct context *context, const struct conn *conn);
/* Whether the connection was opened by the other side. Without a listener the ephemeral port range decides. */
bool context_is_incoming(const struct context *context, const struct conn *conn);
/* Whether nothing tells that but which port is lower: both are ephemeral ones, or neither. */
bool context_guesses_direction(const struct context *context, const struct conn *conn);
/* Has been in its state for as long as the limit; true where the age is unknown: then the confidence tells. */
bool context_is_settled(const struct context *context, const struct conn *conn, const struct limits *limits);

/*
 * Whether the peer has asked for something and never got a byte. A FIN does not tell whether it has closed, or only
 * shut down its sending side (RFC 9293 section 3.6.1) to wait for an answer that the process here is at work on.
 * `other` is its end, where that is seen, or NULL.
 */
bool context_is_unanswered(const struct context *context, const struct conn *conn, const struct conn *other);

/* Whether so many connections are most of what somebody pasted or selected; never of a whole host that is looked at. */
bool context_is_asked_about(const struct context *context, uint64_t count);

/*
 * Never accepted. Where the source shows no inodes, but who holds the listener: nobody is shown to hold the connection,
 * and the listener's queue is not empty. Who may see the one may see the other, unless another user's process accepted
 * it.
 */
bool context_is_unaccepted(const struct context *context, const struct conn *conn);

/* queues_at() and queues_stalled_listener() of the context's queues. */
const struct queue *context_queue(const struct context *context, const struct conn *listener);
const struct conn *context_stalled_listener(const struct context *context, const struct conn *conn);
