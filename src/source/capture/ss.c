/*
 * ss in any mix of options, on one line a socket (-O) or several:
 *
 *   tcp   ESTAB  0  0  10.0.0.5:80  10.1.2.3:50122 users:(("nginx",pid=812,fd=7)) timer:(on,204ms,3) uid:33 ino:3994 …
 *        skmem:(r0,rb131072,t0,…,d0) ts sack cubic rto:204 rtt:0.366/0.724 … lastsnd:9684 lastrcv:9684 lastack:9680
 *
 * Netid and Process columns may be missing; the first words tell. What follows the ends is read by ss_details.c.
 */
#include "source/capture/ss.h"

/* State and queues stand before the ends, and perhaps Netid; behind them the details begin. */
enum { ENDS_AT = 3, WORDS_MOST = 1 + ENDS_AT + 2 + 1 };

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_netid(const struct word *word)
{
    static const char *const netids[] = { "udp", "raw", "u_str", "u_dgr", "u_seq", "nl", "p_raw", "p_dgr", "icmp6",
        "v_str", "v_dgr", "tipc", "xdp", "mptcp", "sctp", "dccp", "vsock", "???" };
    for (size_t i = 0; !is_capital(word->text[0]) && i < sizeof netids / sizeof *netids; i++) {
        if (word_is(word, netids[i]))
            return true;
    }
    return false;
}

/* "State  Recv-Q  Send-Q  Local Address:Port …": ss is never translated. */
static bool is_heading(const struct word *words, unsigned count)
{
    unsigned at = count > 0 && word_is(&words[0], "Netid");
    return count >= at + 3 && word_is(&words[at], "State") && word_is(&words[at + 1], "Recv-Q") &&
        word_is(&words[at + 2], "Send-Q");
}

/* A line that goes on with the details of the row before: "\t skmem:(…) …", however a terminal wrapped it. */
static enum line_kind continuation(struct capture *capture, const struct line *line)
{
    struct conn *conn = capture_last_conn(capture);
    if (!capture->after_row || conn == NULL)
        return LINE_OTHER;
    return ss_read_details(capture, line->text, line->length, conn) > 0 ? LINE_DETAIL : LINE_OTHER;
}

static bool read_queues(const struct word *words, struct conn *conn)
{
    uint64_t recv_q, send_q;
    if (!word_number(&words[0], UINT32_MAX, &recv_q) || !word_number(&words[1], UINT32_MAX, &send_q))
        return false;
    conn->recv_q_bytes = (uint32_t)recv_q;
    conn->send_q_bytes = (uint32_t)send_q;
    conn->present |= CONN_QUEUES;
    /* 0 is also what an ss shows that has read /proc/net/tcp, where there is no backlog. */
    if (conn->state == STATE_LISTEN && send_q > 0)
        conn->present |= CONN_BACKLOG;
    return true;
}

enum line_kind ss_row(struct capture *capture, const struct line *line)
{
    struct word words[WORDS_MOST];
    unsigned count = words_split(line->text, line->length, words, WORDS_MOST, NULL);
    bool foreign = is_netid(&words[0]);
    bool has_netid = foreign || word_is(&words[0], "tcp");
    unsigned at = has_netid;
    enum conn_state state = STATE_UNKNOWN;
    if (count > at && is_capital(words[at].text[0]))
        state = state_words_find(&capture->state_words, words[at].text, words[at].length);
    if (foreign)
        return state != STATE_UNKNOWN ? LINE_FOREIGN : LINE_OTHER;
    if (state == STATE_UNKNOWN) {
        if (is_heading(words, count))
            return LINE_HEADING;
        return has_netid ? LINE_MALFORMED : continuation(capture, line);
    }
    struct conn *conn = capture_draft(capture);
    conn->state = (uint8_t)state;
    if (count < at + ENDS_AT + 2 || !read_queues(&words[at + 1], conn))
        return LINE_MALFORMED;
    enum line_kind kind = capture_ends(capture, &words[at + ENDS_AT], &words[at + ENDS_AT + 1], ':', conn);
    if (kind != LINE_ROW)
        return kind;
    capture_add(capture);
    const char *details = count > at + ENDS_AT + 2 ? words[at + ENDS_AT + 2].text : line->text + line->length;
    ss_read_details(capture, details, (size_t)(line->text + line->length - details), conn);
    return LINE_ROW;
}
