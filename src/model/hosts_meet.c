/*
 * Where both ends of connections may have been seen, and do not fit together because something between the hosts has
 * changed the addresses. Which end belongs to which would be a guess then; that it is so is told.
 *
 * Two traces are looked for. A translated destination (a virtual address, a Kubernetes service) leaves the client's
 * address and port as they are: the same client stands at one host with another server's address. A translated source
 * (masquerading) leaves the server's: a client's connections to an address of the other host are all unknown there, and
 * that host has connections from addresses that are nobody's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/hosts.h"
#include "model/listeners.h"
#include "model/own_addresses.h"

/* What a connection is looked up by: both of its ends, or its remote one and its host. What is not used is zero. */
struct ends {
    struct ip local, remote;
    uint16_t local_port, remote_port;
    uint32_t host;
};

struct ends_set {
    const struct snapshot *snapshot;
    struct ends (*ends_of)(const struct snapshot *snapshot, const struct conn *conn);
    uint32_t *slots; /* indexes of connections; one for each ends */
    size_t mask;
};

static uint32_t host_number(const struct snapshot *snapshot, const struct conn *conn)
{
    return (uint32_t)(hosts_of_conn(snapshot, conn) - snapshot->hosts);
}

static struct ends both_ends(const struct snapshot *snapshot, const struct conn *conn)
{
    (void)snapshot;
    return (struct ends){ conn->local, conn->remote, conn->local_port, conn->remote_port, 0 };
}

static struct ends remote_end(const struct snapshot *snapshot, const struct conn *conn)
{
    return (
        struct ends){ .remote = conn->remote, .remote_port = conn->remote_port, .host = host_number(snapshot, conn) };
}

static int set_init(struct ends_set *set, const struct snapshot *snapshot,
    struct ends (*ends_of)(const struct snapshot *snapshot, const struct conn *conn))
{
    size_t slots = 16;
    while (slots < snapshot->conn_count * 2)
        slots *= 2;
    *set = (struct ends_set){ snapshot, ends_of, malloc(slots * sizeof *set->slots), slots - 1 };
    if (set->slots == NULL)
        return -ENOMEM;
    memset(set->slots, 0xff, slots * sizeof *set->slots); /* NO_INDEX */
    return 0;
}

static bool same_ends(const struct ends *one, const struct ends *other)
{
    return one->local_port == other->local_port && one->remote_port == other->remote_port && one->host == other->host &&
        ip_equal(&one->local, &other->local) && ip_equal(&one->remote, &other->remote);
}

static uint32_t *set_slot(const struct ends_set *set, const struct ends *ends)
{
    uint64_t words[5] = { 0, 0, 0, 0,
        (uint64_t)ends->host << 32 | (uint32_t)ends->local_port << 16 | ends->remote_port };
    memcpy(words, ends->local.bytes, sizeof ends->local.bytes);
    memcpy(words + 2, ends->remote.bytes, sizeof ends->remote.bytes);
    size_t slot = hash_words(0, words, 5) & set->mask;
    for (; set->slots[slot] != NO_INDEX; slot = (slot + 1) & set->mask) {
        struct ends there = set->ends_of(set->snapshot, &set->snapshot->conns[set->slots[slot]]);
        if (same_ends(&there, ends))
            break;
    }
    return &set->slots[slot];
}

static void set_add(struct ends_set *set, uint32_t conn)
{
    struct ends ends = set->ends_of(set->snapshot, &set->snapshot->conns[conn]);
    *set_slot(set, &ends) = conn;
}

static bool set_has(const struct ends_set *set, const struct ends *ends)
{
    return *set_slot(set, ends) != NO_INDEX;
}

/* What was seen between two hosts, by numbers of hosts: from the first to the second. */
struct between {
    uint64_t direct; /* connections of the first to an address of the second … */
    uint64_t found;  /* … which the second knows … */
    uint64_t masked; /* … and connections that the second has at such a service from addresses that are nobody's */
    uint64_t translated; /* connections of the first whose client's end stands at the second with another server's */
};

struct meeting {
    struct snapshot *snapshot;
    struct listeners listeners;
    struct own_addresses owners;
    struct ends_set all;      /* by both ends */
    struct ends_set clients;  /* by the remote end: incoming ones whose other end, at another host, was not seen */
    struct ends_set services; /* by the remote end: outgoing ones, likewise */
    struct between *between;  /* host_count × host_count */
};

static struct between *between_of(const struct meeting *meeting, size_t one, size_t other)
{
    return &meeting->between[one * meeting->snapshot->host_count + other];
}

static bool is_incoming(const struct meeting *meeting, const struct conn *conn)
{
    return listeners_find(&meeting->listeners, conn) != NULL;
}

/* Of this host alone, and with somebody at its other end. */
static bool is_of_use(const struct meeting *meeting, const struct conn *conn)
{
    return conn->remote_port != 0 && !conn_is_listener(conn) &&
        own_addresses_host(&meeting->owners, &conn->local) == host_number(meeting->snapshot, conn);
}

