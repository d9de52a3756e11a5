#include "source/linux/bpf/bpf_parse.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "source/linux/inet_diag.h"

enum { MS_PER_SECOND = 1000, US_PER_SECOND = 1000 * 1000 };

/* Converts ticks to milliseconds as jiffies_to_msecs() does. */
static uint32_t ms_from(uint32_t ticks, unsigned hz)
{
    return (uint32_t)((uint64_t)ticks * MS_PER_SECOND / hz);
}

static struct ip address_from(const __u32 words[4], bool ipv6)
{
    const uint8_t *bytes = (const uint8_t *)words;
    return ipv6 ? ip_from_v6(bytes) : ip_from_v4(bytes);
}

static void set_head(const struct bpf_socket_head *head, unsigned hz, struct conn *conn)
{
    enum conn_state state = state_from_linux(head->state);
    if (state == STATE_CLOSED && head->local_port != 0 && head->remote_port == 0)
        state = STATE_BOUND;
    bool ipv6 = head->family == AF_INET6;
    *conn = (struct conn){
        .local = address_from(head->local, ipv6),
        .remote = address_from(head->remote, ipv6),
        .local_port = head->local_port,
        .remote_port = ntohs(head->remote_port),
        .state = (uint8_t)state,
        .ipv6 = ipv6,
        .timer = head->timer,
        .retransmits = head->retransmits,
        .timer_ms = head->timer_ticks > 0 ? ms_from((uint32_t)head->timer_ticks, hz) : 0,
        .cookie = head->cookie,
        .holder = NO_INDEX,
        .present = CONN_QUEUES | CONN_TIMER | CONN_INODE | CONN_COOKIE,
    };
}

static void set_state(const struct bpf_socket_state *state, const struct bpf_socket_head *head, struct conn *conn)
{
    conn->uid = state->uid;
    conn->inode = state->inode;
    conn->shutdown = head->shutdown & (SHUTDOWN_RECEIVE | SHUTDOWN_SEND);
    conn->cgroup_id = state->cgroup_id;
    conn->recv_q_bytes = state->recv_q;
    conn->send_q_bytes = state->send_q;
    conn->skmem_rmem_bytes = state->skmem_rmem;
    conn->skmem_wmem_bytes = state->skmem_wmem;
    conn->skmem_drops = state->skmem_drops;
    conn->present |= CONN_SHUTDOWN | CONN_SKMEM;
    if (state->cgroup_id != 0)
        conn->present |= CONN_CGROUP;
    /* The user id 0 without an inode means nothing: orphans have it before Linux 6.17. */
    if (state->inode != 0 || state->uid != 0)
        conn->present |= CONN_UID;
}

static void set_info(const struct bpf_socket_info *info, unsigned knows, unsigned hz, struct conn *conn)
{
    conn->bytes_received = info->bytes_received;
    conn->bytes_acked = info->bytes_acked;
    conn->rto_ms = ms_from(info->rto_ticks, hz);
    conn->rtt_us = info->srtt_us_8 >> 3;
    conn->rttvar_us = info->mdev_us_4 >> 2;
    conn->unacked = info->unacked;
    conn->notsent_bytes = info->notsent;
    conn->snd_wnd_bytes = info->snd_wnd;
    conn->last_data_sent_ms = ms_from(info->sent_ticks, hz);
    conn->last_data_recv_ms = ms_from(info->received_ticks, hz);
    conn->last_ack_recv_ms = ms_from(info->acked_ticks, hz);
    conn->total_retrans = info->total_retrans;
    conn->rwnd_limited_ms = ms_from(info->rwnd_limited_ticks, hz);
    conn->probes = info->probes;
    conn->backoff = info->backoff;
    conn->present |= CONN_TCP_INFO | CONN_RTO | CONN_BYTES | CONN_SND_WND;
    if (knows & BPF_KNOWS_RTO_TIME) {
        conn->total_rto_time_ms = info->rto_time_ms;
        conn->rto_recoveries = info->rto_recoveries > UINT8_MAX ? UINT8_MAX : (uint8_t)info->rto_recoveries;
        conn->present |= CONN_RTO_TIME;
    }
}

