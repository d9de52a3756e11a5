#include "model/age.h"

#include "model/handshake.h"
#include "model/previous.h"
#include "model/setting.h"

/* The kernel's defaults, used if a setting could not be read: include/net/tcp.h */
enum {
    RTO_MIN_MS = 200,         /* TCP_RTO_MIN */
    TIME_WAIT_MS = 60 * 1000, /* TCP_TIMEWAIT_LEN: not a setting */
    RETRIES2 = 15,            /* TCP_RETR2 */
    ORPHAN_RETRIES = 8,       /* tcp_orphan_retries() if the setting is 0 */
    BACKOFF_MAX = 31,         /* the most doublings that a shift of 32 bits allows */
};

static uint64_t rto_min_ms(const struct net_values *values)
{
    uint64_t ms = (uint64_t)setting_value(values, SETTING_RTO_MIN, RTO_MIN_MS * 1000) / 1000;
    return ms > 0 ? ms : 1;
}

/* The timeout before any backoff: __tcp_set_rto() in include/net/tcp.h. Its variance term is about 4 × tcpi_rttvar. */
static uint64_t base_rto_ms(const struct conn *conn, const struct net_values *values)
{
    uint64_t rto = ((uint64_t)conn->rtt_us + 4ULL * conn->rttvar_us) / 1000;
    uint64_t least = rto_min_ms(values);
    /* The variance term alone is at least the minimum: tcp_rtt_estimator(). */
    uint64_t floor = conn->rtt_us / 1000 + least;
    rto = rto < floor ? floor : rto;
    return rto > 0 ? rto : 1; /* tcp_rto_min_us allows less than 1 ms, but 0 cannot be doubled */
}

/*
 * The sum of the timeouts up to the current one. Each retransmission that left this host doubled the timeout. One that
 * failed on this host (the link is down) is repeated after half a second, without doubling: tcp_retransmit_timer().
 */
static uint64_t sum_of_timeouts(const struct conn *conn, uint64_t first, uint64_t ceiling)
{
    enum { RESOURCE_PROBE_MS = 500 }; /* TCP_RESOURCE_PROBE_INTERVAL */
    uint64_t timeout = first, sum = 0;
    unsigned left = conn->retransmits;
    for (; left > 0; left--) {
        bool reached = conn_has(conn, CONN_RTO) && conn->rto_ms < ceiling && timeout * 10 > (uint64_t)conn->rto_ms * 7;
        if (reached)
            break;
        sum += timeout < ceiling ? timeout : ceiling;
        timeout *= timeout < ceiling ? 2 : 1;
    }
    uint64_t pause = timeout < RESOURCE_PROBE_MS ? timeout : RESOURCE_PROBE_MS;
    return sum + left * pause + (timeout < ceiling ? timeout : ceiling);
}

/* --- a window that was taken back ------------------------------------------------------------------------------- */

enum {
    /*
     * Fewer doublings may remain from before: an ACK of a retransmitted segment gives no new round-trip time, so the
     * timeout stays doubled (Karn's algorithm, RFC 6298 §3).
     */
    DOUBLINGS = 3,
    LONG_PAUSE_MS = 10 * 1000, /* no path needs such a timeout for a first transmission */
};

bool conn_resends_uncounted(const struct conn *conn)
{
    if (!conn_has(conn, CONN_TIMER) || conn->timer != TIMER_RETRANSMIT || conn_is_handshake(conn))
        return false;
    if (conn_has(conn, CONN_SND_WND))
        return conn->snd_wnd_bytes == 0 && conn->backoff > conn->retransmits;
    if (conn->retransmits > 0)
        return false;
    if (conn_has(conn, CONN_TCP_INFO))
        return conn->backoff >= DOUBLINGS;
    return (conn_has(conn, CONN_RTO) ? conn->rto_ms : conn->timer_ms) >= LONG_PAUSE_MS;
}

/*
 * How long it has retransmitted, computed from the current pause: tcp_retransmit_timer() doubles it up to the maximum.
 */