/* As long as an end is in one of these the other is there too, unless its host has crashed. */
static bool has_living_end(const struct conn *conn)
{
    static const uint32_t states = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) |
        STATE_BIT(STATE_FIN_WAIT_2);
    return (states & STATE_BIT(conn->state)) != 0;
}

/* Connections to an address of another host: whether that knows them. */
static void count_direct(struct meeting *meeting)
{
    const struct snapshot *snapshot = meeting->snapshot;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        uint32_t own = host_number(snapshot, conn), peer = own_addresses_host(&meeting->owners, &conn->remote);
        if (!is_of_use(meeting, conn) || !has_living_end(conn) || peer >= snapshot->host_count || peer == own)
            continue;
        struct ends opposite = { conn->remote, conn->local, conn->remote_port, conn->local_port, 0 };
        bool found = set_has(&meeting->all, &opposite);
        between_of(meeting, own, peer)->direct++;
        between_of(meeting, own, peer)->found += found;
        if (!found)
            set_add(is_incoming(meeting, conn) ? &meeting->clients : &meeting->services, (uint32_t)i);
    }
}

/* Connections to, or from, an address that is nobody's: whether another host has them under another one. */
static void count_hidden(struct meeting *meeting)
{
    const struct snapshot *snapshot = meeting->snapshot;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (!is_of_use(meeting, conn) || own_addresses_host(&meeting->owners, &conn->remote) != OWN_NOBODY)
            continue;
        size_t own = host_number(snapshot, conn);
        bool incoming = is_incoming(meeting, conn);
        struct ends local = { .remote = conn->local, .remote_port = conn->local_port };
        for (uint32_t host = 0; host < snapshot->host_count; host++) {
            local.host = host;
            if (host != own && incoming)
                between_of(meeting, host, own)->masked += set_has(&meeting->services, &local);
            else if (host != own)
                between_of(meeting, own, host)->translated += set_has(&meeting->clients, &local);
        }
    }
}

/* --- telling ---------------------------------------------------------------------------------------------------- */

static void hide_id(struct buf *out, size_t one, size_t other)
{
    buf_printf(out, "ends-hidden-%zu-%zu", one, other);
}

static bool is_noted(const struct snapshot *snapshot, size_t one, size_t other)
{
    struct buf id = { 0 };
    hide_id(&id, one, other);
    bool noted = false;
    for (size_t i = 0; i < snapshot->gap_count && !noted; i++)
        noted = strcmp(snapshot->gaps[i].id, buf_text(&id)) == 0;
    buf_deinit(&id);
    return noted;
}

bool hosts_hide_ends(const struct snapshot *snapshot, const struct host *one, const struct host *other)
{
    size_t first = (size_t)(one - snapshot->hosts), second = (size_t)(other - snapshot->hosts);
    return is_noted(snapshot, first, second) || is_noted(snapshot, second, first);
}

static void note(struct meeting *meeting, size_t one, size_t other)
{
    struct snapshot *snapshot = meeting->snapshot;
    const struct between *between = between_of(meeting, one, other);
    const char *from = snapshot->hosts[one].name, *to = snapshot->hosts[other].name;
    bool masked = between->direct > 0 && between->found == 0 && between->masked > 0;
    if (between->translated == 0 && !masked)
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
        text_count(&text, between->direct);
        buf_printf(&text, " connections of %s go to %s, which knows none of them, and has ", from, to);
        text_count(&text, between->masked);
        buf_printf(&text, " there from addresses that neither has: a NAT or a proxy between them hides which are one");
    }
    hide_id(&id, one, other);
    snapshot_add_gap(snapshot, buf_text(&id), buf_text(&text),
        "add a snapshot of what stands between them, or look at its table (conntrack -L)");
    buf_deinit(&text);
    buf_deinit(&id);
}

static int meeting_init(struct meeting *meeting, struct snapshot *snapshot)
{
    *meeting = (struct meeting){ .snapshot = snapshot };
    listeners_init(&meeting->listeners, snapshot);
    own_addresses_init(&meeting->owners, snapshot);
    meeting->between = xcalloc(snapshot->host_count * snapshot->host_count, sizeof *meeting->between);
    int result = set_init(&meeting->all, snapshot, both_ends);
    if (result == 0)
        result = set_init(&meeting->clients, snapshot, remote_end);
    return result == 0 ? set_init(&meeting->services, snapshot, remote_end) : result;
}

static void meeting_deinit(struct meeting *meeting)
{
    listeners_deinit(&meeting->listeners);
    own_addresses_deinit(&meeting->owners);
    free(meeting->between);
    free(meeting->all.slots);
    free(meeting->clients.slots);
    free(meeting->services.slots);
}

int hosts_note_hidden(struct snapshot *snapshot)
{
    struct meeting meeting;
    int result = meeting_init(&meeting, snapshot);
    for (size_t i = 0; result == 0 && i < snapshot->conn_count; i++)
        set_add(&meeting.all, (uint32_t)i);
    if (result == 0) {
        count_direct(&meeting);
        count_hidden(&meeting);
        for (size_t one = 0; one < snapshot->host_count; one++) {
            for (size_t other = 0; other < snapshot->host_count; other++)
                note(&meeting, one, other);
        }
    }
    meeting_deinit(&meeting);
    return result;
}
