#pragma once
/* Messages of a system's log: the kernel writes them when a limit of its connections is reached. */

enum log_message {
    LOG_PORT_REUSED,      /* Windows' event 4227: the port chosen for a connection was still in TIME_WAIT to that end */
    LOG_PORTS_USED_UP,    /* Windows' event 4231 */
    LOG_SYN_FLOODING,     /* tcp_syn_flood_action() in net/ipv4/tcp_input.c */
    LOG_TOO_MANY_ORPHANS, /* tcp_check_oom() in net/ipv4/tcp.c */
    LOG_NO_TCP_MEMORY,    /* tcp_check_oom() in net/ipv4/tcp.c */
    LOG_TIME_WAIT_FULL,   /* tcp_time_wait() in net/ipv4/tcp_minisocks.c */
    LOG_QUEUE_OVERFLOW,   /* sonewconn() of FreeBSD and macOS */
    LOG_TRACKING_FULL,    /* __nf_conntrack_alloc() in net/netfilter/nf_conntrack_core.c */
    LOG_MESSAGE_COUNT
};
