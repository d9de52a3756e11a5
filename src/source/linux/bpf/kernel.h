#pragma once
/*
 * Those parts of the kernel's types that the programs read. CO-RE finds each member by its name in the running kernel.
 * Therefore the order of the members does not matter, and other members are left out. A comment tells which kernels
 * have a member, if not all do; the programs test for it.
 */
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    int counter;
} atomic_t;

typedef struct {
    unsigned int val;
} kuid_t;

struct hlist_node {
    struct hlist_node **pprev;
};

struct timer_list {
    struct hlist_node entry;
    unsigned long expires;
};

/* --- namespaces, processes and files -------------------------------------------------------------------------- */

struct proc_ns_operations {
    int type; /* before Linux 6.18 */
};

struct ns_common {
    __u32 ns_type; /* Linux 6.18 */
    const struct proc_ns_operations *ops;
    unsigned int inum;
};

struct net {
    struct ns_common ns;
};

typedef struct {
    struct net *net;
} possible_net_t;

struct nsproxy {
    struct net *net_ns;
};

struct upid {
    int nr;
};

struct pid {
    unsigned int level;
    struct upid numbers[1];
};

struct task_struct {
    int pid;
    int tgid;
    struct task_struct *group_leader;
    struct pid *thread_pid;
    struct nsproxy *nsproxy;
};

struct super_block {
    unsigned long s_magic;
};

struct inode {
    unsigned long i_ino;
    struct super_block *i_sb;
    void *i_private;
};

struct file {
    struct inode *f_inode;
};

struct proto_ops {
    int family;
};

typedef enum { SS_UNCONNECTED = 1, SS_CONNECTING = 2 } socket_state;

struct socket {
    socket_state state;
    short type;
    struct sock *sk;
    const struct proto_ops *ops;
};

struct socket_alloc {
    struct socket socket;
    struct inode vfs_inode;
};

struct kernfs_node {
    __u64 id;
};

struct cgroup {
    struct kernfs_node *kn;
};

struct sock_cgroup_data {
    struct cgroup *cgroup;
};

/* --- sockets -------------------------------------------------------------------------------------------------- */

struct in6_addr {
    union {
        __u32 u6_addr32[4];
    } in6_u;
};

struct sock_common {
    __u32 skc_daddr;
    __u32 skc_rcv_saddr;
    __u16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    volatile unsigned char skc_state;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr; /* this member and the next: kernels with IPv6 */
    struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
    struct sock_common __sk_common;
    atomic_t sk_drops;
    struct {
        atomic_t rmem_alloc;
    } sk_backlog;
    struct socket *sk_socket;
    int sk_wmem_queued;
    struct timer_list sk_timer;             /* the keepalive timer before Linux 6.19 */
    struct timer_list tcp_retransmit_timer; /* Linux 6.19 */
    kuid_t sk_uid;
    __u8 sk_shutdown;
    __u32 sk_ack_backlog;
    __u32 sk_max_ack_backlog;
    unsigned long sk_ino;                 /* Linux 6.17 */
    struct sock_cgroup_data sk_cgrp_data; /* kernels with cgroups */
};

struct inet_sock {
    struct sock sk;
    __u16 inet_sport;
};

struct inet_connection_sock {
    struct inet_sock icsk_inet;
    unsigned long icsk_timeout;              /* before Linux 6.15 */
    struct timer_list icsk_retransmit_timer; /* before Linux 6.19 */
    struct timer_list icsk_keepalive_timer;  /* Linux 6.19 */
    __u32 icsk_rto;
    __u8 icsk_retransmits;
    __u8 icsk_pending;
    __u8 icsk_backoff;
    __u8 icsk_probes_out;
    struct {
        __u32 lrcvtime;
    } icsk_ack;
};

struct tcp_sock {
    struct inet_connection_sock inet_conn;
    __u32 snd_wnd;
    __u32 copied_seq;
    __u8 chrono_type : 2; /* whole byte in later kernels */
    __u32 chrono_start;
    __u32 chrono_stat[3];
    __u32 write_seq;
    __u32 lsndtime;
    __u32 mdev_us;
    __u32 rcv_nxt;
    __u32 snd_nxt;
    __u32 snd_una;
    __u32 srtt_us;
    __u32 packets_out;
    __u32 rcv_tstamp;
    __u64 bytes_received;
    __u64 bytes_acked;
    __u32 total_retrans;
    __u32 rto_stamp; /* this member and the next two: Linux 6.7 */
    __u16 total_rto_recoveries;
    __u32 total_rto_time;
};

struct inet_timewait_sock {
    volatile unsigned char tw_substate;
    struct timer_list tw_timer;
};

struct tcp_timewait_sock {
    struct inet_timewait_sock tw_sk;
};

struct request_sock {
    __u8 num_retrans;
    struct timer_list rsk_timer;
};

struct inet_request_sock {
    struct request_sock req;
};

struct tcp_request_sock {
    struct inet_request_sock req;
};

#pragma clang attribute pop

/* --- arguments of the iterators: their layout is fixed, so they need no CO-RE ----------------------------------- */

struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct bpf_iter__tcp {
    struct bpf_iter_meta *meta;
    struct sock_common *sk_common;
    __u32 uid;
};

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

struct bpf_iter__task_file {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    __u32 fd;
    struct file *file;
};
