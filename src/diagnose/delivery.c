#include "diagnose/delivery.h"

#include "model/age.h"

enum {
    DEAD_PROBES = 2, /* unanswered window probes; each answer resets their count */
    ATTEMPTS = 3,    /* retransmissions; they take at least 0.2 + 0.4 + 0.8 s, so more than a lost segment or two */
};

unsigned delivery_attempts(const struct conn *conn)
{
    bool uncounted = conn_resends_uncounted(conn) && conn->backoff > conn->retransmits;
    return uncounted ? conn->backoff : conn->retransmits;
}

/* True if the peer's window is smaller than the data in flight: the peer has shrunk it. Packet loss cannot do that. */
static bool is_window_below_flight(const struct conn *conn)
{
    return conn_has(conn, CONN_SND_WND | CONN_BYTES | CONN_QUEUES) && conn->send_q_bytes > conn->notsent_bytes &&
        conn->snd_wnd_bytes < conn->send_q_bytes - conn->notsent_bytes;
}

/*
 * True if the peer has answered at least one of the last two transmissions. The last one was `rto - timer` ago, the one
 * before that half a timeout earlier. Also true if the source does not show these times.
 */
static bool answers_probes(const struct conn *conn)
{
    enum { ROUND_TRIP_MS = 1000 };
    if (!conn_has(conn, CONN_TCP_INFO | CONN_RTO))
        return true;
    uint64_t since_last = conn->rto_ms > conn->timer_ms ? conn->rto_ms - conn->timer_ms : 0;
    return conn->last_ack_recv_ms <= since_last + conn->rto_ms / 2 + ROUND_TRIP_MS;
}

/* True if a segment of the peer arrived in the second half of the time since the first transmission. */
static bool is_peer_heard(const struct snapshot *snapshot, const struct conn *conn)
{
    struct age age = conn_retransmitting_for(snapshot, conn);
    return age.kind != AGE_UNKNOWN && conn_has(conn, CONN_TCP_INFO) && conn->last_ack_recv_ms < age.ms / 2;
}

static enum delivery by_retransmit_timer(const struct snapshot *snapshot, const struct conn *conn)
{
    unsigned attempts = delivery_attempts(conn);
    if (conn_resends_uncounted(conn) || (conn_has_zero_window(conn) && conn->retransmits > 0)) {
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
    /*
     * With this timer, retransmits is the number of probes too: idiag_retrans is icsk_probes_out (inet_sk_diag_fill()).
     */
    if (conn->retransmits >= DEAD_PROBES || (conn_has(conn, CONN_TCP_INFO) && conn->probes >= DEAD_PROBES))
        return DELIVERY_UNANSWERED;
    return conn_has(conn, CONN_SND_WND) && conn->snd_wnd_bytes > 0 ? DELIVERY_OPEN : DELIVERY_NO_WINDOW;
}
