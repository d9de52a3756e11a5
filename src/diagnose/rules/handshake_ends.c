/*
 * The other ends of SYN_SENT and SYN_RECEIVED (RFC 9293 §3.5). If the other end was seen, its state says what it has
 * received:
 *
 *   SYN_SENT here, SYN_RECEIVED there       the SYN has arrived; the SYN-ACK does not come back
 *   SYN_RECEIVED here, ESTABLISHED there    the SYN-ACK has arrived; the ACK, and data after it, does not come here
 *
 * If the other host was seen whole and has nothing of the connection, that says something too. A kernel that receives a
 * SYN keeps a half-open connection (tcp_conn_request()) or answers with a reset, and a kernel that receives a SYN-ACK
 * that it has not asked for answers with a reset (tcp_v4_send_reset()). But a kernel keeps nothing while it answers
 * with cookies or while the accept queue is full, and a NAT may change the client's address or port: then nothing is
 * concluded.
 */
#include "diagnose/rules/handshake_ends.h"

#include "diagnose/phrases.h"
#include "diagnose/phrases_lost.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/places.h"
#include "diagnose/platform.h"
#include "diagnose/queues.h"
#include "model/conn_hash.h"
#include "model/host.h"

/* --- connections of which the other host has nothing ---------------------------------------------------------- */

struct search {
    const struct context *context;
    const struct snapshot *snapshot;
    const struct group *group;
    bool is_syn_sent;
    uint32_t
        *places; /* for each connection of the group: where its other end should be; NO_INDEX: not to be looked for */
};

static uint64_t hash_end(const struct ip *address, uint16_t port)
{
    static const struct ip none;
    return conn_hash_between(address, port, &none, 0);
}

static bool is_end(const struct ip *one, uint16_t one_port, const struct ip *other, uint16_t other_port)
{
    return one_port == other_port && ip_is_same(one, other);
}

static const struct conn *listener_there(const struct context *context, const struct conn *conn, uint32_t netns)
{
    const struct conn end = { .local = conn->remote,
        .local_port = conn->remote_port,
        .netns = netns,
        .ipv6 = conn->ipv6,
        .state = STATE_SYN_RECEIVED };
    return listeners_find(&context->listeners, &end);
}

/*
 * True if the kernel there would show a SYN that it received. It does not while it answers with cookies (net.ipv4.
 * tcp_syncookies is 2, or the request queue is full) or drops SYNs because the accept queue is full.
 */
static bool would_show_syn(const struct context *context, const struct conn *conn, uint32_t netns)
{
    enum { COOKIES_ALWAYS = 2 };
    const struct conn *listener = listener_there(context, conn, netns);
    if (setting_value(&context->snapshot->net_values[netns], SETTING_SYNCOOKIES, 1) == COOKIES_ALWAYS)
        return false;
    const struct queue *queue = listener != NULL ? context_queue(context, listener) : NULL;
    return listener == NULL || (!listener_is_full(listener) && (queue == NULL || queue->half_open == 0));
}

/* Where the other end should be, if it would be seen there; else NO_INDEX. */
static uint32_t find_place(const struct search *search, const struct conn *conn)
{
    enum { LATER_MS = 30 * 1000 }; /* the other host's kernel keeps a half-open connection longer than that */
    const struct context *context = search->context;
    bool is_own = ip_is_loopback(&conn->remote) || ip_is_same(&conn->local, &conn->remote);
    uint32_t netns = is_own ? conn->netns : places_of(context, &conn->remote);
    if (netns == NO_INDEX || !conn_has(conn, CONN_TIMER) || !places_seen_whole(context, conn->netns, netns))
        return NO_INDEX;
    const struct host *own = hosts_of_conn(search->snapshot, conn), *host = search->snapshot->netns[netns].host;
    if (!lost_is_still_there(search->snapshot, conn, host) ||
        (own != host && host->taken_at_ms > own->taken_at_ms + LATER_MS))
        return NO_INDEX;
    return !search->is_syn_sent || would_show_syn(context, conn, netns) ? netns : NO_INDEX;
}

