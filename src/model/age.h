#pragma once
/*
 * How long a connection has been in its state, as far as one snapshot tells, and how long the kernel will still wait.
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
    bool from_timer;     /* the pause between window probes is all that tells: it may be far older */
    bool from_snapshots; /* known only because two looks show the connection: it may be far older */

    /*
     * The clock that `ms` was read from is set back by every answer to a keepalive probe: so the time in the state lies
     * somewhere between `ms` and `most_ms`, and where in between is not known. `quiet_ms` is not set back: it is the
     * time since data last passed in either direction. The state may have begun later than that.
     */
    bool is_reset;
    uint64_t most_ms, quiet_ms; /* both only where is_reset */
};

/*
 * Time in state, by what each state leaves behind:
 *   TIME_WAIT, FIN_WAIT_2 without a descriptor: the mini-socket's life less what its timer still has to run;
 *   CLOSE_WAIT: time since the last segment of the peer, which was its FIN unless ACKs followed (tcpi_last_ack_recv);
 *   FIN_WAIT_2 with a descriptor: time since the peer's last acknowledgement, which was that of our FIN unless data
 *     followed;
 *   states that retransmit: the sum of the timeouts so far (retransmits, tcpi_rto, timer);
 *   the same behind a zero window: time since the last data could be sent, that is, how long it has been stuck;
 *   SYN_SENT, SYN_RECEIVED: from the first retransmission on, since the first SYN or SYN-ACK;
 *   ESTABLISHED: where data is sent again, waits behind a zero window, or lies unread, how long it has; else the time
 *   since the last data or ACK either way (idle time), of which keepalive is no part.
 * An answer to a keepalive probe is an ACK like any other: where keepalive runs, or may run, CLOSE_WAIT and FIN_WAIT_2
 * have a lower bound only that is set back with every answer (is_reset). Where the source has none of these: the time
 * between two looks (previous.h) at a connection that stayed as it was.
 */
struct age conn_age(const struct snapshot *snapshot, const struct conn *conn);

/*
 * The age that a limit is compared with. Where keepalive sets the clock back, it is the time since data last passed:
 * the lower bound would fall under every limit again and again on a host where nothing changes.
 */
uint64_t age_judged_ms(const struct age *age);

/*
 * Time since the first transmission of the segment that is being retransmitted now: the timeouts double from the one
 * that the round-trip time gives (RFC 6298 §5.5) up to tcp_rto_max_ms. Linux 6.7 and later keep the time themselves,
 * but not for what is sent again uncounted.
 */
struct age conn_retransmitting_for(const struct snapshot *snapshot, const struct conn *conn);

/*
 * Sent again at doubling pauses without a retransmission being counted. Linux does that while the peer offers no window
 * for what is in flight already (it took its window back) and a process has a descriptor: tcp_retransmit_timer(). Where
 * the source shows no window, pauses that have doubled, or have become longer than a path makes them, tell it.
 */
bool conn_resends_uncounted(const struct conn *conn);

/*
 * Time until the kernel gives the connection up by itself, if the peer stays silent (retransmit timer; FIN_WAIT_2
 * without a descriptor) or keeps its window at zero (persist timer): tcp_write_timeout(), tcp_orphan_retries() and
 * tcp_probe_timer() in net/ipv4/tcp_timer.c; reqsk_timer_handler() in net/ipv4/inet_connection_sock.c for
 * SYN_RECEIVED. A program's own time limit (connect(), TCP_SYNCNT, TCP_USER_TIMEOUT) may end it sooner. False where it
 * would wait for ever or where too little is known.
 */
bool conn_give_up_ms(const struct snapshot *snapshot, const struct conn *conn, uint64_t *ret_ms);
