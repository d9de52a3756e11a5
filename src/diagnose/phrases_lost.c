#include "diagnose/phrases_lost.h"

#include "diagnose/context.h"
#include "diagnose/delivery.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_peer.h"
#include "diagnose/places.h"
#include "diagnose/platform.h"
#include "model/age.h"
#include "model/host.h"

/* --- the other ends --------------------------------------------------------------------------------------------- */

/* How long nothing has been answered; 0 if that is not known. */
static uint64_t unanswered_ms(const struct snapshot *snapshot, const struct conn *conn)
{
    struct age age = conn_age(snapshot, conn);
    if (age.kind != AGE_UNKNOWN)
        return age.ms;
    return conn_has(conn, CONN_TCP_INFO) ? conn->last_ack_recv_ms : 0;
}

bool lost_is_still_there(const struct snapshot *snapshot, const struct conn *conn, const struct host *host)
{
    enum { MARGIN_MS = 1000 }; /* the clocks of two hosts may differ by this time */
    const struct host *own = hosts_of_conn(snapshot, conn);
    return own == host || host->taken_at_ms >= own->taken_at_ms ||
        host->taken_at_ms + unanswered_ms(snapshot, conn) >= own->taken_at_ms + MARGIN_MS;
}

/* True if the other end's receive buffer is full: it drops our data and repeats its last ACK (tcp_data_queue()). */
static bool is_refused(const struct snapshot *snapshot, const struct conn *conn, const struct conn *other)
{
    enum delivery delivery = delivery_of(snapshot, conn);
    return (delivery == DELIVERY_REFUSED || delivery_is_zero_window(delivery)) && conn_has(other, CONN_QUEUES) &&
        other->recv_q_bytes > 1 && !conn_is_unheld(other);
}

/*
 * Compares what the other end has received with what was acknowledged here. The SYN counts in bytes_acked of the side
 * that opened the connection, but not in bytes_received (tcp_snd_una_update(), tcp_rcv_nxt_update()). So if the two are
 * equal, everything that arrived is acknowledged, or all but one byte.
 */
static void count_bytes(const struct conn *conn, const struct conn *other, struct lost *lost)
{
    if (!conn_has(conn, CONN_BYTES | CONN_QUEUES) || !conn_has(other, CONN_BYTES))
        return;
    lost->backward += other->bytes_received > conn->bytes_acked;
    lost->outward += other->bytes_received < conn->bytes_acked ||
        (other->bytes_received == conn->bytes_acked && conn->send_q_bytes > 1);
}

/* True if the other end has received our FIN. RFC 9293 §3.3.2, figure 5: it is then in one of these states. */
static bool has_our_fin(const struct conn *other)
{
    const uint32_t states = STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_LAST_ACK) | STATE_BIT(STATE_CLOSING) |
        STATE_BIT(STATE_TIME_WAIT);
    return (states & STATE_BIT(other->state)) != 0;
}

static void count_way(
    const struct snapshot *snapshot, const struct conn *conn, const struct conn *other, struct lost *lost)
{
    const uint32_t sent_fin = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK);
    bool more_came = conn_has(conn, CONN_BYTES) && conn_has(other, CONN_BYTES) && /* data before the FIN */
        other->bytes_received > conn->bytes_acked;
    if (is_refused(snapshot, conn, other))
        lost->full++;
    else if ((sent_fin & STATE_BIT(conn->state)) != 0)
        *(has_our_fin(other) || more_came ? &lost->backward : &lost->outward) += 1;
    else
        count_bytes(conn, other, lost);
}

struct lost lost_of(const struct context *context, const struct group *group)
{
    const struct snapshot *snapshot = context->snapshot;
    struct lost lost = { .is_local = true, .is_sure = true, .count = group->count };
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        uint32_t pair = group->pair_of != NULL ? group->pair_of[i] : NO_INDEX;
        const struct conn *other = pair != NO_INDEX ? &snapshot->conns[pair] : NULL;
        bool is_end = other != NULL && !conn_is_listener(other);
        if (is_end && lost_is_still_there(snapshot, conn, hosts_of_conn(snapshot, other))) {
            lost.example = conn;
            lost.opposite = other;
            lost.seen++;
            count_way(snapshot, conn, other, &lost);
        }
        if (is_end || !lost.is_local) {
            lost.is_local &= is_end && hosts_of_conn(snapshot, conn) == hosts_of_conn(snapshot, other);
            continue;
        }
        enum one_host one_host = places_are_one_host(context, conn);
        lost.is_local = one_host != ONE_HOST_UNKNOWN;
        lost.is_sure &= one_host == ONE_HOST_SURE;
    }
    return lost;
}

bool lost_is_local(const struct context *context, const struct group *group)
{
    return lost_of(context, group).is_local;
}

