#include "model/handshake.h"

/* The kernel's defaults, used if a setting could not be read: include/net/tcp.h */
enum {
    BACKOFF_MAX = 31,        /* the most doublings that a shift of 32 bits allows */
    SYN_RETRIES = 6,         /* TCP_SYN_RETRIES */
    SYN_LINEAR_TIMEOUTS = 4, /* tcp_syn_linear_timeouts, Linux 6.5 and later */
    SYNACK_RETRIES = 5,      /* TCP_SYNACK_RETRIES */
};

/*
 * True if all settings were read. A kernel that shows these settings, but not tcp_syn_linear_timeouts, does not have
 * it. A paste may contain only some settings.
 */
static bool are_settings_read(const struct net_values *values)
{
    return values != NULL && values->has_setting[SETTING_SYN_RETRIES] && values->has_setting[SETTING_FIN_TIMEOUT] &&
        values->has_setting[SETTING_RETRIES2];
}

/* The pause after so many doublings: between SYNs tcp_retransmit_timer(), between SYN-ACKs reqsk_timer_handler(). */
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

/* True if the current pause may be this one. Ticks of the kernel and rounding in the output may add an eighth. */
static bool allows_pause(const struct conn *conn, uint64_t pause_ms)
{
    bool timer_fits = conn->timer_ms <= pause_ms + pause_ms / 8;
    return timer_fits && (!conn_has(conn, CONN_RTO) || conn->rto_ms <= pause_ms + pause_ms / 8);
}

/*
 * How many SYNs are repeated at the first pause, before the pauses double. Linux before 6.5 repeats none like this. If
 * the setting is not known, its default is assumed, unless the timer, the timeout or the doublings of the connection
 * contradict it. If several numbers are possible, the largest is taken: then the age is a lower bound.
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
 * A SYN-ACK is sent again when its timer fires, and also whenever the client repeats its SYN, which also restarts the
 * timer: tcp_check_req(). So the count may rise twice a second. But if more time is left on the timer than the first
 * pauses last, these pauses are over.
 */
static uint64_t syn_ack_age_ms(const struct net_values *values, const struct conn *conn)
{
    uint64_t least = (uint64_t)conn->retransmits * HANDSHAKE_RTO_MS / 2, over = 0;
    for (unsigned i = 0; i < conn->retransmits && handshake_pause_ms(values, i) < conn->timer_ms; i++)
        over += handshake_pause_ms(values, i);
    return over > least ? over : least;
}

/*
 * The sum of the pauses, minus what is left of the current one. If the first pause cannot have been one second (it was
 * three seconds before Linux 3.1), only the timer is used: the pauses doubled, so the earlier ones add up to nearly as
 * much as the current one.
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

/* tcp_write_timeout() gives up after tcp_syn_retries retransmissions, plus the linear ones. */
bool handshake_left_ms(const struct net_values *values, const struct conn *conn, uint64_t *ret_ms)
{
    unsigned linear = conn->state == STATE_SYN_SENT ? linear_timeouts(values, conn) : 0;
    unsigned retries = conn->state == STATE_SYN_SENT
        ? (unsigned)setting_value(values, SETTING_SYN_RETRIES, SYN_RETRIES) + linear
        : (unsigned)setting_value(values, SETTING_SYNACK_RETRIES, SYNACK_RETRIES);
    retries = retries < UINT8_MAX ? retries : UINT8_MAX;
    if (conn->retransmits >
        retries) /* answers to the client's SYNs count too: it is unknown how often the timer fired */
        return false;
    uint64_t wait = conn->timer_ms;
    for (unsigned i = conn->retransmits + 1U; i <= retries; i++)
        wait += handshake_pause_ms(values, doublings_after(i, linear));
    *ret_ms = wait;
    return true;
}
