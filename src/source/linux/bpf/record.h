#pragma once
/*
 * The records that the eBPF programs write and tcpwhy reads. Both sides come from one build, so there are no versions.
 * The eBPF programs include this file too. Both compilers must lay the records out in the same way: so there are only
 * fixed-width types of linux/types.h, the widest members first, and no padding.
 *
 * Times that the kernel has in ticks (jiffies) stay in ticks; the reader converts them.
 */
#include <linux/types.h>

/* The members of struct bpf_socket that only some kernels have. */
enum bpf_knows {
    BPF_KNOWS_CGROUP = 1 << 0,
    BPF_KNOWS_RTO_TIME = 1 << 1, /* Linux 6.7 */
};

enum bpf_socket_kind {
    BPF_SOCKET_FULL = 1, /* struct bpf_socket */
    BPF_SOCKET_IDLE = 2, /* struct bpf_socket without `info`: a socket that listens or is only bound */
    BPF_SOCKET_MINI = 3, /* struct bpf_socket_head only: TIME_WAIT, orphaned FIN_WAIT_2, SYN_RECEIVED */
};

/* The part that every socket has. */
struct bpf_socket_head {
    __u64 cookie;
    __u32 local[4]; /* network byte order; IPv4 uses only the first word */
    __u32 remote[4];
    __u16 local_port;  /* host byte order */
    __u16 remote_port; /* network byte order */
    __u8 kind;         /* enum bpf_socket_kind */
    __u8 family;       /* AF_INET or AF_INET6 */
    __u8 state;        /* the kernel's number: net/tcp_states.h */
    __u8 timer;        /* enum conn_timer */
    __s32 timer_ticks; /* until the timer fires; negative: it is overdue */
    __u8 retransmits;
    __u8 shutdown;
    __u8 knows; /* enum bpf_knows */
    __u8 unused;
};

/* The part that only mini-sockets lack. */
struct bpf_socket_state {
    __u64 cgroup_id;
    __u32 uid;
    __u32 inode;
    __u32 netns; /* inode of the network namespace */
    __u32 recv_q;
    __u32 send_q;
    __u32 skmem_rmem;
    __u32 skmem_wmem;
    __u32 skmem_drops;
};

/* The source of some fields of struct tcp_info. */
struct bpf_socket_info {
    __u64 bytes_received;
    __u64 bytes_acked;
    __u32 rto_ticks;
    __u32 srtt_us_8; /* eight times the smoothed round-trip time */
    __u32 mdev_us_4; /* four times its mean deviation */
    __u32 unacked;
    __u32 notsent;
    __u32 snd_wnd;
    __u32 sent_ticks; /* since then; also the next two */
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
    __u32 pid;  /* of the process, in the reader's PID namespace */
    __u32 tid;  /* of the thread, in the same PID namespace */
    __u32 fd;
    __u32 inode; /* of the socket, if it may be TCP, or of the network namespace; else 0 */
    __u32 unused;
};

enum bpf_file_kind {
    BPF_FILE_OTHER = 1,  /* no socket */
    BPF_FILE_SOCKET = 2, /* a socket of another kind than the next */
    BPF_FILE_STREAM = 3, /* a TCP socket, or one of a related protocol (MPTCP, SMC) */
    BPF_FILE_NETNS = 4,  /* refers to a network namespace */
    BPF_FILE_BOUND = 5,  /* a TCP socket that is bound, but neither listens nor is connected: struct bpf_bound */
};

/* A bound socket. The walk over sockets does not find it, because the kernel has it in another table. */
struct bpf_bound {
    struct bpf_file file;
    struct bpf_socket_head head;
    struct bpf_socket_state state;
};

/* The network namespace of a task: of the first thread of each process, and of threads that are in another one. */
struct bpf_task {
    __u32 pid;
    __u32 tid;
    __u32 netns; /* inode */
    __u32 unused;
};

/* The past of a socket in state CLOSE. */
enum bpf_closed_was {
    BPF_CLOSED_NEW = 1,       /* connect() was never called */
    BPF_CLOSED_TRIED = 2,     /* connect() has failed, or connect(AF_UNSPEC) has ended the connection */
    BPF_CLOSED_CONNECTED = 3, /* its connection has ended */
};

/* A TCP socket in state CLOSE that a process has open: closed.bpf.c. */
struct bpf_closed {
    __u64 cookie;
    __u64 cgroup_id;
    __u64 bytes_received;
    __u64 bytes_acked;
    __u32 local[4]; /* network byte order; IPv4 uses only the first word */
    __u32 remote[4];
    __u32 inode;
    __u32 uid;
    __u32 netns;       /* inode of the network namespace */
    __u32 ended_ticks; /* since the end of the connection; valid only if is_dated */
    __u16 local_port;  /* network byte order */
    __u16 remote_port;
    __u8 family;
    __u8 was; /* enum bpf_closed_was */
    __u8 shutdown;
    __u8 is_dated;
};
