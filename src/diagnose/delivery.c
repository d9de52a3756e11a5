#include "diagnose/delivery.h"

#include "model/age.h"

enum {
    DEAD_PROBES = 2, /* a peer that is alive answers every window probe, which resets the count */
    ATTEMPTS = 3,    /* 0.2 + 0.4 + 0.8 s at the least: not a lost segment or two */
};

unsigned delivery_attempts(const struct conn *conn)
{
    bool uncounted = conn_resends_uncounted(conn) && conn->backoff > conn->retransmits;
    return uncounted ? conn->backoff : conn->retransmits;
}

static bool shows_no_window(const struct conn *conn)
{
    return conn_has(conn, CONN_SND_WND) && conn->snd_wnd_bytes == 0;
}

/* The peer offers less than what is in flight already: it has shrunk its window. A lossy path does not do that. */
static bool is_window_below_flight(const struct conn *conn)
{
    return conn_has(conn, CONN_SND_WND | CONN_BYTES | CONN_QUEUES) && conn->send_q_bytes > conn->notsent_bytes &&
        conn->snd_wnd_bytes < conn->send_q_bytes - conn->notsent_bytes;
}

/*
 * Whether the peer has answered what was sent last, or the time before: of two in a row one at least. The timer tells
 * when that was. True where the source does not show it.
 */
static bool answers_probes(const struct conn *conn)
{
    enum { ROUND_TRIP_MS = 1000 };
    if (!conn_has(conn, CONN_TCP_INFO | CONN_RTO))
        return true;
    uint64_t since_last = conn->rto_ms > conn->timer_ms ? conn->rto_ms - conn->timer_ms : 0;
    return conn->last_ack_recv_ms <= since_last + conn->rto_ms / 2 + ROUND_TRIP_MS;
}

/* While we kept sending the same again. */
static bool is_peer_heard(const struct snapshot *snapshot, const struct conn *conn)
{
    struct age age = conn_retransmitting_for(snapshot, conn);
    return age.kind != AGE_UNKNOWN && conn_has(conn, CONN_TCP_INFO) && conn->last_ack_recv_ms < age.ms / 2;
}

static enum delivery by_retransmit_timer(const struct snapshot *snapshot, const struct conn *conn)
{
    unsigned attempts = delivery_attempts(conn);
    if (conn_resends_uncounted(conn) || (shows_no_window(conn) && conn->retransmits > 0)) {
        if (answers_probes(conn))
            return DELIVERY_WINDOW_TAKEN_BACK;
        return attempts >= ATTEMPTS ? DELIVERY_UNANSWERED : DELIVERY_OPEN;
    }
    if (attempts < ATTEMPTS)
        return DELIVERY_OPEN;
    if (!is_peer_heard(snapshot, conn))
        return DELIVERY_UNANSWERED;
    return is_window_below_flight(conn) ? DELIVERY_WINDOW_TAKEN_BACK : DELIVERY_REFUSED;
}

enum delivery delivery_of(const struct snapshot *snapshot, const struct conn *conn)
{
    if (!conn_has(conn, CONN_TIMER))
        return DELIVERY_OPEN;
    if (conn->timer == TIMER_RETRANSMIT)
        return by_retransmit_timer(snapshot, conn);
    if (conn->timer != TIMER_PERSIST)
        return DELIVERY_OPEN;
    /* Of this timer both count the same: idiag_retrans is icsk_probes_out then (inet_sk_diag_fill()). */
    if (conn->retransmits >= DEAD_PROBES || (conn_has(conn, CONN_TCP_INFO) && conn->probes >= DEAD_PROBES))
        return DELIVERY_UNANSWERED;
    return conn_has(conn, CONN_SND_WND) && conn->snd_wnd_bytes > 0 ? DELIVERY_OPEN : DELIVERY_NO_WINDOW;
}
