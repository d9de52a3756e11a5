#include "source/linux/inet_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

/*
 * The offsets of the fields of struct tcp_info that are read here (include/uapi/linux/tcp.h). The struct grows only at
 * its end. Each kernel sends its own version of it: a field is present if the attribute is long enough to contain it.
 */
enum tcp_info_offset {
    TCPI_PROBES = 3,
    TCPI_BACKOFF = 4,
    TCPI_RTO = 8,
    TCPI_UNACKED = 24,
    TCPI_LAST_DATA_SENT = 44,
    TCPI_LAST_DATA_RECV = 52,
    TCPI_LAST_ACK_RECV = 56,
    TCPI_RTT = 68,
    TCPI_RTTVAR = 72,
    TCPI_TOTAL_RETRANS = 100,
    TCPI_BASE_END = 104, /* every kernel since 2.6 sends at least this */
    TCPI_BYTES_ACKED = 120,
    TCPI_BYTES_RECEIVED = 128,
    TCPI_NOTSENT_BYTES = 144,
    TCPI_RWND_LIMITED = 176,         /* Linux 4.10 */
    TCPI_SND_WND = 228,              /* Linux 5.4 */
    TCPI_TOTAL_RTO_RECOVERIES = 242, /* Linux 6.7, 16 bits */
    TCPI_TOTAL_RTO_TIME = 244,
};

static uint32_t u32_at(const unsigned char *bytes, size_t offset)
{
    uint32_t value;
    memcpy(&value, bytes + offset, sizeof value);
    return value;
}

static uint64_t u64_at(const unsigned char *bytes, size_t offset)
{
    uint64_t value;
    memcpy(&value, bytes + offset, sizeof value);
    return value;
}

