#pragma once
/*
 * What the eBPF programs write and this program reads: one compact record after the other, of three kinds. Both sides
 * are of one build, so there are no versions. Included by the programs too: fixed-width types of linux/types.h only,
 * widest members first and no padding, so that both compilers lay them out alike.
 *
 * Times are in the kernel's ticks (jiffies) where it keeps them so: whoever reads knows how long a tick is.
 */
#include <linux/types.h>

/* Which members of struct bpf_socket the running kernel knows. */
enum bpf_knows {
    BPF_KNOWS_CGROUP = 1 << 0,
    BPF_KNOWS_RTO_TIME = 1 << 1, /* Linux 6.7 */
};

enum bpf_socket_kind {
    BPF_SOCKET_FULL = 1, /* struct bpf_socket */
    BPF_SOCKET_IDLE = 2, /* the same without its last part, which means nothing there: LISTEN, or only bound */
    BPF_SOCKET_MINI = 3, /* struct bpf_socket_head alone: TIME_WAIT, orphaned FIN_WAIT_2, SYN_RECEIVED */
};

/* What any socket has. */
struct bpf_socket_head {
    __u64 cookie;
    __u32 local[4]; /* network byte order; IPv4: the first */
    __u32 remote[4];
    __u16 local_port;  /* host byte order */
    __u16 remote_port; /* network byte order */
    __u8 kind;         /* enum bpf_socket_kind */
    __u8 family;       /* AF_INET or AF_INET6 */
    __u8 state;        /* the kernel's: net/tcp_states.h */
    __u8 timer;        /* enum conn_timer */
    __s32 timer_ticks; /* until it fires; below zero: overdue */
    __u8 retransmits;
    __u8 shutdown;
    __u8 knows; /* enum bpf_knows */
    __u8 unused;
};

/* What a socket has that some process has made. */
struct bpf_socket_state {
    __u64 cgroup_id;
    __u32 uid;
    __u32 inode;
    __u32 netns; /* inode */
    __u32 recv_q;
    __u32 send_q;
    __u32 skmem_rmem;
    __u32 skmem_wmem;
    __u32 skmem_drops;
};

/* What struct tcp_info is made of. */
struct bpf_socket_info {
    __u64 bytes_received;
    __u64 bytes_acked;
    __u32 rto_ticks;
    __u32 srtt_us_8; /* eight times the smoothed round trip */
    __u32 mdev_us_4; /* four times its deviation */
    __u32 unacked;
    __u32 notsent;
    __u32 snd_wnd;
    __u32 sent_ticks; /* ago */
    __u32 received_ticks;
    __u32 acked_ticks;
    __u32 total_retrans;
    __u32 rto_time_ms;
    __u32 rwnd_limited_ticks;
    __u16 rto_recoveries;
    __u8 probes;
    __u8 backoff;
    __u32 unused;
};

struct bpf_socket {
    struct bpf_socket_head head;
    struct bpf_socket_state state;
    struct bpf_socket_info info;
};

/* One descriptor of a task. */
struct bpf_file {
    __u32 kind; /* BPF_FILE_… */
    __u32 pid;  /* of the process, and of the thread; as the reader's PID namespace numbers them */
    __u32 tid;
    __u32 fd;
    __u32 inode; /* of what may be a TCP socket, or of a namespace */
    __u32 unused;
};

enum bpf_file_kind {
    BPF_FILE_OTHER = 1, /* no socket */
    BPF_FILE_SOCKET = 2,
    BPF_FILE_STREAM = 3, /* a TCP socket, or one of its kin (MPTCP, SMC) */
    BPF_FILE_NETNS = 4,  /* keeps a network namespace, of this inode */
    BPF_FILE_BOUND = 5,  /* a TCP socket that is bound and does nothing: struct bpf_bound */
};

/* The walk over sockets passes these by: the kernel keeps them in another table. */
struct bpf_bound {
    struct bpf_file file;
    struct bpf_socket_head head;
    struct bpf_socket_state state;
};

/* One task that tells of a network namespace: the first thread of a process, and others that are elsewhere. */
struct bpf_task {
    __u32 pid;
    __u32 tid;
    __u32 netns;
    __u32 unused;
};

/* What a socket in state CLOSE was before. */
enum bpf_closed_was {
    BPF_CLOSED_NEW = 1,       /* it was only made */
    BPF_CLOSED_TRIED = 2,     /* connect() has failed, or was undone (AF_UNSPEC) */
    BPF_CLOSED_CONNECTED = 3, /* its connection is gone */
};

/* A TCP socket that some process has open, and that is in no table: closed.bpf.c. */
struct bpf_closed {
    __u64 cookie;
    __u64 cgroup_id;
    __u64 bytes_received;
    __u64 bytes_acked;
    __u32 local[4]; /* network byte order; IPv4: the first */
    __u32 remote[4];
    __u32 inode;
    __u32 uid;
    __u32 netns;       /* inode */
    __u32 ended_ticks; /* ago, where is_dated */
    __u16 local_port;  /* network byte order */
    __u16 remote_port;
    __u8 family;
    __u8 was; /* enum bpf_closed_was */
    __u8 shutdown;
    __u8 is_dated;
};
