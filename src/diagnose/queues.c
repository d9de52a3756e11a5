/*
 * Counts what waits at each listener: half-open connections, complete connections in its accept queue, and connections
 * of this host that send to it without an answer. Several rules need these numbers, and a listener that does not accept
 * is the one root cause of all of it. So the numbers are computed once.
 */
#include "diagnose/queues.h"

#include <stdlib.h>

#include "base/memory.h"
#include "hosts/nat.h"
#include "model/age.h"
#include "model/host.h"
#include "model/previous.h"

/* sk_acceptq_is_full() in include/net/sock.h: more than the backlog. */
bool listener_is_full(const struct conn *listener)
{
    return conn_has(listener, CONN_QUEUES | CONN_BACKLOG) && listener->recv_q_bytes > listener->send_q_bytes;
}

bool queue_is_full(const struct queue *queue)
{
    return queue != NULL && listener_is_full(queue->listener);
}

bool queue_is_stalled(const struct queue *queue)
{
    return queue_is_full(queue) || (queue != NULL && queue->closed > 0);
}

/* inet_csk_reqsk_queue_is_full() in include/net/inet_connection_sock.h: as many as the backlog. */
bool queue_is_near_backlog(const struct queue *queue)
{
    enum { NEAR_PERCENT = 90 };
    return conn_has(queue->listener, CONN_QUEUES | CONN_BACKLOG) && queue->half_open > 0 &&
        queue->half_open * 100 >= (uint64_t)queue->listener->send_q_bytes * NEAR_PERCENT;
}

/* From here on, reqsk_timer_handler() drops old half-open connections sooner. */
bool queue_is_half_full(const struct queue *queue)
{
    return conn_has(queue->listener, CONN_QUEUES | CONN_BACKLOG) && queue->half_open > 0 &&
        queue->half_open * 2 >= queue->listener->send_q_bytes;
}

/* The queue of the listener; a new one is added. */
static struct queue *queue_at(struct queues *queues, const struct snapshot *snapshot, const struct conn *listener)
{
    size_t index = (size_t)(listener - snapshot->conns);
    if (queues->numbers == NULL)
        queues->numbers = xcalloc(snapshot->conn_count, sizeof *queues->numbers);
    if (queues->numbers[index] == 0) {
        if (queues->count == queues->capacity) {
            queues->capacity = queues->capacity ? queues->capacity * 2 : 8;
            queues->items = xrealloc_array(queues->items, queues->capacity, sizeof *queues->items);
        }
        queues->items[queues->count++] = (struct queue){ .listener = listener };
        queues->numbers[index] = (uint32_t)queues->count;
    }
    return &queues->items[queues->numbers[index] - 1];
}

static void add_address(struct queue *queue, const struct ip *address)
{
    for (unsigned i = 0; i < queue->address_count; i++) {
        if (ip_equal(&queue->addresses[i], address))
            return;
    }
    if (queue->address_count < QUEUE_ADDRESSES_MAX)
        queue->addresses[queue->address_count++] = *address;
}

static void add_waiting(struct queue *queue, const struct snapshot *snapshot, const struct conn *conn)
{
    enum { NOT_ACCEPTED_MS = 5000 };
    queue->waiting++;
    if (!conn_has(conn, CONN_TCP_INFO))
        return;
    queue->aged++;
    /*
     * The time since the handshake. last_data_sent is set when the handshake ends (tcp_create_openreq_child()), and
     * later only by sent data; nothing is sent before accept(). last_ack_recv is set by every segment of the client,
     * also by its keepalive probes.
     */
    uint32_t waited_ms = conn->last_data_sent_ms > conn->last_ack_recv_ms ? conn->last_data_sent_ms
                                                                          : conn->last_ack_recv_ms;
    if (waited_ms > queue->oldest_ms)
        queue->oldest_ms = waited_ms;
    queue->closed += conn->state == STATE_CLOSE_WAIT && conn_age(snapshot, conn).ms >= NOT_ACCEPTED_MS;
}

/*
 * True if the first timeout is over. If a packet filter of this host drops the SYN-ACK, the kernel counts no
 * retransmission; then the timer is longer than the first timeout.
 */
static bool is_repeated(const struct conn *conn)
{
    enum { FIRST_TIMEOUT_MS = 1000 };
    return conn_has(conn, CONN_TIMER) && (conn->retransmits > 0 || conn->timer_ms > FIRST_TIMEOUT_MS);
}

