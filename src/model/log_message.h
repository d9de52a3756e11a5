#pragma once
/* Messages of a system's log that the kernel writes when a limit for connections is reached. */

enum log_message {
    LOG_PORT_REUSED,      /* event 4227 of Windows: the port of a new connection was in TIME_WAIT to the same end */
    LOG_PORTS_USED_UP,    /* event 4231 of Windows */
    LOG_SYN_FLOODING,     /* tcp_syn_flood_action() in net/ipv4/tcp_input.c */
    LOG_TOO_MANY_ORPHANS, /* tcp_check_oom() in net/ipv4/tcp.c */
    LOG_NO_TCP_MEMORY,    /* tcp_check_oom() in net/ipv4/tcp.c */
    LOG_TIME_WAIT_FULL,   /* tcp_time_wait() in net/ipv4/tcp_minisocks.c */
    LOG_QUEUE_OVERFLOW,   /* sonewconn() of FreeBSD and macOS */
    LOG_TRACKING_FULL,    /* __nf_conntrack_alloc() in net/netfilter/nf_conntrack_core.c */
    LOG_MESSAGE_COUNT
};
