/*
 * Half-open connections (RFC 9293 section 3.5.1): one host has the connection, the other does not. That host was
 * restarted, or has given the connection up, and this side was not told. From one end such a connection only looks
 * idle. It shows if the other host was read completely too, and has no row that fits, in any state.
 *
 * A row may be missing for other reasons. Each must be ruled out:
 *
 *   it was opened or closed between     nothing has come for much longer than the two snapshots are apart; and far more
 *   the two snapshots                   are missing than idle connections are closed in so short a time
 *   the times of the snapshots are      a sibling's two ends remember the same moment: their ages differ by the time
 *   wrong (clocks, copied files)        between the snapshots
 *   a NAT, a proxy, a container's port  a sibling, between the same addresses and to the same service, is known there
 *   the address has several hosts       then the known ones would be as old as the missing ones; after a restart all
 *   (a load balancer, anycast)          known ones are younger, and have been used since
 *   the other snapshot was filtered     a sibling again: a filter that shows it would show the missing ones too
 *   its handshake was never completed   something was received, or acknowledged, after the handshake
 *   there (a full accept queue)
 *
 * If a row of the other host has the same client's end only, the host counts as knowing the connection: a redirection
 * (REDIRECT, DNAT, a sidecar) changes the server's address or port, and a client uses a port once at a time.
 */
#include "diagnose/unknown_ends.h"

#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/places.h"
#include "model/conn_hash.h"
#include "model/host.h"

enum { EVERY_STATE = STATE_BIT(STATE_COUNT) - 1 };

/* --- which connections are examined ------------------------------------------------------------------------------- */

struct search {
    const struct context *context;
    const struct snapshot *snapshot;
    struct unknown_ends *ends;
    struct hash_index outgoing, incoming, services;
    bool *has_rows; /* for each namespace: it has connections, and not only listeners */
};

static const struct host *host_of_netns(const struct snapshot *snapshot, uint32_t netns)
{
    return snapshot->netns[netns].host;
}

static bool is_open(const struct conn *conn)
{
    if (conn->state == STATE_FIN_WAIT_2) /* if no process holds it, it ends by itself */
        return !conn_is_unheld(conn) && conn->timer != TIMER_TIME_WAIT;
    return conn->state == STATE_ESTABLISHED && !conn_is_unheld(conn);
}

/* The only namespace that has the remote address. NO_INDEX if several have it, or if it is the connection's own. */
static uint32_t place_of_peer(const struct search *search, const struct conn *conn)
{
    if (!is_open(conn) || conn->remote_port == 0 || ip_is_loopback(&conn->local))
        return NO_INDEX;
    uint32_t netns = places_of(search->context, &conn->remote);
    if (netns == NO_INDEX || netns == conn->netns || places_of(search->context, &conn->local) != conn->netns)
        return NO_INDEX;
    return places_seen_whole(search->context, conn->netns, netns) ? netns : NO_INDEX;
}

static void collect(struct search *search)
{
    struct unknown_ends *ends = search->ends;
    for (size_t i = 0; i < search->snapshot->conn_count; i++) {
        const struct conn *conn = &search->snapshot->conns[i];
        search->has_rows[conn->netns] |= conn->remote_port != 0;
        uint32_t netns = place_of_peer(search, conn);
        if (netns == NO_INDEX)
            continue;
        xvec_grow((void **)&ends->items, ends->count, &ends->capacity, sizeof *ends->items);
        ends->items[ends->count++] = (struct unknown_end){ .conn = (uint32_t)i, .netns = netns, .service = NO_INDEX };
    }
}

/* --- which of them the other host has ----------------------------------------------------------------------------- */

static uint64_t hash_end(const struct ip *address, uint16_t port)
{
    static const struct ip none;
    return conn_hash_between(address, port, &none, 0);
}

/* Indexes them by the client's end. If so many are equal that the table refuses some, those count as known. */
static void index_items(struct search *search)
{
    struct unknown_ends *ends = search->ends;
    hash_index_init(&search->outgoing, ends->count);
    hash_index_init(&search->incoming, ends->count);
    for (size_t i = 0; i < ends->count; i++) {
        const struct conn *conn = &search->snapshot->conns[ends->items[i].conn];
        bool incoming = context_is_incoming(search->context, conn);
        struct hash_index *table = incoming ? &search->incoming : &search->outgoing;
        size_t before = table->count;
        hash_index_add(table,
            incoming ? hash_end(&conn->remote, conn->remote_port) : hash_end(&conn->local, conn->local_port),
            (uint32_t)i);
        ends->items[i].is_known = table->count == before;
    }
}

