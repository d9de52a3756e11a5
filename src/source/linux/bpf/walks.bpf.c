/*
 * eBPF iterators over the sockets, descriptors and tasks of a host. They write the records of record.h, which have only
 * what a diagnosis needs. They change nothing in the kernel.
 *
 * The values are computed as inet_diag computes them. The comments name the kernel functions that do the same.
 */
#include <stdbool.h>

#include "kernel.h"
#include "record.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum { AF_INET = 2, AF_INET6 = 10, SOCK_STREAM = 1 };
enum { TCP_TIME_WAIT = 6, TCP_CLOSE = 7, TCP_LISTEN = 10 }; /* net/tcp_states.h */
/* net/inet_connection_sock.h */
enum { ICSK_TIME_RETRANS = 1, ICSK_TIME_PROBE0 = 3, ICSK_TIME_LOSS_PROBE = 5, ICSK_TIME_REO_TIMEOUT = 6 };
enum { TIMER_RETRANSMIT = 1, TIMER_KEEPALIVE = 2, TIMER_TIME_WAIT = 3, TIMER_PERSIST = 4 }; /* idiag_timer */
enum { TCP_CHRONO_RWND_LIMITED = 2 };                                                       /* linux/tcp.h */

/* --- sockets -------------------------------------------------------------------------------------------------- */

static __s32 ticks_until(unsigned long expires)
{
    return (__s32)(expires - bpf_jiffies64());
}

