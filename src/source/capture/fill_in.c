#include "source/capture/fill_in.h"

#define TAKE(field) conn->field = other->field

void conn_fill_in(struct conn *conn, const struct conn *other)
{
    uint16_t added = (uint16_t)(other->present & ~conn->present);
    if ((added & CONN_QUEUES) == 0)
        added &= (uint16_t)~CONN_BACKLOG; /* it tells the meaning of the queues */
    if ((added & CONN_QUEUES) != 0)
        TAKE(recv_q_bytes), TAKE(send_q_bytes);
    if ((added & CONN_TIMER) != 0)
        TAKE(timer), TAKE(timer_ms), TAKE(retransmits);
    if ((added & CONN_UID) != 0)
        TAKE(uid);
    if ((added & CONN_INODE) != 0)
        TAKE(inode);
    if ((added & CONN_COOKIE) != 0)
        TAKE(cookie);
    if ((added & CONN_SHUTDOWN) != 0)
        TAKE(shutdown);
    if ((added & CONN_TCP_INFO) != 0) {
        TAKE(probes), TAKE(backoff), TAKE(rtt_us), TAKE(rttvar_us), TAKE(unacked), TAKE(total_retrans);
        TAKE(last_data_sent_ms), TAKE(last_data_recv_ms), TAKE(last_ack_recv_ms);
    }
    if ((added & CONN_SND_WND) != 0)
        TAKE(snd_wnd_bytes);
    if ((added & CONN_RTO) != 0)
        TAKE(rto_ms);
    if ((added & CONN_RTO_TIME) != 0)
        TAKE(total_rto_time_ms), TAKE(rto_recoveries);
    if ((added & CONN_SKMEM) != 0)
        TAKE(skmem_rmem_bytes), TAKE(skmem_wmem_bytes), TAKE(skmem_drops);
    if ((added & CONN_BYTES) != 0)
        TAKE(notsent_bytes), TAKE(rwnd_limited_ms), TAKE(bytes_received), TAKE(bytes_acked);
    if ((added & CONN_SHOWN_AGE) != 0)
        TAKE(shown_age_ms), TAKE(shown_is_life);
    added &= (uint16_t)~CONN_CGROUP; /* the other text's control groups are not in this snapshot */
    conn->present |= added;
    if (ip_is_word(&conn->local) && !ip_is_word(&other->local))
        TAKE(local), TAKE(ipv6);
    if (ip_is_word(&conn->remote) && !ip_is_word(&other->remote))
        TAKE(remote), TAKE(ipv6);
}
