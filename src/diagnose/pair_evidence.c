#include "diagnose/pair_evidence.h"

#include "model/host.h"

/* The source reads the sockets one after the other, and the kernel's clock has ticks (HZ is at least 100). */
static uint32_t tolerance_ms(const struct snapshot *snapshot, const struct conn *one, const struct conn *other)
{
    enum { TICKS_MS = 20 };
    const struct host *host = hosts_of_conn(snapshot, one);
    uint32_t elapsed_us = host != NULL ? host->elapsed_us : snapshot->elapsed_us;
    uint32_t rtt_us = one->rtt_us > other->rtt_us ? one->rtt_us : other->rtt_us;
    return TICKS_MS + elapsed_us / 1000 + rtt_us / 1000;
}

/*
 * The receiver has received at least what was acknowledged to the sender, and at most that and the sender's send queue.
 * The SYN counts in bytes_acked of the side that opened the connection, but not in bytes_received. A FIN counts in both
 * (tcp_rcv_nxt_update(), tcp_snd_una_update()). Numbers that may have changed between the two readings are not
 * compared.
 */
static bool do_bytes_agree(const struct conn *sender, const struct conn *receiver, uint32_t tolerance)
{
    enum { SYN = 1 };
    if (!conn_has(sender, CONN_BYTES) || !conn_has(receiver, CONN_BYTES))
        return true;
    if (sender->last_ack_recv_ms > tolerance && receiver->bytes_received + SYN < sender->bytes_acked)
        return false;
    return receiver->last_data_recv_ms <= tolerance || receiver->last_ack_recv_ms <= tolerance ||
        !conn_has(sender, CONN_QUEUES) || receiver->bytes_received <= sender->bytes_acked + sender->send_q_bytes;
}

/*
 * Data cannot be received before it was sent. The sender's last transmission may be later than the receiver's last
 * data: a retransmission, or data that was not accepted (tcp_event_data_sent(), tcp_event_data_recv()). If the sender
 * has never sent data, both clocks have run since the handshake and must be equal.
 */
static bool do_clocks_agree(const struct conn *sender, const struct conn *receiver, uint32_t tolerance)
{
    bool is_silent = conn_has(sender, CONN_BYTES | CONN_QUEUES) && sender->bytes_acked <= 1 &&
        sender->send_q_bytes <= 1;
    if (is_silent && receiver->last_data_recv_ms > sender->last_data_sent_ms + tolerance)
        return false;
    return sender->last_data_sent_ms <= receiver->last_data_recv_ms + tolerance;
}

static bool is_open(const struct conn *conn)
{
    /* In SYN_SENT the clocks are not set yet; mini-sockets have none. */
    return conn_has(conn, CONN_TCP_INFO) && conn->state != STATE_SYN_SENT && conn->state != STATE_SYN_RECEIVED;
}

bool pair_evidence_allows(const struct snapshot *snapshot, const struct conn *one, const struct conn *other)
{
    if (!is_open(one) || !is_open(other))
        return true;
    uint32_t tolerance = tolerance_ms(snapshot, one, other);
    return do_bytes_agree(one, other, tolerance) && do_bytes_agree(other, one, tolerance) &&
        do_clocks_agree(one, other, tolerance) && do_clocks_agree(other, one, tolerance);
}
