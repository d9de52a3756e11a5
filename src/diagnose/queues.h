#pragma once
/*
 * What waits at each listener of this host: half-open connections, and complete ones that nobody has accepted.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose/netns_links.h"
#include "model/listeners.h"

enum { QUEUE_ADDRESSES_MAX = 4 };

/* What waits at one listener: see queues.c. */
struct queue {
    const struct conn *listener;
    uint64_t half_open;          /* SYN_RECEIVED */
    uint64_t half_open_repeated; /* of them, the SYN-ACK was sent again */
    uint64_t half_open_timed;    /* of them, the timer was seen, which tells whether it was */
    uint64_t half_open_peers;    /* addresses that they come from; 0 while the backlog is far */
    uint64_t waiting;            /* complete, not accepted, as far as they could be seen */
    uint64_t closed;             /* of them, closed by the peer a while ago: close-wait-not-accepted */
    uint64_t aged;               /* of them, it is known since when */
    uint64_t oldest_ms;          /* that the longest of them has waited at least */
    uint64_t syns_refused;       /* SYN_SENT on this host that goes to it, sent again; where the queue is full */
    uint64_t unanswered;         /* ESTABLISHED on this host that sends to it in vain; where the queue is full */
    struct ip addresses[QUEUE_ADDRESSES_MAX]; /* that what waits came to */
    unsigned address_count;
};

struct queues {
    struct queue *items;
    size_t count, capacity;
    const struct listeners *listeners;
    struct netns_links links; /* looked for only where a call may go to a full queue in another namespace */
    uint32_t *numbers;        /* for each connection: of a listener, 1 + index into items; NULL while there are none */
};

void queues_init(struct queues *queues, const struct listeners *listeners);
void queues_deinit(struct queues *queues);
/* The accept queue holds more than its backlog: the kernel drops what comes. */
bool listener_is_full(const struct conn *listener);
/* The same; false for NULL. */
bool queue_is_full(const struct queue *queue);
/* Full, or what waits in it was given up by the peers: its listener's process is at fault. False for NULL. */
bool queue_is_stalled(const struct queue *queue);
/* So many half-open connections that the kernel keeps no more, or hardly any more. */
bool queue_is_near_backlog(const struct queue *queue);
/* Half of what the kernel keeps. */
bool queue_is_half_full(const struct queue *queue);
/* What waits at the listener, or NULL where nothing does. */
const struct queue *queues_at(const struct queues *queues, const struct conn *listener);
/*
 * The listener of this host that keeps the connection from getting on: its own, where it waits to be accepted or for
 * its handshake to end; that at its other end, where what it sends is dropped at a full queue. NULL where there is
 * none.
 */
const struct conn *queues_stalled_listener(const struct queues *queues, const struct conn *conn);
/*
 * By its address the connection goes to a full queue in another network namespace of this host, and nothing shows that
 * the two are connected: isolated networks may use the same addresses.
 */
bool queues_may_refuse(const struct queues *queues, const struct conn *conn);
/*
 * Connections that the listener has dropped, at most. Its own counter (sk_drops) also takes in what is no connection:
 * bare ACKs that TCP_DEFER_ACCEPT ignores (tcp_check_req(), tcp_v4_rcv()). ListenDrops of its namespace counts
 * connections only, of all its listeners: what both allow is the answer. Where the latter is unknown, *ret_by_both is
 * false.
 */
uint64_t queue_drops(const struct snapshot *snapshot, const struct conn *listener, bool *ret_by_both);
/* The same since the earlier reading; 0 where that is not known. */
uint32_t queue_drops_since(const struct snapshot *snapshot, const struct conn *listener);
