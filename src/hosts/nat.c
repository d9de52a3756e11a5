/*
 * Finds hosts whose connections were seen at both ends, but do not match, because something between the hosts has
 * changed the addresses. To pair such ends would be a guess. So they are not paired, and a gap is noted.
 *
 * There are two signs. (1) A translated destination (a virtual address, a published port) does not change the client's
 * address and port. Example: 10.0.0.1:4000 talks to 10.9.9.9:80, and the server 10.0.0.2:80 has 10.0.0.1:4000 as its
 * peer. (2) A translated source (masquerading) does not change the server's address and port. The client's connection
 * is unknown at the server. The server has another connection on that port instead, which is unknown at its source. It
 * comes from an address that no host has, or from the client's host itself, which masquerades its containers. Each
 * connection is judged alone: other connections between the same hosts may match.
 *
 * Ends may also be missing for ordinary reasons: a connection has just begun, has ended before the other host was read,
 * or was not read. So only connections count that must have another end, and only hosts that were read completely. A
 * connection that may be younger than one of the snapshots counts only if its port is found at the server.
 */
#include "hosts/nat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "hosts/clock_skew.h"
#include "hosts/endpoint_set.h"
#include "model/listeners.h"
#include "hosts/local_addresses.h"

/*
 * While one end is in one of these states, the other end is in the opposite state, unless its host crashed or gave up.
 */
enum living { LIVING_ESTABLISHED, LIVING_FIN_WAIT_2, LIVING_CLOSE_WAIT, LIVING_COUNT };

static const enum living opposites[LIVING_COUNT] = { LIVING_ESTABLISHED, LIVING_CLOSE_WAIT, LIVING_FIN_WAIT_2 };

/* The connections from one host (the first) to another (the second). */
struct between {
    uint64_t direct;                /* connections of the first to an address of the second */
    uint64_t found;                 /* direct ones whose other end the second has */
    uint64_t missing[LIVING_COUNT]; /* direct ones that the second lacks, old enough for both snapshots */
    uint64_t undated[LIVING_COUNT]; /* direct ones that the second lacks, of unknown age */
    uint64_t young;                 /* direct ones that the second lacks, perhaps too young for both snapshots */
    /* Connections of the second to the same service as missing ones, which are unknown at their source. */
    uint64_t strangers[LIVING_COUNT];
    uint64_t from_nobody; /* strangers from addresses that no host has */
    uint64_t same_port;   /* strangers with the client port of a missing one: masquerading keeps the port if it can */
    uint64_t translated;  /* connections of the first that the second has with another server address */
};

/* The data for the search of ends that something between the hosts hides. */
struct search {
    struct snapshot *snapshot;
    struct listeners listeners;
    struct local_addresses owners;
    struct endpoint_set all;      /* all connections, by both ends */
    struct endpoint_set clients;  /* incoming ones whose other end was not seen, by the remote end */
    struct endpoint_set services; /* outgoing ones whose other end was not seen, by the remote end */
    struct endpoint_set ports;    /* the same outgoing ones, by the remote end and the local port */
    struct between *between;      /* host_count × host_count */
};

static struct between *between_of(const struct search *search, size_t one, size_t other)
{
    return &search->between[one * search->snapshot->host_count + other];
}

static struct ends both_ends(const struct snapshot *snapshot, const struct conn *conn)
{
    (void)snapshot;
    return (struct ends){ conn->local, conn->remote, conn->local_port, conn->remote_port, 0 };
}

static struct ends remote_end(const struct snapshot *snapshot, const struct conn *conn)
{
    return (
        struct ends){ .remote = conn->remote, .remote_port = conn->remote_port, .host = hosts_number(snapshot, conn) };
}

static struct ends remote_end_and_port(const struct snapshot *snapshot, const struct conn *conn)
{
    struct ends ends = remote_end(snapshot, conn);
    ends.local_port = conn->local_port;
    return ends;
}

static bool is_incoming(const struct search *search, const struct conn *conn)
{
    return listeners_find(&search->listeners, conn) != NULL;
}

/* LIVING_COUNT: another state. A FIN_WAIT_2 without a descriptor ends by itself while its other end stays. */
static enum living living_of(const struct conn *conn)
{
    bool has_peer = conn->remote_port != 0 && !ip_is_any(&conn->local) && !ip_is_loopback(&conn->local);
    if (!has_peer)
        return LIVING_COUNT;
    if (conn->state == STATE_FIN_WAIT_2)
        return conn_is_unheld(conn) || conn->timer == TIMER_TIME_WAIT ? LIVING_COUNT : LIVING_FIN_WAIT_2;
    return conn->state == STATE_ESTABLISHED ? LIVING_ESTABLISHED
        : conn->state == STATE_CLOSE_WAIT   ? LIVING_CLOSE_WAIT
                                            : LIVING_COUNT;
}

/* True if the other end was seen, and only the connection's own host has its local address. */
static bool is_found(const struct search *search, const struct conn *conn)
{
    struct ends opposite = { conn->remote, conn->local, conn->remote_port, conn->local_port, 0 };
    return local_addresses_host(&search->owners, &conn->local) == hosts_number(search->snapshot, conn) &&
        endpoint_set_has(&search->all, &opposite);
}