static bool is_end(const struct ip *one, uint16_t one_port, const struct ip *other, uint16_t other_port)
{
    return one_port == other_port && ip_is_same(one, other);
}

static void mark(const struct search *search, struct unknown_end *item, const struct conn *row)
{
    const struct conn *conn = &search->snapshot->conns[item->conn];
    item->is_known = true;
    if (row->netns != item->netns || row->state != STATE_ESTABLISHED || conn->state != STATE_ESTABLISHED ||
        !is_end(&row->local, row->local_port, &conn->remote, conn->remote_port) ||
        !is_end(&row->remote, row->remote_port, &conn->local, conn->local_port))
        return;
    item->is_sibling = true;
    item->other = (uint32_t)(row - search->snapshot->conns);
}

static void find_known(struct search *search)
{
    for (size_t i = 0; i < search->snapshot->conn_count; i++) {
        const struct conn *row = &search->snapshot->conns[i];
        if (row->remote_port == 0)
            continue;
        uint32_t index;
        struct hash_walk walk = hash_index_walk(&search->outgoing, hash_end(&row->remote, row->remote_port));
        while ((index = hash_walk_next(&search->outgoing, &walk)) != HASH_NONE) {
            const struct conn *conn = &search->snapshot->conns[search->ends->items[index].conn];
            if (is_end(&row->remote, row->remote_port, &conn->local, conn->local_port))
                mark(search, &search->ends->items[index], row);
        }
        walk = hash_index_walk(&search->incoming, hash_end(&row->local, row->local_port));
        while ((index = hash_walk_next(&search->incoming, &walk)) != HASH_NONE) {
            const struct conn *conn = &search->snapshot->conns[search->ends->items[index].conn];
            if (is_end(&row->local, row->local_port, &conn->remote, conn->remote_port))
                mark(search, &search->ends->items[index], row);
        }
    }
}

/* --- services ----------------------------------------------------------------------------------------------------- */

static uint16_t service_port(const struct conn *conn, bool incoming)
{
    return incoming ? conn->local_port : conn->remote_port;
}

static bool is_of_service(
    const struct search *search, const struct unknown_service *service, const struct conn *conn, bool incoming)
{
    const struct conn *first = &search->snapshot->conns[service->first];
    return first->netns == conn->netns && service->is_incoming == incoming &&
        service_port(first, incoming) == service_port(conn, incoming) && ip_is_same(&first->local, &conn->local) &&
        ip_is_same(&first->remote, &conn->remote);
}

static uint32_t find_service(const struct search *search, const struct conn *conn, bool incoming)
{
    uint64_t hash = conn_hash_between(&conn->local, incoming, &conn->remote, service_port(conn, incoming));
    struct hash_walk walk = hash_index_walk(&search->services, hash);
    uint32_t index;
    while ((index = hash_walk_next(&search->services, &walk)) != HASH_NONE) {
        if (is_of_service(search, &search->ends->services[index], conn, incoming))
            return index;
    }
    return NO_INDEX;
}

static uint32_t add_service(struct search *search, const struct unknown_end *item, bool incoming)
{
    struct unknown_ends *ends = search->ends;
    const struct conn *conn = &search->snapshot->conns[item->conn];
    uint64_t hash = conn_hash_between(&conn->local, incoming, &conn->remote, service_port(conn, incoming));
    hash_index_add(&search->services, hash, (uint32_t)ends->service_count);
    xvec_grow((void **)&ends->services, ends->service_count, &ends->service_capacity, sizeof *ends->services);
    ends->services[ends->service_count] = (struct unknown_service){ .first = item->conn,
        .times = unknown_times_of(
            search->snapshot, hosts_of_conn(search->snapshot, conn), host_of_netns(search->snapshot, item->netns)),
        .netns = item->netns,
        .has_rows = search->has_rows[item->netns],
        .is_incoming = incoming };
    return (uint32_t)ends->service_count++;
}

uint32_t unknown_ends_quiet_ms(const struct conn *conn)
{
    return conn->last_ack_recv_ms < conn->last_data_recv_ms ? conn->last_ack_recv_ms : conn->last_data_recv_ms;
}

