#pragma once
/*
 * One TCP socket (or mini-socket) of a host, as a source saw it. Kept small: a host may have a million.
 *
 * A field whose bit in `present` is not set is unknown, never zero. Fields without a bit are always known.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model/ip.h"
#include "model/state.h"

enum { NO_INDEX = UINT32_MAX };

/* Which kernel timer is pending on the socket: inet_diag_msg.idiag_timer, get_tcp4_sock() in net/ipv4/tcp_ipv4.c */
enum conn_timer {
    TIMER_NONE = 0,
    TIMER_RETRANSMIT = 1, /* also the early retransmit, loss probe and reordering timers */
    TIMER_KEEPALIVE = 2,  /* also an orphan in FIN_WAIT_2 whose time exceeds 60 s */
    TIMER_TIME_WAIT = 3,  /* a mini-socket's own timer */
    TIMER_PERSIST = 4,    /* zero-window probes (RFC 9293 §3.8.6.1) */
    TIMER_DELAYED_ACK = 5,
};

enum { SHUTDOWN_RECEIVE = 1, SHUTDOWN_SEND = 2 };

enum conn_field {
    CONN_QUEUES = 1 << 0, /* recv_q_bytes, send_q_bytes */
    CONN_TIMER = 1 << 1,  /* timer, timer_ms, retransmits */
    CONN_UID = 1 << 2,
    CONN_INODE = 1 << 3,
    CONN_COOKIE = 1 << 4,
    CONN_CGROUP = 1 << 5,
    CONN_SHUTDOWN = 1 << 6,
    CONN_TCP_INFO = 1 << 7,   /* probes, backoff, rtt_us … bytes_acked; later kernels added these: */
    CONN_SND_WND = 1 << 8,    /* Linux 5.4 */
    CONN_RTO_TIME = 1 << 9,   /* total_rto_time_ms, rto_recoveries; Linux 6.7 */
    CONN_SKMEM = 1 << 10,     /* skmem_… */
    CONN_BACKLOG = 1 << 11,   /* only for listeners: send_q_bytes is the backlog */
    CONN_RTO = 1 << 12,       /* rto_ms; more sources show it than the rest of tcp_info */
    CONN_BYTES = 1 << 13,     /* notsent_bytes, rwnd_limited_ms, bytes_received, bytes_acked; all since Linux 4.10 */
    CONN_SHOWN_AGE = 1 << 14, /* shown_age_ms, shown_is_life; only captures have them */
};

struct conn {
    struct ip local;
    struct ip remote;
    uint16_t local_port;
    uint16_t remote_port;

    uint8_t state;          /* enum conn_state */
    bool ipv6;              /* the socket's family; the addresses of an IPv6 socket may be IPv4 */
    uint8_t timer;          /* enum conn_timer */
    uint8_t retransmits;    /* of the segment that is unacknowledged now; zero-window probes when timer is persist */
    uint8_t probes;         /* unanswered zero-window or keepalive probes (tcpi_probes) */
    uint8_t backoff;        /* doublings of the timeout (tcpi_backoff) */
    uint8_t shutdown;       /* SHUTDOWN_… */
    uint8_t rto_recoveries; /* how many recoveries by timeout began, this one included; 255: 255 or more */

    uint16_t present;   /* enum conn_field */
    bool shown_is_life; /* shown_age_ms is the time since the connection was made: it is not longer in its state */

    uint32_t uid;
    uint32_t inode;     /* 0: no struct socket: not accepted yet, an orphan, or a mini-socket */
    uint32_t holder;    /* index into snapshot.holders of the first descriptor that refers to it, or NO_INDEX */
    uint32_t previous;  /* index into snapshot.previous->conns, or NO_INDEX; valid if snapshot.confirms */
    uint64_t cookie;    /* unique for the life of the connection, from SYN_RECEIVED to TIME_WAIT */
    uint64_t cgroup_id; /* inode of the cgroup-v2 directory it was created in */

    uint32_t recv_q_bytes; /* LISTEN: connections that wait in the accept queue; else unread bytes, a FIN counting 1 */
    uint32_t send_q_bytes; /* LISTEN: the backlog; else bytes not acknowledged, our FIN counting 1 */
    uint32_t timer_ms;     /* until the pending timer fires */
    uint32_t netns;        /* index into snapshot.netns */

    /* From struct tcp_info */
    uint32_t rto_ms;
    uint32_t rtt_us;
    uint32_t rttvar_us;
    uint32_t unacked;           /* segments in flight */
    uint32_t notsent_bytes;     /* queued and never sent yet */
    uint32_t snd_wnd_bytes;     /* the window that the peer offers */
    uint32_t last_data_sent_ms; /* ago */
    uint32_t last_data_recv_ms; /* ago; a bare FIN does not count */
    uint32_t last_ack_recv_ms;  /* ago; a bare FIN counts. CLOSED: since the connection ended */
    uint32_t total_retrans;     /* segments, over the connection's life */
    uint32_t total_rto_time_ms; /* time in all recoveries of the connection's life, each from its first timeout on */
    uint32_t rwnd_limited_ms;   /* time in which the peer's window held it up, over the connection's life */
    uint64_t bytes_received;    /* the FIN counts 1 */
    uint64_t bytes_acked;

    uint32_t skmem_rmem_bytes; /* memory of the receive queue */
    uint32_t skmem_wmem_bytes; /* memory of the send queue */
    uint32_t skmem_drops;      /* packets dropped; of a listener, connections dropped */

    uint32_t shown_age_ms; /* the time in the state, as a program printed it (netstat -i of Windows); a lower bound */
};

/*
 * The memory budget of a connection is 256 bytes: this struct, its holder, its places in hash tables, its diagnosis.
 */
_Static_assert(sizeof(struct conn) <= 176, "the array of connections is the largest array");

static inline bool conn_has(const struct conn *conn, unsigned fields)
{
    return (conn->present & fields) == fields;
}

/* No process has a descriptor for it: not accepted yet, an orphan, or a mini-socket. */
static inline bool conn_is_unheld(const struct conn *conn)
{
    return conn_has(conn, CONN_INODE) && conn->inode == 0;
}

/* True if the source shows the window that the peer offers, and it is 0. */
static inline bool conn_has_zero_window(const struct conn *conn)
{
    return conn_has(conn, CONN_SND_WND) && conn->snd_wnd_bytes == 0;
}

static inline bool conn_is_listener(const struct conn *conn)
{
    return conn->state == STATE_LISTEN;
}