/* True if nothing has passed for so long that the connection must have existed when the other host was read. */
static bool spans_both_snapshots(const struct conn *conn, const struct host *one, const struct host *other)
{
    enum { MARGIN_MS = 1000 };
    uint64_t apart = hosts_clock_skew_ms(one, other) + (one->elapsed_us + (uint64_t)other->elapsed_us) / 1000 +
        MARGIN_MS;
    uint32_t quiet = conn->last_data_sent_ms > conn->last_data_recv_ms ? conn->last_data_sent_ms
                                                                       : conn->last_data_recv_ms;
    return (conn->last_ack_recv_ms > quiet ? conn->last_ack_recv_ms : quiet) >= apart;
}

static void count_missing(struct search *search, uint32_t index, struct between *between, const struct host *other)
{
    const struct snapshot *snapshot = search->snapshot;
    const struct conn *conn = &snapshot->conns[index];
    if (is_incoming(search, conn)) {
        endpoint_set_add(&search->clients, index);
        return;
    }
    if (!conn_has(conn, CONN_TCP_INFO))
        between->undated[living_of(conn)]++;
    else if (spans_both_snapshots(conn, hosts_of_conn(snapshot, conn), other))
        between->missing[living_of(conn)]++;
    else
        between->young++;
    endpoint_set_add(&search->services, index);
    endpoint_set_add(&search->ports, index);
}

/* Counts connections to an address of another host, and how many of them that host has. */
static void count_direct(struct search *search)
{
    const struct snapshot *snapshot = search->snapshot;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        uint32_t own = hosts_number(snapshot, conn), peer = local_addresses_host(&search->owners, &conn->remote);
        if (living_of(conn) == LIVING_COUNT || peer >= snapshot->host_count || peer == own)
            continue;
        struct between *between = between_of(search, own, peer);
        bool found = is_found(search, conn);
        between->direct++;
        between->found += found;
        if (!found)
            count_missing(search, (uint32_t)i, between, &snapshot->hosts[peer]);
    }
}

/* Counts a connection of the second host that the first host may have under another address. */
static void count_stranger(struct search *search, const struct conn *conn, uint32_t first, bool from_nobody)
{
    const struct snapshot *snapshot = search->snapshot;
    struct ends service = { .remote = conn->local, .remote_port = conn->local_port, .host = first };
    if (!endpoint_set_has(&search->services, &service))
        return;
    struct between *between = between_of(search, first, hosts_number(snapshot, conn));
    between->strangers[living_of(conn)]++;
    between->from_nobody += from_nobody;
    service.local_port = conn->remote_port;
    between->same_port += endpoint_set_has(&search->ports, &service);
}

/* For each connection whose other end was not found: counts whether another host may have it under another address. */
static void count_hidden(struct search *search)
{
    const struct snapshot *snapshot = search->snapshot;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        uint32_t own = hosts_number(snapshot, conn), peer = local_addresses_host(&search->owners, &conn->remote);
        bool from_nobody = peer == LOCAL_TO_NOBODY;
        if (living_of(conn) == LIVING_COUNT || peer == own || peer == LOCAL_TO_SEVERAL || is_found(search, conn))
            continue;
        bool incoming = is_incoming(search, conn);
        struct ends client = { .remote = conn->local, .remote_port = conn->local_port };
        for (client.host = 0; client.host < snapshot->host_count; client.host++) {
            if (client.host == own || (!from_nobody && client.host != peer))
                continue;
            /* A host that was not read completely may have the other end. */
            if (from_nobody || !snapshot->hosts[peer].is_partial)
                count_stranger(search, conn, client.host, from_nobody);
            if (!incoming)
                between_of(search, own, client.host)->translated += endpoint_set_has(&search->clients, &client);
        }
    }
}

/* --- gaps ------------------------------------------------------------------------------------------------------- */

static uint64_t sum(const uint64_t counts[LIVING_COUNT])
{
    return counts[LIVING_ESTABLISHED] + counts[LIVING_FIN_WAIT_2] + counts[LIVING_CLOSE_WAIT];
}

/*
 * How many missing ones and strangers may be one connection by their states. Undated ones count only if most are
 * missing.
 */
static uint64_t count_masqueraded(const struct between *between, uint64_t missing)
{
    uint64_t count = 0;
    for (size_t i = 0; i < LIVING_COUNT; i++) {
        uint64_t here = between->missing[i] + (missing * 2 > between->direct ? between->undated[i] : 0);
        uint64_t there = between->strangers[opposites[i]];
        count += here < there ? here : there;
    }
    return count;
}

/* True if a translated source hides the ends of connections from one host to the other. */
static bool is_masqueraded(const struct search *search, size_t one, size_t other)
{
    enum { APART_MOST_MS = 60 * 1000 }; /* beyond this, GAP_HOSTS_APART is noted; the time alone may explain it */
    const struct between *between = between_of(search, one, other);
    const struct host *hosts = search->snapshot->hosts;
    uint64_t missing = sum(between->missing) + sum(between->undated) + between->young;
    if (missing == 0 || hosts[other].is_partial || hosts_clock_skew_ms(&hosts[one], &hosts[other]) >= APART_MOST_MS)
        return false;
    return count_masqueraded(between, missing) > 0 || between->same_port * 2 > missing;
}