static uint32_t at_most_u32(uint64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void read_tcp_info(const unsigned char *info, size_t length, struct conn *conn)
{
    /* In LISTEN, two fields hold the length and the limit of the accept queue (tcp_get_info()). So do the queues. */
    if (length < TCPI_BASE_END || conn->state == STATE_LISTEN)
        return;
    conn->probes = info[TCPI_PROBES];
    conn->backoff = info[TCPI_BACKOFF];
    conn->rto_ms = u32_at(info, TCPI_RTO) / 1000;
    conn->rtt_us = u32_at(info, TCPI_RTT);
    conn->rttvar_us = u32_at(info, TCPI_RTTVAR);
    conn->unacked = u32_at(info, TCPI_UNACKED);
    conn->last_data_sent_ms = u32_at(info, TCPI_LAST_DATA_SENT);
    conn->last_data_recv_ms = u32_at(info, TCPI_LAST_DATA_RECV);
    conn->last_ack_recv_ms = u32_at(info, TCPI_LAST_ACK_RECV);
    conn->total_retrans = u32_at(info, TCPI_TOTAL_RETRANS);
    conn->present |= CONN_TCP_INFO | CONN_RTO;
    if (length >= TCPI_RWND_LIMITED + sizeof(uint64_t)) {
        conn->notsent_bytes = u32_at(info, TCPI_NOTSENT_BYTES);
        conn->bytes_acked = u64_at(info, TCPI_BYTES_ACKED);
        conn->bytes_received = u64_at(info, TCPI_BYTES_RECEIVED);
        conn->rwnd_limited_ms = at_most_u32(u64_at(info, TCPI_RWND_LIMITED) / 1000);
        conn->present |= CONN_BYTES;
    }
    if (length >= TCPI_SND_WND + sizeof(uint32_t)) {
        conn->snd_wnd_bytes = u32_at(info, TCPI_SND_WND);
        conn->present |= CONN_SND_WND;
    }
    if (length >= TCPI_TOTAL_RTO_TIME + sizeof(uint32_t)) {
        conn->total_rto_time_ms = u32_at(info, TCPI_TOTAL_RTO_TIME);
        uint16_t recoveries;
        memcpy(&recoveries, info + TCPI_TOTAL_RTO_RECOVERIES, sizeof recoveries);
        conn->rto_recoveries = recoveries > UINT8_MAX ? UINT8_MAX : (uint8_t)recoveries;
        conn->present |= CONN_RTO_TIME;
    }
}

/* SK_MEMINFO_… in linux/sock_diag.h */
enum { SKMEM_RMEM_ALLOC = 0, SKMEM_WMEM_QUEUED = 5, SKMEM_DROPS = 8, SKMEM_WORDS = 9 };

static void read_attribute(unsigned type, const unsigned char *value, size_t length, struct conn *conn)
{
    switch (type) {
    case INET_DIAG_INFO:
        read_tcp_info(value, length, conn);
        break;
    case INET_DIAG_SKMEMINFO:
        if (length >= SKMEM_WORDS * sizeof(uint32_t)) {
            conn->skmem_rmem_bytes = u32_at(value, SKMEM_RMEM_ALLOC * sizeof(uint32_t));
            conn->skmem_wmem_bytes = u32_at(value, SKMEM_WMEM_QUEUED * sizeof(uint32_t));
            conn->skmem_drops = u32_at(value, SKMEM_DROPS * sizeof(uint32_t));
            conn->present |= CONN_SKMEM;
        }
        break;
    case INET_DIAG_SHUTDOWN:
        if (length >= 1) {
            conn->shutdown = value[0] & (SHUTDOWN_RECEIVE | SHUTDOWN_SEND);
            conn->present |= CONN_SHUTDOWN;
        }
        break;
    case INET_DIAG_CGROUP_ID:
        if (length >= sizeof(uint64_t)) {
            conn->cgroup_id = u64_at(value, 0);
            conn->present |= CONN_CGROUP;
        }
        break;
    default:
        break;
    }
}

int inet_diag_parse(const void *payload, size_t length, struct conn *ret_conn)
{
    struct inet_diag_msg message;
    if (length < sizeof message)
        return -EBADMSG;
    memcpy(&message, payload, sizeof message);
    enum conn_state state = state_from_linux(message.idiag_state);
    if (state == STATE_UNKNOWN || (message.idiag_family != AF_INET && message.idiag_family != AF_INET6))
        return -EBADMSG;

    /*
     * A request names bound sockets by a state of their own, TCP_BOUND_INACTIVE; the answer has their real state, CLOSE
     * (inet_diag_dump_icsk()). One with a remote port was connected: its connection has ended, but it keeps the port
     * that bind() gave it (tcp_set_state()).
     */
    if (state == STATE_CLOSED && message.id.idiag_sport != 0 && message.id.idiag_dport == 0)
        state = STATE_BOUND;

    bool ipv6 = message.idiag_family == AF_INET6;
    const uint8_t *source = (const uint8_t *)message.id.idiag_src;
    const uint8_t *destination = (const uint8_t *)message.id.idiag_dst;
    struct conn conn = {
        .local = ipv6 ? ip_from_v6(source) : ip_from_v4(source),
        .remote = ipv6 ? ip_from_v6(destination) : ip_from_v4(destination),
        .local_port = ntohs(message.id.idiag_sport),
        .remote_port = ntohs(message.id.idiag_dport),
        .state = (uint8_t)state,
        .ipv6 = ipv6,
        .timer = message.idiag_timer,
        .retransmits = message.idiag_retrans,
        .timer_ms = message.idiag_expires,
        .uid = message.idiag_uid,
        .inode = message.idiag_inode,
        .holder = NO_INDEX,
        .cookie = (uint64_t)message.id.idiag_cookie[1] << 32 | message.id.idiag_cookie[0],
        .recv_q_bytes = message.idiag_rqueue,
        .send_q_bytes = message.idiag_wqueue,
        .present = CONN_QUEUES | CONN_TIMER | CONN_INODE | CONN_COOKIE,
    };
    /* The user id 0 without an inode means nothing: mini-sockets have it, and orphans before Linux 6.17. */
    if (conn.inode != 0 || conn.uid != 0)
        conn.present |= CONN_UID;
    if (state == STATE_LISTEN)
        conn.present |= CONN_BACKLOG;

    const unsigned char *bytes = payload;
    size_t at = NLMSG_ALIGN(sizeof message);
    while (at < length && length - at >= sizeof(struct nlattr)) {
        struct nlattr attribute;
        memcpy(&attribute, bytes + at, sizeof attribute);
        if (attribute.nla_len < sizeof attribute || attribute.nla_len > length - at)
            break;
        read_attribute(
            attribute.nla_type & NLA_TYPE_MASK, bytes + at + NLA_HDRLEN, attribute.nla_len - (size_t)NLA_HDRLEN, &conn);
        at += NLA_ALIGN(attribute.nla_len);
    }
    *ret_conn = conn;
    return 0;
}