/*
 * Marks the connections whose client's end is known there, with whatever address and port of the service: a redirection
 * (REDIRECT, DNAT) changes these.
 */
static void mark_known(const struct search *search, const struct hash_index *table, const struct conn *row)
{
    const struct ip *address = search->is_syn_sent ? &row->remote : &row->local;
    uint16_t port = search->is_syn_sent ? row->remote_port : row->local_port;
    struct hash_walk walk = hash_index_walk(table, hash_end(address, port));
    uint32_t index;
    while ((index = hash_walk_next(table, &walk)) != HASH_NONE) {
        const struct conn *conn = &search->snapshot->conns[search->group->conns[index]];
        if (search->is_syn_sent ? is_end(address, port, &conn->local, conn->local_port)
                                : is_end(address, port, &conn->remote, conn->remote_port))
            search->places[index] = NO_INDEX;
    }
}

/* True if a client of another address may be the true one: something on its host changes addresses (masquerading). */
static bool may_be_masked(const struct search *search, const struct conn *row)
{
    const struct conn *first = &search->snapshot->conns[search->group->conns[0]];
    return !search->is_syn_sent && row->state == STATE_SYN_SENT && row->remote_port == first->local_port &&
        ip_is_same(&row->remote, &first->local) && !ip_is_same(&row->local, &first->remote);
}

static void find_absent(struct search *search, struct arena *arena)
{
    const struct group *group = search->group;
    struct hash_index table;
    size_t wanted = 0;
    search->places = arena_alloc(arena, group->count * sizeof *search->places);
    hash_index_init(&table, group->count);
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &search->snapshot->conns[group->conns[i]];
        bool has_pair = group->pair_of != NULL && group->pair_of[i] != NO_INDEX;
        search->places[i] = has_pair ? NO_INDEX : find_place(search, conn);
        size_t before = table.count;
        if (search->places[i] != NO_INDEX)
            hash_index_add(&table,
                search->is_syn_sent ? hash_end(&conn->local, conn->local_port)
                                    : hash_end(&conn->remote, conn->remote_port),
                (uint32_t)i);
        if (table.count == before) /* of very many equal rows, the table does not take all */
            search->places[i] = NO_INDEX;
        wanted += search->places[i] != NO_INDEX;
    }
    bool masked = false;
    for (size_t i = 0; i < search->snapshot->conn_count && wanted > 0; i++) {
        const struct conn *row = &search->snapshot->conns[i];
        if (row->remote_port != 0)
            mark_known(search, &table, row);
        masked |= may_be_masked(search, row);
    }
    for (size_t i = 0; i < group->count && masked; i++)
        search->places[i] = NO_INDEX;
    hash_index_deinit(&table);
}

/* --- what is known of a group ------------------------------------------------------------------------------------- */

static void add_place(struct handshake_ends *ends, const struct snapshot *snapshot, const struct conn *conn,
    uint32_t netns, uint32_t *last, struct arena *arena)
{
    if (*last == NO_INDEX)
        ends->there = places_name(arena, snapshot, conn, netns);
    else if (*last != netns)
        ends->there = NULL;
    *last = netns;
    ends->example = conn;
    ends->is_local &= snapshot->netns[netns].host == hosts_of_conn(snapshot, conn);
}

static bool add_pair(
    struct handshake_ends *ends, const struct snapshot *snapshot, const struct conn *conn, const struct conn *other)
{
    if (conn_is_listener(other) || !lost_is_still_there(snapshot, conn, hosts_of_conn(snapshot, other)) ||
        conn->state == other->state) /* both in SYN_SENT: a simultaneous open */
        return false;
    if (conn->state == STATE_SYN_SENT || other->state == STATE_SYN_SENT)
        ends->synack_lost++;
    else
        ends->ack_lost++;
    return true;
}

