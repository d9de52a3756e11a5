/*
 * An eBPF iterator over the TCP sockets of one process that are in state CLOSE. It is read only for the few processes
 * that have many of them. It is not part of walks.bpf.c, so that only these pay for loading it.
 *
 * A socket that was never connected and a socket whose connection has ended have the same state. They differ in what
 * the kernel leaves in them. tcp_done() ends a connection and leaves both endpoints. tcp_disconnect() ends a failed
 * connect(); it clears the remote port and increases write_seq. Before the first connect() write_seq is 0.
 */
#include <stdbool.h>

#include "kernel.h"
#include "record.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum { AF_INET6 = 10, SOCK_STREAM = 1, TCP_CLOSE = 7 };
enum { TCP_CHRONO_BUSY = 1 }; /* linux/tcp.h */

#define SOCK(tcp) ((tcp)->inet_conn.icsk_inet.sk)
#define COMMON(tcp) (SOCK(tcp).__sk_common)

static __u32 shorter(__u32 one, __u32 other)
{
    return one < other ? one : other;
}

/*
 * The kernel does not store the time of the end. But a reset or a timeout empties the send queue
 * (tcp_write_queue_purge()), and this sets chrono_start to the present, except while the connection waits for the
 * peer's window or for its own send buffer. If both ends have closed, the end was the last acknowledgement.
 */
static void fill_end(struct bpf_closed *record, struct tcp_sock *tcp)
{
    __u32 now = (__u32)bpf_jiffies64();
    record->is_dated = record->was == BPF_CLOSED_CONNECTED &&
        BPF_CORE_READ_BITFIELD(tcp, chrono_type) <= TCP_CHRONO_BUSY && tcp->chrono_start != 0;
    record->ended_ticks = shorter(shorter(now - tcp->chrono_start, now - tcp->rcv_tstamp),
        shorter(now - tcp->lsndtime, now - tcp->inet_conn.icsk_ack.lrcvtime));
}

static void fill_endpoints(struct bpf_closed *record, struct tcp_sock *tcp)
{
    record->family = (__u8)COMMON(tcp).skc_family;
    record->local_port = tcp->inet_conn.icsk_inet.inet_sport;
    record->remote_port = COMMON(tcp).skc_dport;
    if (record->family != AF_INET6) {
        record->local[0] = COMMON(tcp).skc_rcv_saddr;
        record->remote[0] = COMMON(tcp).skc_daddr;
        return;
    }
    if (!bpf_core_field_exists(COMMON(tcp).skc_v6_daddr))
        return;
    for (int i = 0; i < 4; i++) {
        record->local[i] = COMMON(tcp).skc_v6_rcv_saddr.in6_u.u6_addr32[i];
        record->remote[i] = COMMON(tcp).skc_v6_daddr.in6_u.u6_addr32[i];
    }
}

SEC("iter/task_file")
int walk_closed(struct bpf_iter__task_file *context)
{
    struct file *file = context->file;
    if (!context->task || !file)
        return 0;
    struct socket *socket = bpf_sock_from_file(file);
    if (!socket || socket->type != SOCK_STREAM)
        return 0;
    struct sock *sock = socket->sk;
    struct tcp_sock *tcp = sock ? bpf_skc_to_tcp_sock(sock) : 0;
    if (!tcp || COMMON(tcp).skc_state != TCP_CLOSE)
        return 0;
    struct bpf_closed record = {};
    record.cookie = bpf_get_socket_cookie(tcp);
    record.inode = (__u32)BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino);
    record.uid = SOCK(tcp).sk_uid.val;
    record.netns = COMMON(tcp).skc_net.net->ns.inum;
    if (bpf_core_field_exists(SOCK(tcp).sk_cgrp_data))
        record.cgroup_id = SOCK(tcp).sk_cgrp_data.cgroup->kn->id;
    record.shutdown = SOCK(tcp).sk_shutdown;
    record.bytes_received = tcp->bytes_received;
    record.bytes_acked = tcp->bytes_acked;
    fill_endpoints(&record, tcp);
    if (record.remote_port != 0)
        record.was = socket->state == SS_CONNECTING ? BPF_CLOSED_TRIED : BPF_CLOSED_CONNECTED;
    else
        record.was = tcp->write_seq != 0 ? BPF_CLOSED_TRIED : BPF_CLOSED_NEW;
    fill_end(&record, tcp);
    bpf_seq_write(context->meta->seq, &record, sizeof record);
    return 0;
}