static uint64_t resending_uncounted_ms(const struct conn *conn, uint64_t first, uint64_t ceiling)
{
    if (!conn_has(conn, CONN_RTO)) /* the earlier pauses add up to about this one, which is at least timer_ms */
        return conn->timer_ms > first ? conn->timer_ms - first : 0;
    uint64_t rto = conn->rto_ms, since_last = rto > conn->timer_ms ? rto - conn->timer_ms : 0;
    bool counts = conn_has(conn, CONN_TCP_INFO);
    if (rto < ceiling)
        return since_last + rto - (rto >> (counts && conn->backoff < BACKOFF_MAX ? conn->backoff : DOUBLINGS));
    uint64_t sum = 0;
    for (unsigned i = 0; counts ? i < conn->backoff : first < ceiling; i++) {
        sum += first < ceiling ? first : ceiling;
        first *= first < ceiling ? 2 : 1;
    }
    return since_last + sum;
}

static struct age handshake_age(const struct snapshot *snapshot, const struct conn *conn)
{
    if (conn->state == STATE_SYN_SENT && conn_has(conn, CONN_RTO_TIME) && conn->rto_recoveries == 1)
        return (struct age){ .kind = AGE_EXACT, .ms = HANDSHAKE_RTO_MS + conn->total_rto_time_ms };
    return (struct age){ .kind = AGE_AT_LEAST, .ms = handshake_least_ms(snapshot_net_values(snapshot, conn), conn) };
}

struct age conn_retransmitting_for(const struct snapshot *snapshot, const struct conn *conn)
{
    if (!conn_has(conn, CONN_TIMER) || conn->timer != TIMER_RETRANSMIT)
        return (struct age){ .kind = AGE_UNKNOWN };
    const struct net_values *values = snapshot_net_values(snapshot, conn);
    bool uncounted = conn_resends_uncounted(conn);
    if (conn->retransmits == 0 && !uncounted)
        return (struct age){ .kind = AGE_UNKNOWN };
    if (conn_is_handshake(conn))
        return handshake_age(snapshot, conn);

    uint64_t first = conn_has(conn, CONN_TCP_INFO) && conn->rtt_us > 0 ? base_rto_ms(conn, values) : rto_min_ms(values);
    if (uncounted)
        return (
            struct age){ .kind = AGE_AT_LEAST, .ms = resending_uncounted_ms(conn, first, setting_rto_max_ms(values)) };
    /* The kernel measures the time of all recoveries together. So it is exact only for the first one. */
    if (conn_has(conn, CONN_RTO_TIME) && conn->rto_recoveries == 1)
        return (struct age){ .kind = AGE_EXACT, .ms = first + conn->total_rto_time_ms };
    uint64_t sum = sum_of_timeouts(conn, first, setting_rto_max_ms(values));
    return (struct age){ .kind = AGE_AT_LEAST, .ms = sum > conn->timer_ms ? sum - conn->timer_ms : 0 };
}

/* --- a window of zero --------------------------------------------------------------------------------------------- */

/*
 * The age from the pause between window probes, for a source that shows no clocks. The first pause is the timeout of
 * the path, and each following pause is twice as long (tcp_probe0_when() in include/net/tcp.h). So the pauses before
 * the current one add up to the current one minus the first. Only a pause that is longer than the timeout of any path
 * proves something. If the source does not show the timeout, three doublings are assumed.
 */
static struct age probing_age(const struct snapshot *snapshot, const struct conn *conn)
{
    if (!conn_has(conn, CONN_TIMER) || conn->timer != TIMER_PERSIST || conn->timer_ms < LONG_PAUSE_MS)
        return (struct age){ .kind = AGE_UNKNOWN };
    uint64_t timer = conn->timer_ms, first = timer >> DOUBLINGS, pause = timer;
    if (conn_has(conn, CONN_RTO)) {
        uint64_t least = rto_min_ms(snapshot_net_values(snapshot, conn));
        first = conn->rto_ms > least ? conn->rto_ms : least;
        for (pause = first; pause < timer;)
            pause *= 2;
    }
    return (struct age){ .kind = AGE_AT_LEAST, .ms = pause - first + (pause - timer), .from_timer = true };
}

