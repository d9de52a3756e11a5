#pragma once
/*
 * How long a connection has been in its state, and how long the kernel will still wait before it gives up.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"

enum age_kind {
    AGE_UNKNOWN = 0,
    AGE_AT_LEAST, /* a lower bound: something may have reset the clock it was read from */
    AGE_EXACT,    /* to within the kernel's timer resolution */
};

struct age {
    enum age_kind kind;
    uint64_t ms;
    bool from_timer;     /* derived only from the pause between window probes: the real age may be far greater */
    bool from_snapshots; /* derived only from the time between two snapshots: the real age may be far greater */

    /*
     * is_reset: every answer to a keepalive probe resets the clock that `ms` was read from. The real time in the state
     * is between `ms` and `most_ms`. `quiet_ms` is the time since data last passed in either direction; keepalive does
     * not reset it. The state may have begun later than that.
     */
    bool is_reset;
    uint64_t most_ms, quiet_ms; /* set only if is_reset */
};

/*
 * The time in the state. Each state has its own source:
 *   TIME_WAIT, FIN_WAIT_2 without a descriptor: the mini-socket's lifetime minus the time left on its timer;
 *   CLOSE_WAIT: time since the last ACK of the peer (tcpi_last_ack_recv), which was its FIN unless others followed;
 *   FIN_WAIT_2 with a descriptor: time since the peer's last acknowledgement, which was that of our FIN unless data
 *     followed;
 *   states that retransmit: the sum of the timeouts so far (retransmits, tcpi_rto, timer);
 *   the same states behind a zero window: time since data could last be sent, that is, how long it has been stuck;
 *   SYN_SENT, SYN_RECEIVED: time since the first SYN or SYN-ACK; known from the first retransmission on;
 *   ESTABLISHED: how long data has been retransmitted, has waited behind a zero window, or has been unread; for a
 *     connection that nobody has accepted, the time since the handshake; for others the idle time: since the last data
 *     in either direction, or, if no keepalive timer runs, since the last ACK;
 *   CLOSED: time since the connection ended.
 * An answer to a keepalive probe is an ACK like any other. So where keepalive runs, or may run, CLOSE_WAIT and
 * FIN_WAIT_2 have only a lower bound, which every answer resets (is_reset). If the source has none of these clocks, the
 * age is what it prints as such (netstat -i of Windows), or the time between two snapshots (previous.h) in which the
 * connection did not change.
 */
struct age conn_age(const struct snapshot *snapshot, const struct conn *conn);

/*
 * The time since the connection was made, if the source shows it (CreationTime of Get-NetTCPConnection). It has not
 * been in its state for longer.
 */
bool conn_life_ms(const struct conn *conn, uint64_t *ret_ms);

/*
 * True if a later snapshot may give a smaller age although nothing has changed: answers to keepalive probes set the
 * clock back, or no clock tells the age. Then what earlier runs saw is worth keeping (snapshot.stayed_ms).
 */
bool conn_age_may_shrink(const struct snapshot *snapshot, const struct conn *conn);

/*
 * The age to compare with a limit. If keepalive resets the clock, this is the time since data last passed. The lower
 * bound itself would fall below the limit after each probe, although nothing has changed on the host.
 */
uint64_t age_judged_ms(const struct age *age);

/*
 * Time since the first transmission of the segment that is being retransmitted now. It is the sum of the timeouts: they
 * double from the timeout that the round-trip time gives (RFC 6298 §5.5) up to tcp_rto_max_ms. Linux 6.7 and later
 * measure this time, except for retransmissions that they do not count.
 */
struct age conn_retransmitting_for(const struct snapshot *snapshot, const struct conn *conn);

/*
 * True if Linux retransmits at doubling pauses without counting the retransmissions. It does so in
 * tcp_retransmit_timer() if the peer took its window back, so that data in flight is outside of the window, and a
 * process has a descriptor. If the source shows no window, this is concluded from pauses that have doubled, or that are
 * longer than any path needs.
 */
bool conn_resends_uncounted(const struct conn *conn);

/*
 * Time until the kernel gives the connection up by itself, if the peer stays silent (retransmit timer; FIN_WAIT_2
 * without a descriptor) or keeps its window at zero (persist timer): tcp_write_timeout(), tcp_orphan_retries() and
 * tcp_probe_timer() in net/ipv4/tcp_timer.c; reqsk_timer_handler() in net/ipv4/inet_connection_sock.c for
 * SYN_RECEIVED. A program's own time limit (connect(), TCP_SYNCNT, TCP_USER_TIMEOUT) may end it sooner. Returns false
 * if the kernel waits for ever, or if too little is known.
 */
bool conn_give_up_ms(const struct snapshot *snapshot, const struct conn *conn, uint64_t *ret_ms);