/* --- ends that may be paired ------------------------------------------------------------------------------------- */

static int compare_addresses(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ip));
}

static bool is_shared(const struct snapshot *snapshot, const struct ip *address)
{
    return snapshot->shared_address_count > 0 &&
        bsearch(address, snapshot->shared_addresses, snapshot->shared_address_count, sizeof *address,
            compare_addresses) != NULL;
}

bool hosts_may_pair(const struct snapshot *snapshot, const struct conn *conn, const struct conn *other)
{
    const struct host *one_host = hosts_of_conn(snapshot, conn), *other_host = hosts_of_conn(snapshot, other);
    if (one_host == other_host)
        return true;
    if (hosts_are_apart(one_host, other_host))
        return false;
    const struct ip *ends[] = { &conn->local, &conn->remote };
    for (size_t i = 0; i < 2; i++) {
        if (ip_is_loopback(ends[i]) || is_shared(snapshot, ends[i]))
            return false;
    }
    return true;
}

bool hosts_hide_ends(const struct snapshot *snapshot, const struct host *one, const struct host *other)
{
    size_t first = (size_t)(one - snapshot->hosts), second = (size_t)(other - snapshot->hosts);
    return hosts_are_apart(one, other) || (one->ends_hidden & UINT64_C(1) << second) != 0 ||
        (other->ends_hidden & UINT64_C(1) << first) != 0;
}

static void write_masqueraded(struct buf *text, const struct between *between, const char *from, const char *to)
{
    uint64_t strangers = sum(between->strangers);
    text_count(text, sum(between->missing) + sum(between->undated) + between->young);
    buf_printf(text, " connections of %s go to %s, which %s, and has ", from, to,
        between->found == 0 ? "knows none of them" : "does not know them");
    text_count(text, strangers);
    if (between->from_nobody == strangers)
        buf_str(text, " there from addresses that neither has");
    else
        buf_printf(text, " there that %s does not know", from);
    buf_printf(text, ": a NAT or a proxy between them hides which are one, if %s has not lost its ends", to);
}

static void add_hidden_gap(struct search *search, size_t one, size_t other)
{
    struct snapshot *snapshot = search->snapshot;
    const struct between *between = between_of(search, one, other);
    const char *from = snapshot->hosts[one].name, *to = snapshot->hosts[other].name;
    bool apart = hosts_are_apart(&snapshot->hosts[one], &snapshot->hosts[other]);
    if (apart || (between->translated == 0 && !is_masqueraded(search, one, other)))
        return;
    struct buf text = { 0 }, id = { 0 };
    buf_str(&text, "which ends belong together: ");
    if (between->translated > 0) {
        text_count(&text, between->translated);
        buf_printf(&text,
            " of the connections of %s stand at %s with the same address and port of the client, but with another "
            "address of the server; what translates it between them (a virtual address, a NAT) hides which are one",
            from, to);
    } else {
        write_masqueraded(&text, between, from, to);
    }
    snapshot->hosts[one].ends_hidden |= UINT64_C(1) << other;
    const struct gap_info *info = &gap_infos[GAP_ENDS_HIDDEN];
    buf_printf(&id, "%s-%zu-%zu", info->id, one, other);
    snapshot_add_gap(snapshot, buf_text(&id), buf_text(&text), info->remedy);
    buf_deinit(&text);
    buf_deinit(&id);
}

static void search_init(struct search *search, struct snapshot *snapshot)
{
    *search = (struct search){ .snapshot = snapshot };
    listeners_init(&search->listeners, snapshot);
    local_addresses_init(&search->owners, snapshot);
    search->between = xcalloc(snapshot->host_count * snapshot->host_count, sizeof *search->between);
    endpoint_set_init(&search->all, snapshot, both_ends);
    endpoint_set_init(&search->clients, snapshot, remote_end);
    endpoint_set_init(&search->services, snapshot, remote_end);
    endpoint_set_init(&search->ports, snapshot, remote_end_and_port);
}

static void search_deinit(struct search *search)
{
    listeners_deinit(&search->listeners);
    local_addresses_deinit(&search->owners);
    free(search->between);
    endpoint_set_deinit(&search->all);
    endpoint_set_deinit(&search->clients);
    endpoint_set_deinit(&search->services);
    endpoint_set_deinit(&search->ports);
}

void hosts_note_hidden(struct snapshot *snapshot)
{
    struct search search;
    search_init(&search, snapshot);
    for (size_t i = 0; i < snapshot->conn_count; i++)
        endpoint_set_add(&search.all, (uint32_t)i);
    count_direct(&search);
    count_hidden(&search);
    for (size_t one = 0; one < snapshot->host_count; one++) {
        for (size_t other = 0; other < snapshot->host_count; other++)
            add_hidden_gap(&search, one, other);
    }
    search_deinit(&search);
}
