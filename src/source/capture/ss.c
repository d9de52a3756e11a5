/*
 * ss in any mix of options, on one line a socket (-O) or several:
 *
 *   tcp   ESTAB  0  0  10.0.0.5:80  10.1.2.3:50122 users:(("nginx",pid=812,fd=7)) timer:(on,204ms,3) uid:33 ino:3994 …
 *        skmem:(r0,rb131072,t0,…,d0) ts sack cubic rto:204 rtt:0.366/0.724 … lastsnd:9684 lastrcv:9684 lastack:9680
 *
 * Netid and Process columns may be missing; the first words tell. What follows the ends is read by ss_details.c.
 */
#include "source/capture/ss.h"

enum { WORDS_MOST = 6 };

static bool is_netid(const struct word *word)
{
    static const char *const netids[] = { "udp", "raw", "u_str", "u_dgr", "u_seq", "nl", "p_raw", "p_dgr", "icmp6",
        "v_str", "v_dgr", "tipc", "xdp", "mptcp", "sctp", "dccp", "vsock", "???" };
    for (size_t i = 0; i < sizeof netids / sizeof *netids; i++) {
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
    return ss_read_details(capture, line->text, conn) > 0 ? LINE_DETAIL : LINE_OTHER;
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
    const char *rest = NULL;
    unsigned count = words_split(line->text, words, 1, &rest);
    bool foreign = is_netid(&words[0]);
    bool has_netid = foreign || word_is(&words[0], "tcp");
    unsigned at = has_netid;
    if (has_netid)
        count += words_split(rest, words + 1, 1, &rest);
    struct conn conn = { 0 };
    if (count > at)
        conn.state = (uint8_t)state_words_find(&capture->state_words, words[at].text, words[at].length);
    bool has_state = conn.state != STATE_UNKNOWN && words[at].text[0] >= 'A' && words[at].text[0] <= 'Z';
    if (foreign)
        return has_state ? LINE_FOREIGN : LINE_OTHER;
    if (!has_state) {
        count = words_split(line->text, words, WORDS_MOST, NULL);
        if (is_heading(words, count))
            return LINE_HEADING;
        return has_netid ? LINE_MALFORMED : continuation(capture, line);
    }
    count += words_split(rest, words + at + 1, 4, &rest);
    if (count < at + 5 || !read_queues(&words[at + 1], &conn))
        return LINE_MALFORMED;
    enum line_kind kind = capture_ends(capture, &words[at + 3], &words[at + 4], ':', &conn);
    if (kind != LINE_ROW)
        return kind;
    struct conn *added = capture_add(capture, &conn);
    if (added != NULL)
        ss_read_details(capture, rest, added);
    return LINE_ROW;
}
