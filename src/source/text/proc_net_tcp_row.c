#include "source/text/proc_net_tcp_row.h"

#include <errno.h>
#include <string.h>

#include "source/text/scan.h"

/* Scans "0100007F:1F90": the address as 32-bit words in the machine's byte order, then the port as a number. */
static bool scan_endpoint(const char **text, bool ipv6, struct ip *ret_ip, uint16_t *ret_port)
{
    uint32_t words[4] = { 0 };
    uint64_t value;
    for (unsigned i = 0; i < (ipv6 ? 4U : 1U); i++) {
        if (!scan_hex(text, 8, &value))
            return false;
        words[i] = (uint32_t)value;
    }
    if (!scan_char(text, ':') || !scan_hex(text, 4, &value))
        return false;
    *ret_ip = ipv6 ? ip_from_v6((const uint8_t *)words) : ip_from_v4((const uint8_t *)words);
    *ret_port = (uint16_t)value;
    return true;
}

/* The timers of this file are in USER_HZ (jiffies_delta_to_clock_t()), which is 100 on the architectures in use. */
enum { TICK_MS = 10 };

int proc_parse_net_tcp_row(const char *row, bool ipv6, struct conn *ret_conn)
{
    struct conn conn = { .ipv6 = ipv6, .holder = NO_INDEX };
    uint64_t slot, state, send_q, recv_q, timer, ticks, retransmits, uid, probes, inode;
    const char *text = row;
    if (!scan_decimal(&text, &slot) || !scan_char(&text, ':'))
        return -EBADMSG;
    skip_spaces(&text);
    if (!scan_endpoint(&text, ipv6, &conn.local, &conn.local_port))
        return -EBADMSG;
    skip_spaces(&text);
    if (!scan_endpoint(&text, ipv6, &conn.remote, &conn.remote_port))
        return -EBADMSG;
    skip_spaces(&text);
    if (!scan_hex(&text, 2, &state))
        return -EBADMSG;
    skip_spaces(&text);
    if (!scan_hex(&text, 8, &send_q) || !scan_char(&text, ':') || !scan_hex(&text, 8, &recv_q))
        return -EBADMSG;
    skip_spaces(&text);
    if (!scan_hex(&text, 2, &timer) || !scan_char(&text, ':') || !scan_hex(&text, 8, &ticks))
        return -EBADMSG;
    skip_spaces(&text);
    if (!scan_hex(&text, 8, &retransmits) || !scan_decimal(&text, &uid) || !scan_decimal(&text, &probes) ||
        !scan_decimal(&text, &inode))
        return -EBADMSG;
    conn.state = (uint8_t)state_from_linux((unsigned)state);
    if (conn.state == STATE_UNKNOWN)
        return -EBADMSG;

    conn.recv_q_bytes = (uint32_t)recv_q;
    conn.send_q_bytes = (uint32_t)send_q;
    conn.timer = (uint8_t)timer;
    conn.timer_ms = ticks > UINT32_MAX / TICK_MS ? UINT32_MAX : (uint32_t)ticks * TICK_MS;
    /* Probes of a zero window and of keepalive have a column of their own: get_tcp4_sock() in net/ipv4/tcp_ipv4.c. */
    conn.retransmits = (uint8_t)(timer == TIMER_PERSIST || timer == TIMER_KEEPALIVE ? probes : retransmits);
    conn.uid = (uint32_t)uid;
    conn.inode = (uint32_t)inode;
    conn.present = CONN_QUEUES | CONN_TIMER | CONN_INODE;
    /*
     * A full socket has more columns: references, address, retransmission timeout, … (get_tcp4_sock()). The row of a
     * mini-socket ends after the address (get_timewait4_sock(), get_openreq4()).
     */
    uint64_t references, address, rto_ticks;
    if (scan_decimal(&text, &references) && scan_char(&text, ' ') && scan_hex(&text, 16, &address) &&
        scan_decimal(&text, &rto_ticks) && rto_ticks > 0 && rto_ticks <= UINT32_MAX / TICK_MS) {
        conn.rto_ms = (uint32_t)rto_ticks * TICK_MS;
        conn.present |= CONN_RTO;
    }
    if (inode != 0 || uid != 0)
        conn.present |= CONN_UID;
    *ret_conn = conn;
    return 0;
}
