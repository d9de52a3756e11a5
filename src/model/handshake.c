#include "model/handshake.h"

/* Kernel defaults, for where a setting could not be read: include/net/tcp.h */
enum {
    BACKOFF_MAX = 31,        /* doublings that make sense in 32 bits */
    SYN_RETRIES = 6,         /* TCP_SYN_RETRIES */
    SYN_LINEAR_TIMEOUTS = 4, /* tcp_syn_linear_timeouts, Linux 6.5 and later */
    SYNACK_RETRIES = 5,      /* TCP_SYNACK_RETRIES */
};

/*
 * Settings are read as a whole: a kernel that shows these and not the one about SYNs lacks that. One line of a paste
 * does not tell.
 */
static bool are_settings_read(const struct net_values *values)
{
    return values != NULL && values->has_setting[SETTING_SYN_RETRIES] && values->has_setting[SETTING_FIN_TIMEOUT] &&
        values->has_setting[SETTING_RETRIES2];
}

/* The pause between SYNs after so many doublings: tcp_retransmit_timer(); between SYN-ACKs: reqsk_timer_handler(). */
static uint64_t handshake_pause_ms(const struct net_values *values, unsigned doublings)
{
    uint64_t most = setting_rto_max_ms(values);
    uint64_t pause = (uint64_t)HANDSHAKE_RTO_MS << (doublings < BACKOFF_MAX ? doublings : BACKOFF_MAX);
    return pause < most ? pause : most;
}

static unsigned doublings_after(unsigned retransmits, unsigned linear)
{
    return retransmits > linear ? retransmits - linear : 0;
}

/* Whether the pause that runs now may be that one. The kernel's ticks and what prints them may add a little. */
static bool allows_pause(const struct conn *conn, uint64_t pause_ms)
{
    bool timer_fits = conn->timer_ms <= pause_ms + pause_ms / 8;
    return timer_fits && (!conn_has(conn, CONN_RTO) || conn->rto_ms <= pause_ms + pause_ms / 8);
}

/*
 * How many SYNs follow at the first distance before the pauses double. A kernel before 6.5 has none; where the setting
 * is not known, it may be its default, unless the row's own timer, its timeout or its doublings contradict that. Of
 * several that are possible the largest is taken: then the connection is at least as old as the result says.
 */
static unsigned linear_timeouts(const struct net_values *values, const struct conn *conn)
{
    int64_t set = setting_value(
        values, SETTING_SYN_LINEAR_TIMEOUTS, are_settings_read(values) ? 0 : SYN_LINEAR_TIMEOUTS);
    unsigned linear = set < 0 ? 0 : set > UINT8_MAX ? UINT8_MAX : (unsigned)set;
    if (conn_has(conn, CONN_TCP_INFO) && linear > doublings_after(conn->retransmits, conn->backoff))
        linear = doublings_after(conn->retransmits, conn->backoff);
    while (linear > 0 && !allows_pause(conn, handshake_pause_ms(values, doublings_after(conn->retransmits, linear))))
        linear--;
    return linear;
}

bool conn_is_handshake(const struct conn *conn)
{
    return conn->state == STATE_SYN_SENT || conn->state == STATE_SYN_RECEIVED;
}

/*
 * A SYN-ACK is sent again when its timer fires and, besides, whenever the client repeats its SYN, which also puts the
 * timer off: tcp_check_req(). The count may thus rise twice a second; a timer that has longer to run than the first
 * pauses tells that those are over.
 */
static uint64_t syn_ack_age_ms(const struct net_values *values, const struct conn *conn)
{
    uint64_t least = (uint64_t)conn->retransmits * HANDSHAKE_RTO_MS / 2, over = 0;
    for (unsigned i = 0; i < conn->retransmits && handshake_pause_ms(values, i) < conn->timer_ms; i++)
        over += handshake_pause_ms(values, i);
    return over > least ? over : least;
}

/*
 * The pauses up to this one. Where the first cannot have been one second (three, before Linux 3.1), the timer alone
 * tells: the pauses doubled up to this one, so that those before it add up to nearly as much.
 */
static uint64_t syn_age_ms(const struct net_values *values, const struct conn *conn)
{
    unsigned linear = linear_timeouts(values, conn), retransmits = conn->retransmits;
    uint64_t timer = conn->timer_ms, sum = 0;
    if (!allows_pause(conn, handshake_pause_ms(values, doublings_after(retransmits, linear))))
        return timer - (timer >> (retransmits < BACKOFF_MAX ? retransmits : BACKOFF_MAX));
    for (unsigned i = 0; i <= retransmits; i++)
        sum += handshake_pause_ms(values, doublings_after(i, linear));
    return sum > timer ? sum - timer : 0;
}

uint64_t handshake_least_ms(const struct net_values *values, const struct conn *conn)
{
    return conn->state == STATE_SYN_RECEIVED ? syn_ack_age_ms(values, conn) : syn_age_ms(values, conn);
}

/* tcp_write_timeout() gives a SYN up when all its retransmissions, the linear ones beside the others, are over. */
bool handshake_left_ms(const struct net_values *values, const struct conn *conn, uint64_t *ret_ms)
{
    unsigned linear = conn->state == STATE_SYN_SENT ? linear_timeouts(values, conn) : 0;
    unsigned retries = conn->state == STATE_SYN_SENT
        ? (unsigned)setting_value(values, SETTING_SYN_RETRIES, SYN_RETRIES) + linear
        : (unsigned)setting_value(values, SETTING_SYNACK_RETRIES, SYNACK_RETRIES);
    retries = retries < UINT8_MAX ? retries : UINT8_MAX;
    if (conn->retransmits > retries) /* the client's repetitions count too: no telling how often the timer fired */
        return false;
    uint64_t wait = conn->timer_ms;
    for (unsigned i = conn->retransmits + 1U; i <= retries; i++)
        wait += handshake_pause_ms(values, doublings_after(i, linear));
    *ret_ms = wait;
    return true;
}