/* inet_diag_msg_common_fill() in net/ipv4/inet_diag.c */
static void fill_head(struct bpf_socket_head *head, struct sock_common *common)
{
    head->cookie = bpf_get_socket_cookie(common);
    head->family = (__u8)common->skc_family;
    head->state = common->skc_state;
    head->local_port = common->skc_num;
    head->remote_port = common->skc_dport;
    if (common->skc_family != AF_INET6) {
        head->local[0] = common->skc_rcv_saddr;
        head->remote[0] = common->skc_daddr;
        return;
    }
    if (!bpf_core_field_exists(common->skc_v6_daddr))
        return;
    for (int i = 0; i < 4; i++) {
        head->local[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
        head->remote[i] = common->skc_v6_daddr.in6_u.u6_addr32[i];
    }
}

/*
 * struct tcp_sock begins with these structs. Going through it, CO-RE looks up one type of the kernel instead of four.
 */
#define ICSK(tcp) ((tcp)->inet_conn)
#define SOCK(tcp) ((tcp)->inet_conn.icsk_inet.sk)

static unsigned long retransmit_expires(struct tcp_sock *tcp)
{
    if (bpf_core_field_exists(ICSK(tcp).icsk_timeout))
        return ICSK(tcp).icsk_timeout;
    if (bpf_core_field_exists(ICSK(tcp).icsk_retransmit_timer))
        return ICSK(tcp).icsk_retransmit_timer.expires;
    return SOCK(tcp).tcp_retransmit_timer.expires;
}

/* inet_sk_diag_fill() */
static void fill_timer(struct bpf_socket_head *head, struct tcp_sock *tcp)
{
    __u8 pending = ICSK(tcp).icsk_pending;
    if (pending == ICSK_TIME_RETRANS || pending == ICSK_TIME_REO_TIMEOUT || pending == ICSK_TIME_LOSS_PROBE) {
        head->timer = TIMER_RETRANSMIT;
        head->retransmits = ICSK(tcp).icsk_retransmits;
        head->timer_ticks = ticks_until(retransmit_expires(tcp));
        return;
    }
    if (pending == ICSK_TIME_PROBE0) {
        head->timer = TIMER_PERSIST;
        head->retransmits = ICSK(tcp).icsk_probes_out;
        head->timer_ticks = ticks_until(retransmit_expires(tcp));
        return;
    }
    unsigned long expires;
    bool is_pending;
    if (bpf_core_field_exists(ICSK(tcp).icsk_keepalive_timer)) {
        is_pending = ICSK(tcp).icsk_keepalive_timer.entry.pprev != 0;
        expires = ICSK(tcp).icsk_keepalive_timer.expires;
    } else {
        is_pending = SOCK(tcp).sk_timer.entry.pprev != 0;
        expires = SOCK(tcp).sk_timer.expires;
    }
    if (is_pending) {
        head->timer = TIMER_KEEPALIVE;
        head->retransmits = ICSK(tcp).icsk_probes_out;
        head->timer_ticks = ticks_until(expires);
    }
}

/* Returns the inode number of a socket. */
static __u32 inode_of(struct socket *socket)
{
    struct socket_alloc *alloc = (struct socket_alloc *)socket;
    return alloc ? (__u32)BPF_CORE_READ(alloc, vfs_inode.i_ino) : 0;
}

/* tcp_diag_get_info(), inet_diag_msg_attrs_fill(), sk_get_meminfo() */
static void fill_state(struct bpf_socket_state *state, struct tcp_sock *tcp, bool listens)
{
    state->inode = bpf_core_field_exists(SOCK(tcp).sk_ino) ? (__u32)SOCK(tcp).sk_ino : inode_of(SOCK(tcp).sk_socket);
    state->netns = SOCK(tcp).__sk_common.skc_net.net->ns.inum;
    if (bpf_core_field_exists(SOCK(tcp).sk_cgrp_data))
        state->cgroup_id = SOCK(tcp).sk_cgrp_data.cgroup->kn->id;
    state->skmem_rmem = (__u32)SOCK(tcp).sk_backlog.rmem_alloc.counter;
    state->skmem_wmem = (__u32)SOCK(tcp).sk_wmem_queued;
    state->skmem_drops = (__u32)SOCK(tcp).sk_drops.counter;
    if (listens) {
        state->recv_q = SOCK(tcp).sk_ack_backlog;
        state->send_q = SOCK(tcp).sk_max_ack_backlog;
    } else {
        __s32 unread = (__s32)(tcp->rcv_nxt - tcp->copied_seq);
        state->recv_q = unread > 0 ? (__u32)unread : 0;
        state->send_q = tcp->write_seq - tcp->snd_una;
    }
}

/* tcp_get_info() in net/ipv4/tcp.c, with tcp_get_info_chrono_stats() */
static void fill_info(struct bpf_socket_info *info, struct tcp_sock *tcp)
{
    __u32 now = (__u32)bpf_jiffies64();
    __s32 notsent = (__s32)(tcp->write_seq - tcp->snd_nxt);
    info->bytes_received = tcp->bytes_received;
    info->bytes_acked = tcp->bytes_acked;
    info->rto_ticks = ICSK(tcp).icsk_rto;
    info->srtt_us_8 = tcp->srtt_us;
    info->mdev_us_4 = tcp->mdev_us;
    info->unacked = tcp->packets_out;
    info->notsent = notsent > 0 ? (__u32)notsent : 0;
    info->snd_wnd = tcp->snd_wnd;
    info->sent_ticks = now - tcp->lsndtime;
    info->received_ticks = now - ICSK(tcp).icsk_ack.lrcvtime;
    info->acked_ticks = now - tcp->rcv_tstamp;
    info->total_retrans = tcp->total_retrans;
    info->probes = ICSK(tcp).icsk_probes_out;
    info->backoff = ICSK(tcp).icsk_backoff;
    info->rwnd_limited_ticks = tcp->chrono_stat[TCP_CHRONO_RWND_LIMITED - 1];
    if (BPF_CORE_READ_BITFIELD(tcp, chrono_type) == TCP_CHRONO_RWND_LIMITED)
        info->rwnd_limited_ticks += now - tcp->chrono_start;
    if (bpf_core_field_exists(tcp->total_rto_time)) {
        info->rto_recoveries = tcp->total_rto_recoveries;
        info->rto_time_ms = tcp->total_rto_time;
        if (tcp->rto_stamp != 0)
            info->rto_time_ms += (__u32)(bpf_ktime_get_ns() / 1000000) - tcp->rto_stamp;
    }
}

/* Fills in what every full socket has. A mini-socket is no full socket. */
static void fill_socket(struct bpf_socket_head *head, struct bpf_socket_state *state, struct tcp_sock *tcp, __u32 uid)
{
    fill_head(head, &SOCK(tcp).__sk_common);
    head->shutdown = SOCK(tcp).sk_shutdown;
    if (bpf_core_field_exists(tcp->total_rto_time))
        head->knows = BPF_KNOWS_RTO_TIME;
    fill_timer(head, tcp);
    fill_state(state, tcp, head->state == TCP_LISTEN);
    state->uid = uid;
}

/* inet_twsk_diag_fill() and inet_req_diag_fill(). False if the socket is neither TIME_WAIT nor half-open. */
static bool fill_mini(struct bpf_socket_head *head, struct sock_common *common)
{
    head->kind = BPF_SOCKET_MINI;
    if (common->skc_state == TCP_TIME_WAIT) {
        struct tcp_timewait_sock *waiting = bpf_skc_to_tcp_timewait_sock(common);
        if (!waiting)
            return false;
        fill_head(head, common);
        head->state = waiting->tw_sk.tw_substate;
        head->timer = TIMER_TIME_WAIT;
        head->timer_ticks = ticks_until(waiting->tw_sk.tw_timer.expires);
        return true;
    }
    struct tcp_request_sock *request = bpf_skc_to_tcp_request_sock(common);
    if (!request)
        return false;
    fill_head(head, common);
    head->timer = TIMER_RETRANSMIT;
    head->retransmits = request->req.req.num_retrans;
    head->timer_ticks = ticks_until(request->req.req.rsk_timer.expires);
    return true;
}

/* A bit for each state to read. The reader sets it. */
__u32 wanted_states = ~0U;

static bool is_wanted(__u8 state)
{
    return (wanted_states & 1U << (state & 31)) != 0;
}

/* Writes the TCP sockets of the network namespace in which the iterator was opened. */
SEC("iter/tcp")
int walk_sockets(struct bpf_iter__tcp *context)
{
    struct sock_common *common = context->sk_common;
    struct seq_file *out = context->meta->seq;
    if (!common || (common->skc_state != TCP_TIME_WAIT && !is_wanted(common->skc_state)))
        return 0;
    struct bpf_socket record = {};
    struct tcp_sock *tcp = bpf_skc_to_tcp_sock(common);
    if (tcp) {
        fill_socket(&record.head, &record.state, tcp, context->uid);
        if (record.head.state == TCP_LISTEN) {
            record.head.kind = BPF_SOCKET_IDLE;
            bpf_seq_write(out, &record, sizeof record - sizeof record.info);
        } else {
            record.head.kind = BPF_SOCKET_FULL;
            fill_info(&record.info, tcp);
            bpf_seq_write(out, &record, sizeof record);
        }
    } else if (fill_mini(&record.head, common) && is_wanted(record.head.state)) {
        bpf_seq_write(out, &record.head, sizeof record.head);
    }
    return 0;
}

/* --- tasks and their descriptors ------------------------------------------------------------------------------ */

/* The depth of the reader's PID namespace; 0: the first one; -1: not read yet. */
static int reader_level = -1;

/* Returns the pid of a process or the tid of a thread in the reader's PID namespace. */
static __u32 id_of(struct task_struct *task, bool of_process)
{
    if (reader_level < 0) {
        struct task_struct *reader = (struct task_struct *)bpf_get_current_task();
        reader_level = (int)BPF_CORE_READ(reader, thread_pid, level);
    }
    if (reader_level == 0)
        return (__u32)(of_process ? task->tgid : task->pid);
    struct pid *pid = of_process ? BPF_CORE_READ(task, group_leader, thread_pid) : BPF_CORE_READ(task, thread_pid);
    struct upid upid = {};
    if (pid)
        bpf_probe_read_kernel(&upid.nr, sizeof upid.nr,
            (void *)pid + bpf_core_field_offset(pid->numbers) + (__u64)reader_level * bpf_core_type_size(struct upid));
    return (__u32)upid.nr;
}

/*
 * True if the socket is bound, but neither listens nor is connected. Such a socket is only in the table of ports, which
 * no iterator walks over. It is found because a process has it open.
 */
static bool is_bound_only(struct tcp_sock *tcp)
{
    return SOCK(tcp).__sk_common.skc_state == TCP_CLOSE && SOCK(tcp).__sk_common.skc_num != 0;
}

/* Returns the inode of the network namespace that a file refers to, or 0. In nsfs, i_private is struct ns_common. */
static __u32 netns_of(struct file *file)
{
    enum { NSFS_MAGIC = 0x6e736673, CLONE_NEWNET = 0x40000000 }; /* linux/magic.h, linux/sched.h */
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    if (BPF_CORE_READ(inode, i_sb, s_magic) != NSFS_MAGIC)
        return 0;
    struct ns_common *names = BPF_CORE_READ(inode, i_private);
    __u32 type = bpf_core_field_exists(names->ns_type) ? BPF_CORE_READ(names, ns_type)
                                                       : (__u32)BPF_CORE_READ(names, ops, type);
    return type == CLONE_NEWNET ? BPF_CORE_READ(names, inum) : 0;
}

/*
 * Writes the descriptors of the tasks in the reader's PID namespace. Cache misses cost most. Therefore struct sock is
 * read only for sockets that may be bound; struct socket is enough for connections.
 */
SEC("iter/task_file")
int walk_files(struct bpf_iter__task_file *context)
{
    struct task_struct *task = context->task;
    struct file *file = context->file;
    struct seq_file *out = context->meta->seq;
    if (!task || !file)
        return 0;
    struct bpf_bound record = {};
    record.file.kind = BPF_FILE_OTHER;
    record.file.pid = id_of(task, true);
    record.file.tid = id_of(task, false);
    record.file.fd = context->fd;
    struct socket *socket = bpf_sock_from_file(file);
    if (socket) {
        record.file.kind = BPF_FILE_SOCKET;
        int family = socket->ops->family;
        if (socket->type == SOCK_STREAM && (family == AF_INET || family == AF_INET6)) {
            record.file.kind = BPF_FILE_STREAM;
            record.file.inode = inode_of(socket);
            struct sock *sock = socket->state == SS_UNCONNECTED ? socket->sk : 0;
            struct tcp_sock *tcp = sock ? bpf_skc_to_tcp_sock(sock) : 0;
            if (tcp && is_bound_only(tcp)) {
                record.file.kind = BPF_FILE_BOUND;
                fill_socket(&record.head, &record.state, tcp, SOCK(tcp).sk_uid.val);
                record.head.kind = BPF_SOCKET_IDLE;
                bpf_seq_write(out, &record, sizeof record);
                return 0;
            }
        }
    } else {
        record.file.inode = netns_of(file);
        if (record.file.inode != 0)
            record.file.kind = BPF_FILE_NETNS;
    }
    bpf_seq_write(out, &record.file, sizeof record.file);
    return 0;
}

/* Writes the network namespaces that the tasks are in. */
SEC("iter/task")
int walk_tasks(struct bpf_iter__task *context)
{
    struct task_struct *task = context->task;
    if (!task)
        return 0;
    struct net *net = BPF_CORE_READ(task, nsproxy, net_ns);
    if (!net) /* the task is exiting */
        return 0;
    if (task->pid != task->tgid && BPF_CORE_READ(task, group_leader, nsproxy, net_ns) == net)
        return 0;
    struct bpf_task record = { .netns = BPF_CORE_READ(net, ns.inum) };
    record.pid = id_of(task, true);
    record.tid = id_of(task, false);
    bpf_seq_write(context->meta->seq, &record, sizeof record);
    return 0;
}