/* Copies the record of a socket. Returns its length, 0 if the bytes end before it does, or -EBADMSG. */
static ssize_t read_record(const char *bytes, size_t length, struct bpf_socket *record)
{
    static const size_t lengths[] = {
        [BPF_SOCKET_FULL] = sizeof(struct bpf_socket),
        [BPF_SOCKET_IDLE] = offsetof(struct bpf_socket, info),
        [BPF_SOCKET_MINI] = sizeof(struct bpf_socket_head),
    };
    struct bpf_socket_head *head = &record->head;
    if (length < sizeof *head)
        return 0;
    memcpy(head, bytes, sizeof *head);
    size_t needed = head->kind < sizeof lengths / sizeof *lengths ? lengths[head->kind] : 0;
    if (needed == 0 || (head->family != AF_INET && head->family != AF_INET6) ||
        state_from_linux(head->state) == STATE_UNKNOWN)
        return -EBADMSG;
    if (length < needed)
        return 0;
    memcpy(record, bytes, needed);
    return (ssize_t)needed;
}

static void fill_conn(const struct bpf_socket *record, unsigned hz, struct conn *conn)
{
    const struct bpf_socket_head *head = &record->head;
    set_head(head, hz, conn);
    if (head->kind != BPF_SOCKET_MINI)
        set_state(&record->state, head, conn);
    if (head->kind == BPF_SOCKET_FULL)
        set_info(&record->info, head->knows, hz, conn);
    if (conn->state == STATE_LISTEN)
        conn->present |= CONN_BACKLOG;
}

ssize_t bpf_parse_socket(const void *bytes, size_t length, unsigned hz, struct conn *ret_conn)
{
    struct bpf_socket record;
    ssize_t consumed = read_record(bytes, length, &record);
    if (consumed > 0)
        fill_conn(&record, hz, ret_conn);
    return consumed;
}

ssize_t bpf_parse_file(
    const void *bytes, size_t length, unsigned hz, struct bpf_file *ret_file, struct bpf_bound_conn *ret_bound)
{
    struct bpf_file file;
    if (length < sizeof file)
        return 0;
    memcpy(&file, bytes, sizeof file);
    if (file.kind < BPF_FILE_OTHER || file.kind > BPF_FILE_BOUND || file.fd > INT32_MAX)
        return -EBADMSG;
    ssize_t consumed = sizeof file;
    if (file.kind == BPF_FILE_BOUND) {
        struct bpf_socket record;
        ssize_t more = read_record((const char *)bytes + sizeof file, length - sizeof file, &record);
        if (more <= 0 || record.head.kind != BPF_SOCKET_IDLE)
            return more <= 0 ? more : -EBADMSG;
        fill_conn(&record, hz, &ret_bound->conn);
        ret_bound->netns_inode = record.state.netns;
        consumed += more;
    }
    *ret_file = file;
    return consumed;
}

ssize_t bpf_parse_task(const void *bytes, size_t length, struct bpf_task *ret_task)
{
    if (length < sizeof *ret_task)
        return 0;
    memcpy(ret_task, bytes, sizeof *ret_task);
    return (ssize_t)sizeof *ret_task;
}

static struct conn conn_of_closed(const struct bpf_closed *record, unsigned hz)
{
    bool ipv6 = record->family == AF_INET6;
    struct conn conn = {
        .local = address_from(record->local, ipv6),
        .remote = address_from(record->remote, ipv6),
        .local_port = ntohs(record->local_port),
        .remote_port = ntohs(record->remote_port),
        .state = STATE_CLOSED,
        .ipv6 = ipv6,
        .shutdown = record->shutdown & (SHUTDOWN_RECEIVE | SHUTDOWN_SEND),
        .cookie = record->cookie,
        .inode = record->inode,
        .uid = record->uid,
        .cgroup_id = record->cgroup_id,
        .bytes_received = record->bytes_received,
        .bytes_acked = record->bytes_acked,
        .holder = NO_INDEX,
        .present = CONN_INODE | CONN_COOKIE | CONN_UID | CONN_SHUTDOWN | CONN_TIMER | CONN_BYTES,
    };
    if (record->cgroup_id != 0)
        conn.present |= CONN_CGROUP;
    if (record->is_dated) {
        conn.last_ack_recv_ms = ms_from(record->ended_ticks, hz);
        conn.present |= CONN_TCP_INFO;
    }
    return conn;
}

ssize_t bpf_parse_closed(const void *bytes, size_t length, unsigned hz, struct bpf_closed_conn *ret_closed)
{
    struct bpf_closed record;
    if (length < sizeof record)
        return 0;
    memcpy(&record, bytes, sizeof record);
    if ((record.family != AF_INET && record.family != AF_INET6) || record.was < BPF_CLOSED_NEW ||
        record.was > BPF_CLOSED_CONNECTED)
        return -EBADMSG;
    *ret_closed = (struct bpf_closed_conn){
        .conn = conn_of_closed(&record, hz), .netns_inode = record.netns, .was = record.was
    };
    return sizeof record;
}