struct handshake_ends handshake_ends_of(const struct context *context, const struct group *group, struct arena *arena)
{
    const struct snapshot *snapshot = context->snapshot;
    struct handshake_ends ends = { .count = group->count, .is_local = true };
    struct search search = { .context = context,
        .snapshot = snapshot,
        .group = group,
        .is_syn_sent = snapshot->conns[group->conns[0]].state == STATE_SYN_SENT };
    find_absent(&search, arena);
    uint32_t last = NO_INDEX;
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        uint32_t pair = group->pair_of != NULL ? group->pair_of[i] : NO_INDEX, place = search.places[i];
        if (pair != NO_INDEX) {
            if (add_pair(&ends, snapshot, conn, &snapshot->conns[pair]))
                add_place(&ends, snapshot, conn, snapshot->conns[pair].netns, &last, arena);
        } else if (place != NO_INDEX) {
            *(search.is_syn_sent ? &ends.syn_lost : &ends.forgotten) += 1;
            ends.unlistened += search.is_syn_sent && listener_there(context, conn, place) == NULL;
            add_place(&ends, snapshot, conn, place, &last, arena);
        }
    }
    return ends;
}

bool handshake_ends_agree(const struct handshake_ends *ends)
{
    return ends->count == ends->syn_lost || ends->count == ends->synack_lost || ends->count == ends->ack_lost ||
        ends->count == ends->forgotten;
}

/* --- words ------------------------------------------------------------------------------------------------------ */

static const char *there_or(const struct handshake_ends *ends, const char *several)
{
    return ends->there != NULL ? ends->there : several;
}

/* Where packets may be dropped. */
static const char *who_drops(const struct handshake_ends *ends)
{
    if (ends->is_local)
        return "A packet filter on this host drops it, or what connects its network namespaces does.";
    if (ends->syn_lost + ends->forgotten > 0)
        return "A packet filter on one of the two hosts drops it, or a firewall between them; or the way leads to "
               "another host (a wrong route, an address that has moved).";
    return "A packet filter on one of the two hosts drops it, or a firewall between them, or a route is wrong.";
}

static const char *why_of(struct arena *arena, const struct handshake_ends *ends, bool is_syn_sent)
{
    const char *there = there_or(ends, is_syn_sent ? "each of the other hosts" : "each of the clients' hosts");
    if (ends->unlistened > 0 && ends->unlistened == ends->count)
        return arena_printf(arena,
            "A SYN was sent, again and again. %s was seen too: nobody listens on that port there, and no reset comes "
            "back that says so. The SYN, or the reset, is lost on the way. %s",
            there, who_drops(ends));
    if (ends->syn_lost > 0)
        return arena_printf(arena,
            "A SYN was sent, again and again. %s was seen too and has nothing of it, not even a half-open connection: "
            "the SYN is lost on the way there. %s",
            there, who_drops(ends));
    if (ends->synack_lost > 0 && is_syn_sent)
        return arena_printf(arena,
            "A SYN was sent, again and again, and it has arrived: on %s the other end waits in SYN_RECEIVED. The "
            "SYN-ACK that answers it is lost on the way back. %s",
            there, who_drops(ends));
    if (ends->synack_lost > 0)
        return arena_printf(arena,
            "The SYN has arrived, and the SYN-ACK was sent and sent again. On %s the client still waits for it "
            "(SYN_SENT): the SYN-ACK is lost on the way to the client. %s",
            there, who_drops(ends));
    if (ends->ack_lost > 0)
        return arena_printf(arena,
            "The SYN-ACK was sent and sent again, and it has arrived: on %s the connection is open for the client. The "
            "client's ACK, and what it has sent since, is lost on the way here. %s",
            there, who_drops(ends));
    return arena_printf(arena,
        "The SYN-ACK was sent and sent again. %s was seen too and has nothing of the connection: the client has given "
        "up, or somebody else has sent the SYN in its name. A kernel answers such a SYN-ACK with a reset, which would "
        "end the half-open connection: the SYN-ACK, or the reset, is lost on the way. %s",
        there, who_drops(ends));
}

