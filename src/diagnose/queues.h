#pragma once
/*
 * What waits at each listener of this host: half-open connections (SYN_RECEIVED), and complete connections that no
 * process has accepted.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose/netns_links.h"
#include "model/listeners.h"

enum { QUEUE_ADDRESSES_MAX = 4 };

/* What waits at one listener. */
struct queue {
    const struct conn *listener;
    uint64_t half_open;          /* connections in SYN_RECEIVED */
    uint64_t half_open_repeated; /* how many of them have sent their SYN-ACK again */
    uint64_t half_open_timed;    /* how many of them show their timer: of the others that is not known */
    uint64_t half_open_peers;    /* how many remote addresses they have; 0: not counted, the queue is not half full */
    uint64_t waiting;   /* complete connections that no process has accepted, as far as the source shows them */
    uint64_t closed;    /* how many of these the peer has closed at least 5 s ago: close-wait-not-accepted */
    uint64_t aged;      /* of how many of these it is known how long they have waited */
    uint64_t oldest_ms; /* the longest of these times; a lower bound */
    /* Only if the queue is full: connections of this host to the listener that retransmit without an answer. */
    uint64_t syns_refused;                    /* in SYN_SENT */
    uint64_t unanswered;                      /* in ESTABLISHED */
    struct ip addresses[QUEUE_ADDRESSES_MAX]; /* some local addresses of what waits */
    unsigned address_count;
};

struct queues {
    struct queue *items;
    size_t count, capacity;
    const struct listeners *listeners;
    struct netns_links links; /* found only if a connection may go to a full queue in another namespace */
    uint32_t *numbers; /* for each connection: 1 + index into items if it is a listener with a queue; NULL: no items */
};

/* The listeners must outlive the queues. */
void queues_init(struct queues *queues, const struct listeners *listeners);
void queues_deinit(struct queues *queues);
/* True if the accept queue holds more than its backlog: the kernel drops further connections (sk_acceptq_is_full()). */
bool listener_is_full(const struct conn *listener);
/* listener_is_full() of the queue's listener; false for NULL. */
bool queue_is_full(const struct queue *queue);
/* True if the queue is full, or peers have closed connections that wait in it: nobody accepts. False for NULL. */
bool queue_is_stalled(const struct queue *queue);
/* True if there are at least 90 % as many half-open connections as the kernel keeps. */
bool queue_is_near_backlog(const struct queue *queue);
/* True if there are at least half as many half-open connections as the kernel keeps. */
bool queue_is_half_full(const struct queue *queue);
/* What waits at the listener; NULL if nothing does. */
const struct queue *queues_at(const struct queues *queues, const struct conn *listener);
/*
 * The listener of this host whose stalled queue holds the connection up, or NULL. It is the connection's own listener
 * if the connection is half-open or not accepted. It is the listener at the other end if the connection retransmits
 * because that listener's full queue drops its segments.
 */
const struct conn *queues_stalled_listener(const struct queues *queues, const struct conn *conn);
/*
 * True if the connection, by its address, goes to a full queue in another network namespace of this host, but nothing
 * shows that the two namespaces are connected: isolated networks may use the same addresses.
 */
bool queues_may_refuse(const struct queues *queues, const struct conn *conn);
/*
 * An upper bound of the connections that the listener has dropped. Its own counter (sk_drops) also counts bare ACKs
 * that TCP_DEFER_ACCEPT ignores (tcp_check_req(), tcp_v4_rcv()). ListenDrops does not count these, but it counts the
 * drops of all listeners of the network namespace. The result is the smaller of the two. *ret_by_both is false if
 * ListenDrops is not known.
 */
uint64_t queue_drops(const struct snapshot *snapshot, const struct conn *listener, bool *ret_by_both);
/* The same since the previous snapshot; 0 if that is not known. */
uint32_t queue_drops_since(const struct snapshot *snapshot, const struct conn *listener);
