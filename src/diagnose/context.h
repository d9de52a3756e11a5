#pragma once
/* The snapshot, and the tables with which rules look things up in it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "diagnose/queues.h"
#include "hosts/local_addresses.h"
#include "model/listeners.h"
#include "model/policy.h"

/*
 * Connections that wait for their peers. They may be the reason why a process does not close others. upstream.c makes
 * the list when it is first needed.
 */
struct waiting_conns {
    struct waiting_conn {
        uint32_t conn;
        uint32_t process; /* the only process that holds it; NO_INDEX: nobody is known to hold it, or several do */
        uint8_t sign;     /* enum upstream_sign */
        uint32_t other;   /* its other end, or NO_INDEX if that was not seen */
    } * items;
    size_t count;
    bool is_made;
};

/* Used by acceptors.c only, and filled in when it is first needed. */
struct served {
    uint32_t *counts;            /* for each process: how many connections it holds that came in through a listener */
    uint8_t *shares_port;        /* one bit for each connection: a listener that shares its port (SO_REUSEPORT) */
    const struct conn *listener; /* the listener of the last call of acceptors_first() … */
    const struct process *first; /* … and the result */
};

/* Connections that the host at the other end does not know. unknown_ends.c makes the list when it is first needed. */
struct unknown_ends {
    struct unknown_end *items; /* in the order of the connections */
    size_t count, capacity;
    struct unknown_service *services;
    size_t service_count, service_capacity;
    bool is_made;
};

/* Which network namespace has which address. places.c makes the table when it is first needed. */
struct places {
    struct local_addresses addresses; /* by network namespace */
    bool is_partial;                  /* snapshot_is_partial(): of several hosts, each has its own */
    bool is_made;
    struct netns_links links; /* found by places_are_one_host() */
    bool has_links;
};

struct context {
    const struct snapshot *snapshot;
    uint32_t seen;               /* STATE_BIT()s that the snapshot contains */
    const bool *selected;        /* for each connection: the user's selection contains it */
    bool selects_all;            /* the selection contains all: findings about the whole host are made */
    uint64_t asked_count;        /* selected or pasted connections, without listeners; 0: a whole host, live */
    const uint8_t *causes;       /* for each connection, as far as known: index into rules; 0: normal */
    const struct policy *policy; /* or NULL */
    const struct limits *limits; /* read with context_limits() */
    struct listeners listeners;
    struct queues queues;
    struct waiting_conns *waiting_conns;
    struct served *served;
    struct unknown_ends *unknown_ends;
    struct places *places;
    struct local_addresses local_addresses; /* empty if there is only one host */
    uint64_t *process_counts;               /* for each process, to count in; all 0 between uses */
};

/* Fills in the tables. The caller has set selected, causes, policy and limits, or leaves them zero. */
void context_init(struct context *context, const struct snapshot *snapshot);
void context_deinit(struct context *context);

/* The listener on the local port of the connection, or NULL. A listener finds itself. See listeners_find(). */
const struct conn *context_listener(const struct context *context, const struct conn *conn);
/*
 * True if the peer opened the connection. This host listens on the local port, or only the remote port is ephemeral, or
 * (if both are ephemeral, or neither) the local port is the lower one.
 */
bool context_is_incoming(const struct context *context, const struct conn *conn);
/* True if only the last of these three signs decides. */
bool context_guesses_direction(const struct context *context, const struct conn *conn);
/*
 * True if the connection has been in its state for limits->settle_ms. Also true if its age is not known, or known only
 * from the time between two snapshots; then the finding has a lower confidence. False if it was made later than that.
 */
bool context_is_settled(const struct context *context, const struct conn *conn, const struct limits *limits);

/*
 * True if the peer opened the connection, has sent data, and has never got a byte of answer. If the source does not
 * count bytes: if the last data came from the peer. Then the peer's FIN may be a half-close (RFC 9293 §3.6.1): the peer
 * waits for an answer that the process here is still working on. `other` is the peer's end, or NULL if it was not seen.
 * False if the peer's process has closed its end.
 */
bool context_is_unanswered(const struct context *context, const struct conn *conn, const struct conn *other);

/* True if `count` connections are at least half of what the user selected or pasted. False for a whole host, live. */
bool context_is_asked_about(const struct context *context, uint64_t count);

/*
 * For ESTABLISHED and CLOSE_WAIT. True if no process has accepted the connection. A source without inodes (Linux) shows
 * this indirectly: it shows who holds the listener, but nobody who holds the connection, and the listener's queue is
 * not empty. This is wrong if a process of another user has accepted the connection.
 */
bool context_is_unaccepted(const struct context *context, const struct conn *conn);

/* These call queues_at() and queues_stalled_listener(). */
const struct queue *context_queue(const struct context *context, const struct conn *listener);
const struct conn *context_stalled_listener(const struct context *context, const struct conn *conn);