/* --- words ------------------------------------------------------------------------------------------------------ */

static const char *peers_are(const struct lost *lost)
{
    return lost->count == 1 ? "the peer is still there" : "the peers are still there";
}

const char *lost_title(struct arena *arena, const struct lost *lost, const char *what)
{
    if (!lost_has_all(lost))
        return NULL;
    char *begin = arena_strdup(arena, what);
    if (begin[0] >= 'a' && begin[0] <= 'z')
        begin[0] = (char)(begin[0] - 'a' + 'A');
    if (lost->full == lost->seen)
        return arena_printf(arena, "%s is not taken: the program at the other end does not read", begin);
    if (lost->outward == lost->seen)
        return arena_printf(arena, "%s does not arrive: %s", begin, peers_are(lost));
    if (lost->backward == lost->seen)
        return arena_printf(arena, "The answer to %s is lost on the way back: %s", what, peers_are(lost));
    return arena_printf(arena, "%s, or the answer to it, is lost on the way: %s", begin, peers_are(lost));
}

static const char *way_of(const struct lost *lost)
{
    if (lost->full == lost->seen)
        return "what is sent from here arrives there and is refused: the receive buffer is full, because the program "
               "there does not read";
    if (lost->outward == lost->seen)
        return "what is sent from here has not arrived there: it is lost on the way to the peer";
    if (lost->backward == lost->seen)
        return "what is sent from here has arrived there: the answers are lost on the way back";
    return "what is sent from here is lost on the way to the peer, or the answers are lost on the way back";
}

const char *lost_why(struct arena *arena, const struct lost *lost, const char *vanished)
{
    if (lost->seen == 0 && lost->is_local)
        return "Both ends belong to this host, and no host crashes alone: a packet filter on this host drops the "
               "packets, its interface is down, or the other socket is gone and the reset that says so is dropped too.";
    if (lost->seen == 0)
        return vanished;
    const char *where = lost->full == lost->seen ? ""
        : lost->is_local
        ? " A packet filter on this host drops the packets, or what connects its network namespaces does (a link that "
          "is down, connection tracking that forgot the connection)."
        : " Something on the path drops the packets: a packet filter on one of the two hosts, a firewall or NAT "
          "between them that forgot the connection, or a route that differs from the way back.";
    if (lost_has_all(lost))
        return arena_printf(arena, "%s and still %s the connection%s (the other end was seen too); %s.%s",
            lost->count == 1 ? "The peer is there" : "The peers are there", lost->count == 1 ? "has" : "have",
            lost->count == 1 ? "" : "s", way_of(lost), where);
    return arena_printf(arena,
        "On %s the peer is there and still has the connection (the other end was seen too); %s.%s Of the others no "
        "other end was seen.%s%s",
        phrases_conns(arena, lost->seen), way_of(lost), where, lost->is_local ? "" : " ",
        lost->is_local ? "" : vanished);
}

void lost_assess(struct arena *arena, const struct lost *lost, struct finding *finding)
{
    bool one_way = lost->outward == lost->seen || lost->backward == lost->seen;
    bool at_one_moment = lost->is_local && lost_has_all(lost); /* what two hosts show is of two moments */
    bool unsure = lost->seen > 0 ? !(one_way && at_one_moment) : lost->is_local && !lost->is_sure;
    if (unsure && finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    if (lost_has_all(lost))
        lines_add(&finding->ruled_out, arena, "Not a peer that has crashed or was switched off: its end was seen too.");
    else if (lost->is_local)
        lines_add(
            &finding->ruled_out, arena, "Not a peer that has crashed or was switched off: both ends are on this host.");
    if (lost_has_all(lost) && lost->full == lost->seen)
        finding->fault = FAULT_PEER_APPLICATION;
}

bool lost_fix(struct arena *arena, const struct context *context, const struct lost *lost, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    if (lost->seen > 0 && lost->full == lost->seen)
        return phrases_fix_reader(arena, context, finding);
    if (lost->is_local) {
        fixes_add(&finding->fix_now, arena, "See what filters packets on this host, and whether the way is up.",
            platform_fill(arena, platform->route, phrases_address(arena, &finding->peers[0].address)));
        return true;
    }
    if (lost->seen == 0)
        return false;
    const struct host *host = hosts_of_conn(context->snapshot, lost->opposite);
    bool outward = lost->outward == lost->seen;
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena,
            outward ? "On %s, see whether what is sent from here arrives, and what filters packets there."
                    : "On %s, see whether the answers leave, and what filters packets there.",
            host != NULL ? host->name : "the peer"),
        platform_fill(arena, platform->packets, phrases_address(arena, &lost->example->local)));
    return true;
}