static bool waits_to_be_accepted(const struct conn *conn)
{
    return (conn->state == STATE_ESTABLISHED || conn->state == STATE_CLOSE_WAIT) && conn_has(conn, CONN_INODE) &&
        conn->inode == 0;
}

/* --- connections of this host that go to one of its listeners --------------------------------------------------- */

/* True if it retransmits: no answer has come yet. */
static bool is_unanswered(const struct conn *conn)
{
    return (conn->state == STATE_SYN_SENT || conn->state == STATE_ESTABLISHED) && conn_has(conn, CONN_TIMER) &&
        conn->timer == TIMER_RETRANSMIT && conn->retransmits > 0;
}

/*
 * True if address and port are those of this queue's listener. A remote address is one of the listener's host if the
 * listener is bound to it, or if a connection to that address waits in the queue.
 */
static bool fits_address(const struct queue *queue, const struct conn *conn)
{
    const struct conn *listener = queue->listener;
    bool same_netns = conn->netns == listener->netns;
    if (conn->remote_port != listener->local_port || (!same_netns && ip_is_loopback(&conn->remote)))
        return false;
    if (ip_is_same(&listener->local, &conn->remote))
        return true;
    if (!ip_is_any(&listener->local))
        return false;
    if (same_netns && (ip_is_loopback(&conn->remote) || ip_is_same(&conn->local, &conn->remote)))
        return true;
    for (unsigned i = 0; i < queue->address_count; i++) {
        if (ip_is_same(&queue->addresses[i], &conn->remote))
            return true;
    }
    return false;
}

/* Into another namespace of the same host: whether the two are connected, addresses do not tell. */
static bool needs_link(const struct snapshot *snapshot, const struct queue *queue, const struct conn *conn)
{
    return conn->netns != queue->listener->netns &&
        hosts_of_conn(snapshot, conn) == hosts_of_conn(snapshot, queue->listener);
}

static bool is_linked(const struct queues *queues, const struct queue *queue, const struct conn *conn)
{
    const struct snapshot *snapshot = queues->listeners->snapshot;
    return needs_link(snapshot, queue, conn) ? netns_links_have(&queues->links, conn->netns, queue->listener->netns)
                                             : hosts_may_pair(snapshot, conn, queue->listener);
}

/* *ret_possible: it is not known to go to any, and would by its address. */
static struct queue *stalled_queue_behind(const struct queues *queues, const struct conn *conn, bool *ret_possible)
{
    *ret_possible = false;
    for (size_t i = 0; i < queues->count; i++) {
        struct queue *queue = &queues->items[i];
        if (!queue_is_full(queue) || !fits_address(queue, conn))
            continue;
        if (conn->netns == queue->listener->netns || is_linked(queues, queue, conn)) {
            *ret_possible = false;
            return queue;
        }
        *ret_possible |= needs_link(queues->listeners->snapshot, queue, conn);
    }
    return NULL;
}

static void count_unanswered(struct queues *queues, const struct snapshot *snapshot)
{
    bool any_full = false;
    for (size_t i = 0; i < queues->count; i++)
        any_full |= queue_is_full(&queues->items[i]);
    bool are_links_found = false;
    for (size_t i = 0; any_full && i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (!is_unanswered(conn))
            continue;
        bool is_possible;
        struct queue *queue = stalled_queue_behind(queues, conn, &is_possible);
        if (is_possible && !are_links_found) { /* few hosts have such connections */
            netns_links_find(&queues->links, snapshot);
            are_links_found = true;
            queue = stalled_queue_behind(queues, conn, &is_possible);
        }
        if (queue != NULL && conn->state == STATE_SYN_SENT)
            queue->syns_refused++;
        else if (queue != NULL)
            queue->unanswered++;
    }
}

/* --- the peers of half-open connections --------------------------------------------------------------------------- */

struct half_open {
    uint32_t queue;
    struct ip peer;
};

static int by_queue_and_peer(const void *a, const void *b)
{
    const struct half_open *one = a, *other = b;
    if (one->queue != other->queue)
        return one->queue < other->queue ? -1 : 1;
    return ip_compare(&one->peer, &other->peer);
}