static const char *title_of(struct arena *arena, const struct context *context, const struct group *group,
    const struct handshake_ends *ends, const struct finding *finding, bool is_syn_sent)
{
    const char *service = phrases_service(arena, context, group);
    const char *conns = phrases_conns(arena, group->count);
    if (!is_syn_sent)
        return arena_printf(arena, "%s %s stay half-open: %s", conns, service,
            ends->synack_lost > 0    ? "the SYN-ACK does not arrive at the client"
                : ends->ack_lost > 0 ? "the client's ACK does not arrive here"
                                     : "the client's host does not know them");
    const char *one = group->count == 1 ? "its SYN" : arena_printf(arena, "the SYNs of %s", conns);
    const char *owner = phrases_owner(arena, finding);
    if (ends->unlistened == ends->count)
        return arena_printf(arena, "%s cannot connect %s: nobody listens there, and no reset comes", owner, service);
    if (ends->syn_lost > 0)
        return arena_printf(arena, "%s cannot connect %s: %s %s not arrive there", owner, service, one,
            group->count == 1 ? "does" : "do");
    return arena_printf(arena, "%s cannot connect %s: the answers to %s are lost", owner, service, one);
}

static void add_partial_evidence(struct arena *arena, const struct handshake_ends *ends, struct lines *evidence)
{
    const char *there = there_or(ends, "the other hosts");
    if (ends->syn_lost > 0)
        lines_add(evidence, arena, "Of %s, %s (seen too) has nothing: the SYN does not arrive there.",
            phrases_conns(arena, ends->syn_lost), there);
    if (ends->synack_lost > 0)
        lines_add(evidence, arena, "On %s the SYN has arrived and the SYN-ACK is lost: both ends were seen.",
            phrases_conns(arena, ends->synack_lost));
    if (ends->ack_lost > 0)
        lines_add(evidence, arena, "On %s the client has answered, and its ACK does not arrive here.",
            phrases_conns(arena, ends->ack_lost));
    if (ends->forgotten > 0)
        lines_add(evidence, arena, "Of %s, %s (seen too) has nothing: the client has given up, or it was another.",
            phrases_conns(arena, ends->forgotten), there);
}

static void add_fixes(const struct context *context, const struct handshake_ends *ends, bool is_syn_sent,
    struct arena *arena, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    const char *there = there_or(ends, "the other host");
    const char *packets = platform_fill(arena, platform->packets, phrases_address(arena, &ends->example->local));
    if (ends->unlistened > 0)
        fixes_add(&finding->fix_now, arena,
            arena_printf(arena,
                "On %s nobody listens on port %u: start what should, or correct the port here or the rule that "
                "forwards it.",
                there, ends->example->remote_port),
            NULL);
    if (ends->is_local) {
        fixes_add(&finding->fix_now, arena, "See what filters packets on this host, and whether the way is up.",
            platform_fill(arena, platform->route, phrases_address(arena, &ends->example->remote)));
        return;
    }
    bool outward = is_syn_sent ? ends->synack_lost == 0 : ends->ack_lost == 0;
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena,
            outward ? "On %s, see whether the %s arrives. tcpdump shows it before the packet filter there does: if it "
                      "is shown, the filter there drops it; if not, it is lost before."
                    : "On %s, see whether the %s leaves. tcpdump shows it after the packet filter there: if it is not "
                      "shown, the filter there drops it.",
            there, is_syn_sent ? (outward ? "SYN" : "SYN-ACK") : (outward ? "SYN-ACK" : "ACK")),
        packets);
}

void handshake_ends_describe(const struct context *context, const struct group *group,
    const struct handshake_ends *ends, struct arena *arena, struct finding *finding)
{
    bool is_syn_sent = context->snapshot->conns[group->conns[0]].state == STATE_SYN_SENT;
    if (ends->example == NULL)
        return;
    add_fixes(context, ends, is_syn_sent, arena, finding);
    if (!handshake_ends_agree(ends)) {
        add_partial_evidence(arena, ends, &finding->evidence);
        return;
    }
    finding->title = title_of(arena, context, group, ends, finding, is_syn_sent);
    finding->why = why_of(arena, ends, is_syn_sent);
    bool is_inferred = ends->syn_lost > 0 || ends->forgotten > 0 || !ends->is_local;
    if (is_inferred && finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    lines_add(&finding->ruled_out, arena,
        is_syn_sent               ? "Not a host that is down: it was seen too."
            : ends->forgotten > 0 ? "Not a client's host that is down: it was seen too."
                                  : "Not a made-up sender, and so no flood: the clients' ends were seen too.");
}