bool unknown_ends_is_idle(const struct conn *conn, bool incoming)
{
    if (!conn_has(conn, CONN_QUEUES) || conn->recv_q_bytes > 0 || conn->send_q_bytes > 0)
        return false;
    return incoming || !conn_has(conn, CONN_BYTES) || conn->bytes_received > 0 || conn->bytes_acked > 1;
}

static void count_missing(struct unknown_service *service, const struct conn *conn)
{
    service->missing++;
    if (!conn_has(conn, CONN_TCP_INFO))
        return;
    bool quiet = unknown_ends_quiet_ms(conn) >= unknown_times_needed_ms(&service->times);
    service->in_use += !quiet;
    service->quiet += quiet && unknown_ends_is_idle(conn, service->is_incoming);
}

static void count_known(
    const struct snapshot *snapshot, struct unknown_service *service, const struct unknown_end *item)
{
    const struct conn *conn = &snapshot->conns[item->conn];
    service->known++;
    if (!item->is_sibling)
        return;
    enum dating dating = unknown_times_measure(&service->times, conn, &snapshot->conns[item->other]);
    service->siblings++;
    service->dated += dating == DATING_AGREES;
    service->misdated += dating == DATING_DIFFERS;
    if (conn_has(conn, CONN_TCP_INFO) && unknown_ends_quiet_ms(conn) > service->known_quiet_ms)
        service->known_quiet_ms = unknown_ends_quiet_ms(conn);
}

/* Makes the services: those with missing connections. */
static void sum_up(struct search *search)
{
    struct unknown_ends *ends = search->ends;
    size_t missing = 0;
    for (size_t i = 0; i < ends->count; i++)
        missing += !ends->items[i].is_known;
    hash_index_init(&search->services, missing);
    for (size_t i = 0; i < ends->count; i++) {
        struct unknown_end *item = &ends->items[i];
        const struct conn *conn = &search->snapshot->conns[item->conn];
        if (item->is_known)
            continue;
        bool incoming = context_is_incoming(search->context, conn);
        item->service = find_service(search, conn, incoming);
        if (item->service == NO_INDEX)
            item->service = add_service(search, item, incoming);
        count_missing(&ends->services[item->service], conn);
    }
    for (size_t i = 0; i < ends->count && missing > 0; i++) {
        const struct conn *conn = &search->snapshot->conns[ends->items[i].conn];
        if (!ends->items[i].is_known)
            continue;
        uint32_t service = find_service(search, conn, context_is_incoming(search->context, conn));
        if (service != NO_INDEX)
            count_known(search->snapshot, &ends->services[service], &ends->items[i]);
    }
}

/* Keeps the missing ones only. */
static void drop_known(struct unknown_ends *ends)
{
    size_t kept = 0;
    for (size_t i = 0; i < ends->count; i++) {
        if (!ends->items[i].is_known)
            ends->items[kept++] = ends->items[i];
    }
    ends->count = kept;
}

const struct unknown_ends *unknown_ends_find(const struct context *context)
{
    struct unknown_ends *ends = context->unknown_ends;
    const struct snapshot *snapshot = context->snapshot;
    if (ends->is_made)
        return ends;
    ends->is_made = true;
    if (snapshot->netns_count < 2 || context->seen != EVERY_STATE)
        return ends;
    struct search search = { .context = context, .snapshot = snapshot, .ends = ends };
    search.has_rows = xcalloc(snapshot->netns_count, sizeof *search.has_rows);
    collect(&search);
    if (ends->count > 0) {
        index_items(&search);
        find_known(&search);
        hash_index_deinit(&search.outgoing);
        hash_index_deinit(&search.incoming);
        sum_up(&search);
        hash_index_deinit(&search.services);
        drop_known(ends);
    }
    free(search.has_rows);
    return ends;
}

/* --- looking one up --------------------------------------------------------------------------------------------- */

static const struct unknown_end *find_item(const struct unknown_ends *ends, uint32_t conn)
{
    size_t first = 0, end = ends->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (ends->items[middle].conn < conn)
            first = middle + 1;
        else
            end = middle;
    }
    return first < ends->count && ends->items[first].conn == conn ? &ends->items[first] : NULL;
}

const struct unknown_service *unknown_ends_service(const struct context *context, const struct conn *conn)
{
    const struct unknown_ends *ends = unknown_ends_find(context);
    const struct unknown_end *item = find_item(ends, (uint32_t)(conn - context->snapshot->conns));
    return item != NULL ? &ends->services[item->service] : NULL;
}