/* --- clocks that keepalive resets --------------------------------------------------------------------------------- */

static uint32_t smaller(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

/*
 * True if the last ACK may be the answer to a keepalive probe. When tcp_keepalive_timer() (net/ipv4/tcp_timer.c) fires,
 * it sets the timer again. After a probe it sets tcp_keepalive_intvl, and the answer arrives one round trip later.
 * Without a probe it sets what is left of tcp_keepalive_time since the last segment. All these times are whole seconds.
 * So if the ACK was an answer, the time since the ACK plus the time left on the timer is a whole number of seconds,
 * minus at most one round trip. Any other ACK came at some other moment: it was the peer's FIN, or its ACK of our FIN.
 * Then the time since the ACK is the time in the state.
 */
static bool may_be_keepalive_answer(const struct conn *conn)
{
    enum { SECOND_MS = 1000, JITTER_MS = 60 };
    if (!conn_has(conn, CONN_TIMER))
        return true; /* it is not known whether keepalive runs */
    bool is_orphaned = conn->state == STATE_FIN_WAIT_2 && conn_is_unheld(conn); /* it uses this timer for FIN_WAIT_2 */
    if (conn->timer != TIMER_KEEPALIVE || is_orphaned)
        return false;
    if (conn->timer_ms % SECOND_MS == 0) /* probably rounded by the program that printed it */
        return true;
    uint64_t late = JITTER_MS + ((uint64_t)conn->rtt_us + 4ULL * conn->rttvar_us) / 1000;
    uint64_t over = ((uint64_t)conn->last_ack_recv_ms + conn->timer_ms) % SECOND_MS;
    return over <= JITTER_MS || over + late >= SECOND_MS;
}

/* The time since the last ACK. `most_ms`: the state is not older than this. */
static struct age age_by_last_ack(const struct conn *conn, uint32_t most_ms)
{
    enum { SAME_MOMENT_MS = 1000 };
    uint32_t since_ack = conn->last_ack_recv_ms;
    uint32_t quiet = smaller(conn->last_data_sent_ms, conn->last_data_recv_ms);
    struct age age = { .kind = AGE_AT_LEAST, .ms = since_ack };
    if (quiet <= (uint64_t)since_ack + SAME_MOMENT_MS || !may_be_keepalive_answer(conn))
        return age;
    age.is_reset = true;
    age.quiet_ms = quiet;
    age.most_ms = most_ms > quiet ? most_ms : quiet;
    return age;
}

uint64_t age_judged_ms(const struct age *age)
{
    return age->is_reset && age->quiet_ms > age->ms ? age->quiet_ms : age->ms;
}

/* How long data has been stuck; if no data is stuck, how long nothing has passed. */
static struct age established_age(const struct snapshot *snapshot, const struct conn *conn)
{
    struct age retransmitting = conn_retransmitting_for(snapshot, conn);
    if (retransmitting.kind != AGE_UNKNOWN)
        return retransmitting;
    if (!conn_has(conn, CONN_TCP_INFO))
        return probing_age(snapshot, conn);
    /*
     * In the accept queue no data is sent: tcp_create_openreq_child() has set this clock at the end of the handshake.
     */
    if (conn_is_unheld(conn) && conn->last_data_sent_ms >= conn->last_data_recv_ms)
        return (struct age){ .kind = AGE_AT_LEAST, .ms = conn->last_data_sent_ms };
    /* Answers to window probes and keepalive do not change how long data has waited in either queue. */
    if (conn_has(conn, CONN_TIMER) && conn->timer == TIMER_PERSIST)
        return (struct age){ .kind = AGE_AT_LEAST, .ms = conn->last_data_sent_ms };
    if (conn_has(conn, CONN_QUEUES) && conn->recv_q_bytes > 0)
        return (struct age){ .kind = AGE_AT_LEAST, .ms = conn->last_data_recv_ms };
    uint32_t idle = smaller(conn->last_data_sent_ms, conn->last_data_recv_ms);
    if (!conn_has(conn, CONN_TIMER) || conn->timer != TIMER_KEEPALIVE)
        idle = smaller(conn->last_ack_recv_ms, idle);
    return (struct age){ .kind = AGE_AT_LEAST, .ms = idle };
}

bool conn_life_ms(const struct conn *conn, uint64_t *ret_ms)
{
    *ret_ms = conn->shown_age_ms;
    return conn_has(conn, CONN_SHOWN_AGE) && conn->shown_is_life;
}

/*
 * The age that a program has printed. For ESTABLISHED it would be the time since the handshake, which does not show for
 * how long anything has been stuck.
 */
static struct age shown_age(const struct conn *conn)
{
    uint64_t life_ms;
    if (!conn_has(conn, CONN_SHOWN_AGE) || conn_life_ms(conn, &life_ms) || conn->state == STATE_ESTABLISHED ||
        conn_is_listener(conn))
        return (struct age){ .kind = AGE_UNKNOWN };
    return (struct age){ .kind = AGE_AT_LEAST, .ms = conn->shown_age_ms };
}

/* The age that the clocks and timers of this snapshot show. */
static struct age own_age(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct age unknown = { .kind = AGE_UNKNOWN };
    switch (conn->state) {
    case STATE_TIME_WAIT:
        if (conn_has(conn, CONN_TIMER) && conn->timer == TIMER_TIME_WAIT && conn->timer_ms <= TIME_WAIT_MS)
            return (struct age){ .kind = AGE_EXACT, .ms = TIME_WAIT_MS - conn->timer_ms };
        return unknown;
    case STATE_FIN_WAIT_2: {
        /*
         * A mini-socket (timer 3) lives for tcp_fin_timeout, at most 60 s: tcp_time_wait() in
         * net/ipv4/tcp_minisocks.c.
         */
        uint64_t life = (uint64_t)setting_value(snapshot_net_values(snapshot, conn), SETTING_FIN_TIMEOUT, 60) * 1000;
        life = life < TIME_WAIT_MS ? life : TIME_WAIT_MS;
        if (conn_has(conn, CONN_TIMER) && conn->timer == TIMER_TIME_WAIT && conn->timer_ms <= life)
            return (struct age){ .kind = AGE_AT_LEAST, .ms = life - conn->timer_ms };
        if (conn_has(conn, CONN_TCP_INFO) && conn->timer != TIMER_TIME_WAIT)
            return age_by_last_ack(conn, conn->last_data_sent_ms); /* our FIN came after, or with, our last data */
        return unknown;
    }
    case STATE_LAST_ACK:
    case STATE_FIN_WAIT_1:
    case STATE_CLOSING: {
        struct age age = conn_retransmitting_for(snapshot, conn);
        /* Behind a zero window: how long it has been stuck. That may have begun before this state. */
        if (age.kind == AGE_UNKNOWN && conn_has(conn, CONN_TCP_INFO | CONN_TIMER) && conn->timer == TIMER_PERSIST)
            age = (struct age){ .kind = AGE_AT_LEAST, .ms = conn->last_data_sent_ms };
        return age.kind == AGE_UNKNOWN ? probing_age(snapshot, conn) : age;
    }
    case STATE_SYN_SENT: /* the clocks last_… are not set yet */
    case STATE_SYN_RECEIVED:
        return conn_retransmitting_for(snapshot, conn);
    case STATE_CLOSED:
        return conn_has(conn, CONN_TCP_INFO) ? (struct age){ .kind = AGE_AT_LEAST, .ms = conn->last_ack_recv_ms }
                                             : unknown;
    case STATE_CLOSE_WAIT:
        if (!conn_has(conn, CONN_TCP_INFO))
            return probing_age(snapshot, conn);
        if (conn_has(conn, CONN_QUEUES) && conn->send_q_bytes > 0) {
            /* The peer acknowledges zero-window probes, which resets last_ack_recv; they do not count as data. */
            struct age retransmitting = conn_retransmitting_for(snapshot, conn);
            if (retransmitting.kind != AGE_UNKNOWN)
                return retransmitting;
            return (struct age){ .kind = AGE_AT_LEAST, .ms = conn->last_data_sent_ms };
        }
        return age_by_last_ack(conn, conn->last_data_recv_ms); /* the peer's FIN came after, or with, its last data */
    case STATE_ESTABLISHED:
        return established_age(snapshot, conn);
    default:
        return unknown;
    }
}

/* What earlier runs saw is a lower bound that no answer to a keepalive probe sets back. */
static void raise_age(struct age *age, uint64_t stayed_ms)
{
    if (stayed_ms == 0 || age->kind == AGE_EXACT)
        return;
    if (age->kind == AGE_UNKNOWN)
        *age = (struct age){ .kind = AGE_AT_LEAST, .from_snapshots = true };
    if (stayed_ms > age->ms)
        age->ms = stayed_ms;
    if (age->is_reset && age->ms > age->most_ms)
        age->most_ms = age->ms;
}

bool conn_age_may_shrink(const struct snapshot *snapshot, const struct conn *conn)
{
    if (conn_is_listener(conn))
        return false;
    if (conn_has(conn, CONN_TCP_INFO) && (conn->state == STATE_CLOSE_WAIT || conn->state == STATE_FIN_WAIT_2))
        return !conn_has(conn, CONN_TIMER) || conn->timer == TIMER_KEEPALIVE;
    struct age age = own_age(snapshot, conn);
    return (age.kind == AGE_UNKNOWN && shown_age(conn).kind == AGE_UNKNOWN) || age.from_timer;
}

struct age conn_age(const struct snapshot *snapshot, const struct conn *conn)
{
    struct age age = own_age(snapshot, conn);
    if (age.kind == AGE_UNKNOWN)
        age = shown_age(conn);
    if (snapshot->stayed_ms != NULL)
        raise_age(&age, snapshot->stayed_ms[conn - snapshot->conns]);
    if (age.is_reset && previous_stayed(snapshot, conn) && previous_apart_ms(snapshot) > age.ms)
        age.ms = previous_apart_ms(snapshot);
    if (age.kind == AGE_UNKNOWN && !conn_is_listener(conn) && previous_stayed(snapshot, conn))
        age = (struct age){ .kind = AGE_AT_LEAST, .ms = previous_apart_ms(snapshot), .from_snapshots = true };
    return age;
}

/* As tcp_model_timeout(): the sum of retries + 1 timeouts that start at the minimum and double up to the maximum. */
static uint64_t model_timeout_ms(unsigned retries, uint64_t least, uint64_t most)
{
    uint64_t sum = 0, timeout = least;
    for (unsigned i = 0; i <= retries; i++) {
        sum += timeout < most ? timeout : most;
        if (timeout < most)
            timeout *= 2;
    }
    return sum;
}

/* A number of retries, bounded to a byte, as in today's kernels; older kernels accept any number. */
static unsigned retries_value(const struct net_values *values, enum setting setting, unsigned fallback)
{
    int64_t retries = setting_value(values, setting, fallback);
    return retries < 0 ? 0 : retries > UINT8_MAX ? UINT8_MAX : (unsigned)retries;
}

/* True if the process has closed it. In ESTABLISHED and CLOSE_WAIT, inode 0 means: it waits in the accept queue. */
static bool is_orphan(const struct conn *conn)
{
    return conn->inode == 0 && conn->state != STATE_ESTABLISHED && conn->state != STATE_CLOSE_WAIT;
}

/* The kernel gives up retransmitting at the first timeout after the modelled time: retransmits_timed_out(). */
static uint64_t retransmit_give_up_ms(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct net_values *values = snapshot_net_values(snapshot, conn);
    bool orphan = is_orphan(conn);
    uint64_t most = setting_rto_max_ms(values);
    uint64_t elapsed = conn_retransmitting_for(snapshot, conn).ms;
    uint64_t rto = conn->rto_ms;
    uint64_t wait = conn->timer_ms;
    unsigned retries = retries_value(values, SETTING_RETRIES2, RETRIES2);
    if (orphan) {
        retries = retries_value(values, SETTING_ORPHAN_RETRIES, 0);
        if (retries == 0)
            retries = ORPHAN_RETRIES;
    }
    uint64_t limit = model_timeout_ms(retries, rto_min_ms(values), most);
    for (unsigned i = 0; i < 64 && elapsed + wait < limit; i++) {
        if (orphan && rto >= most) /* tcp_orphan_retries(): the peer no longer counts as alive */
            break;
        rto = rto * 2 < most ? rto * 2 : most;
        wait += rto;
    }
    return wait;
}

/*
 * For an orphan behind a zero window whose peer answers the probes: tcp_probe_timer() gives up when the timeout has
 * doubled up to the maximum.
 */
static uint64_t persist_give_up_ms(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct net_values *values = snapshot_net_values(snapshot, conn);
    uint64_t most = setting_rto_max_ms(values);
    uint64_t interval = base_rto_ms(conn, values);
    for (unsigned i = 0; i < conn->backoff && i < BACKOFF_MAX && interval < most; i++)
        interval *= 2;
    uint64_t wait = conn->timer_ms;
    while (interval < most) {
        interval *= 2;
        wait += interval < most ? interval : most;
    }
    return wait;
}

/*
 * How long a FIN_WAIT_2 without a descriptor still lives. A mini-socket lives until its timer fires. If the time
 * (tcp_fin_timeout) is over 60 s, the full socket stays first, on the keepalive timer, for what exceeds 60 s; then a
 * mini-socket stays for the same time again: tcp_keepalive_timer() in net/ipv4/tcp_timer.c. The time may also come from
 * the socket option TCP_LINGER2, at most 120 s.
 */
static bool fin_wait_2_left_ms(const struct snapshot *snapshot, const struct conn *conn, uint64_t *ret_ms)
{
    if (conn->timer == TIMER_TIME_WAIT) {
        *ret_ms = conn->timer_ms;
        return true;
    }
    if (conn->timer != TIMER_KEEPALIVE || !conn_has(conn, CONN_INODE) || conn->inode != 0)
        return false;
    int64_t life = setting_value(snapshot_net_values(snapshot, conn), SETTING_FIN_TIMEOUT, 60) * 1000;
    *ret_ms = conn->timer_ms + (uint64_t)(life > TIME_WAIT_MS ? life - TIME_WAIT_MS : TIME_WAIT_MS);
    return true;
}

bool conn_give_up_ms(const struct snapshot *snapshot, const struct conn *conn, uint64_t *ret_ms)
{
    if (conn->state == STATE_FIN_WAIT_2 && conn_has(conn, CONN_TIMER))
        return fin_wait_2_left_ms(snapshot, conn, ret_ms);
    if (conn_is_handshake(conn)) {
        if (!conn_has(conn, CONN_TIMER) || conn->timer != TIMER_RETRANSMIT)
            return false;
        return handshake_left_ms(snapshot_net_values(snapshot, conn), conn, ret_ms);
    }
    if (!conn_has(conn, CONN_TIMER | CONN_TCP_INFO | CONN_INODE))
        return false;
    /* A window that was taken back may stay at zero: the kernel waits as long as the peer answers. */
    if (conn_resends_uncounted(conn))
        return false;
    if (conn->timer == TIMER_RETRANSMIT) {
        *ret_ms = retransmit_give_up_ms(snapshot, conn);
        return true;
    }
    if (conn->timer == TIMER_PERSIST && is_orphan(conn)) {
        *ret_ms = persist_give_up_ms(snapshot, conn);
        return true;
    }
    return false;
}