/* Counts the peers of queues that are at least half full. No rule needs them for other queues. */
static void count_half_open_peers(struct queues *queues, const struct snapshot *snapshot)
{
    size_t most = 0, count = 0;
    for (size_t i = 0; i < queues->count; i++)
        most += queue_is_half_full(&queues->items[i]) ? queues->items[i].half_open : 0;
    if (most == 0)
        return;
    struct half_open *all = xcalloc(most, sizeof *all);
    for (size_t i = 0; i < snapshot->conn_count && count < most; i++) {
        const struct conn *conn = &snapshot->conns[i];
        const struct queue *queue = conn->state == STATE_SYN_RECEIVED
            ? queues_at(queues, listeners_find(queues->listeners, conn))
            : NULL;
        if (queue != NULL && queue_is_half_full(queue))
            all[count++] = (struct half_open){ (uint32_t)(queue - queues->items), conn->remote };
    }
    qsort(all, count, sizeof *all, by_queue_and_peer);
    for (size_t i = 0; i < count; i++)
        queues->items[all[i].queue].half_open_peers += i == 0 || by_queue_and_peer(&all[i - 1], &all[i]) != 0;
    free(all);
}

/* --- for the rules ---------------------------------------------------------------------------------------------- */

void queues_init(struct queues *queues, const struct listeners *listeners)
{
    const struct snapshot *snapshot = listeners->snapshot;
    *queues = (struct queues){ .listeners = listeners };
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        bool half_open = conn->state == STATE_SYN_RECEIVED;
        if (!half_open && !waits_to_be_accepted(conn) && !(conn_is_listener(conn) && listener_is_full(conn)))
            continue;
        const struct conn *listener = listeners_find(listeners, conn);
        if (listener == NULL)
            continue;
        struct queue *queue = queue_at(queues, snapshot, listener);
        if (conn_is_listener(conn))
            continue;
        add_address(queue, &conn->local);
        if (half_open) {
            queue->half_open++;
            queue->half_open_repeated += is_repeated(conn);
            queue->half_open_timed += conn_has(conn, CONN_TIMER);
        } else {
            add_waiting(queue, snapshot, conn);
        }
    }
    count_unanswered(queues, snapshot);
    count_half_open_peers(queues, snapshot);
}

void queues_deinit(struct queues *queues)
{
    free(queues->items);
    free(queues->numbers);
    netns_links_deinit(&queues->links);
    *queues = (struct queues){ 0 };
}

const struct queue *queues_at(const struct queues *queues, const struct conn *listener)
{
    if (listener == NULL || queues->numbers == NULL)
        return NULL;
    uint32_t number = queues->numbers[listener - queues->listeners->snapshot->conns];
    return number == 0 ? NULL : &queues->items[number - 1];
}

const struct conn *queues_stalled_listener(const struct queues *queues, const struct conn *conn)
{
    const struct queue *queue = NULL;
    if (conn->state == STATE_SYN_RECEIVED || waits_to_be_accepted(conn)) {
        queue = queues_at(queues, listeners_find(queues->listeners, conn));
        return queue_is_stalled(queue) ? queue->listener : NULL;
    }
    bool is_possible;
    queue = is_unanswered(conn) ? stalled_queue_behind(queues, conn, &is_possible) : NULL;
    return queue ? queue->listener : NULL;
}

bool queues_may_refuse(const struct queues *queues, const struct conn *conn)
{
    bool is_possible = false;
    if (is_unanswered(conn))
        (void)stalled_queue_behind(queues, conn, &is_possible);
    return is_possible;
}

uint64_t queue_drops(const struct snapshot *snapshot, const struct conn *listener, bool *ret_by_both)
{
    const struct net_values *values = snapshot_net_values(snapshot, listener);
    uint64_t drops = conn_has(listener, CONN_SKMEM) ? listener->skmem_drops : 0;
    *ret_by_both = values != NULL && values->has_counter[COUNTER_LISTEN_DROPS];
    if (*ret_by_both && (uint64_t)values->counters[COUNTER_LISTEN_DROPS] < drops)
        drops = (uint64_t)values->counters[COUNTER_LISTEN_DROPS];
    return drops;
}

uint32_t queue_drops_since(const struct snapshot *snapshot, const struct conn *listener)
{
    const struct conn *then = previous_conn(snapshot, listener);
    if (then == NULL || !conn_has(listener, CONN_SKMEM) || !conn_has(then, CONN_SKMEM))
        return 0;
    uint32_t drops = listener->skmem_drops > then->skmem_drops ? listener->skmem_drops - then->skmem_drops : 0;
    int64_t rise;
    uint64_t ms;
    bool known = snapshot_counter_rise(snapshot, listener->netns, COUNTER_LISTEN_DROPS, &rise, &ms);
    return known && rise < drops ? (uint32_t)(rise > 0 ? rise : 0) : drops;
}
