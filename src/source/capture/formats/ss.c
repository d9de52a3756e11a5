/*
 * ss with any options. A socket takes one line (-O) or several:
 *
 *   tcp   ESTAB  0  0  10.0.0.5:80  10.1.2.3:50122 users:(("nginx",pid=812,fd=7)) timer:(on,204ms,3) uid:33 ino:3994 …
 *        skmem:(r0,rb131072,t0,…,d0) ts sack cubic rto:204 rtt:0.366/0.724 … lastsnd:9684 lastrcv:9684 lastack:9680
 *
 * The columns Netid and Process may be missing; the first words show it. ss_details.c reads the text after the
 * endpoints.
 */
#include "source/capture/formats/ss.h"

/* Netid and state may come before the queues. The endpoints and the details follow. */
enum { QUEUES = 2, WORDS_MAX = 2 + QUEUES + 2 + 1 };

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_netid(const struct token *word)
{
    static const char *const netids[] = { "udp", "raw", "u_str", "u_dgr", "u_seq", "nl", "p_raw", "p_dgr", "icmp6",
        "v_str", "v_dgr", "tipc", "xdp", "mptcp", "sctp", "dccp", "vsock", "???" };
    for (size_t i = 0; !is_capital(word->text[0]) && i < sizeof netids / sizeof *netids; i++) {
        if (token_is(word, netids[i]))
            return true;
    }
    return false;
}

/*
 * "State  Recv-Q  Send-Q  Local Address:Port …". ss is never translated. With a filter for one state it omits that
 * column: "Recv-Q  Send-Q …".
 */
static bool read_heading(struct ss *ss, const struct token *words, unsigned count)
{
    unsigned at = count > 0 && token_is(&words[0], "Netid");
    bool has_state = count > at && token_is(&words[at], "State");
    at += has_state;
    if (count < at + 3 || !token_is(&words[at], "Recv-Q") || !token_is(&words[at + 1], "Send-Q") ||
        !token_is(&words[at + 2], "Local"))
        return false;
    ss->without_state = !has_state;
    return true;
}

/* "# ss -tan state close-wait" in the text: the state of rows that do not show it. */
static void read_command(struct capture *capture, const struct line *line)
{
    struct ss *ss = capture->state;
    const char *at = strstr(line->text, " state ");
    if (at == NULL || strstr(line->text, "ss ") == NULL)
        return;
    struct token word;
    at += strlen(" state ");
    if (tokens_split(at, strlen(at), &word, 1, NULL) > 0)
        ss->filtered = state_words_find(&capture->state_words, word.text, word.length);
}

/* The state of a row. A row without one begins with a number, or with Netid and a number. */
static enum conn_state state_of(
    struct capture *capture, const struct token *words, unsigned count, unsigned at, unsigned *ret_queues_at)
{
    const struct ss *ss = capture->state;
    *ret_queues_at = at + 1;
    if (count <= at)
        return STATE_UNKNOWN;
    if (is_capital(words[at].text[0]))
        return state_words_find(&capture->state_words, words[at].text, words[at].length);
    uint64_t number;
    *ret_queues_at = at;
    return ss->without_state && token_number(&words[at], UINT32_MAX, &number) ? ss->filtered : STATE_UNKNOWN;
}

/* A line with more details of the row before: "\t skmem:(…) …". A terminal may have wrapped it anywhere. */
static enum line_kind continuation(struct capture *capture, const struct line *line)
{
    struct conn *conn = capture_last_conn(capture);
    /* ss indents the details. A line that is not may be a row behind a mark of quotation. */
    bool is_row = (unsigned char)line->text[0] > ' ' && line_count_ends(line) > 1;
    if (!capture->after_row || conn == NULL || is_row)
        return LINE_OTHER;
    return ss_read_details(capture, line->text, line->length, conn) > 0 ? LINE_DETAIL : LINE_OTHER;
}

static bool read_queues(const struct token *words, struct conn *conn)
{
    uint64_t recv_q, send_q;
    if (!token_number(&words[0], UINT32_MAX, &recv_q) || !token_number(&words[1], UINT32_MAX, &send_q))
        return false;
    conn->recv_q_bytes = (uint32_t)recv_q;
    conn->send_q_bytes = (uint32_t)send_q;
    conn->present |= CONN_QUEUES;
    /* 0 may also mean that this ss read /proc/net/tcp, which has no backlog. */
    if (conn->state == STATE_LISTEN && send_q > 0)
        conn->present |= CONN_BACKLOG;
    return true;
}

/* Handles a line without a state: a heading, details of the row before, or a row whose state is not known. */
static enum line_kind other_line(
    struct capture *capture, const struct line *line, const struct token *words, unsigned count, bool has_netid)
{
    struct ss *ss = capture->state;
    if (read_heading(ss, words, count)) {
        ss_end_part(capture);
        /* Then rows were joined to the heading. */
        return line_count_ends(line) > 0 ? LINE_MALFORMED : LINE_HEADING;
    }
    read_command(capture, line);
    uint64_t number;
    bool is_row = ss->without_state && count >= 4 && token_number(&words[has_netid], UINT32_MAX, &number);
    return has_netid || is_row ? LINE_MALFORMED : continuation(capture, line);
}

enum line_kind ss_row(struct capture *capture, const struct line *line)
{
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    bool foreign = is_netid(&words[0]);
    bool has_netid = foreign || token_is(&words[0], "tcp");
    unsigned at;
    enum conn_state state = state_of(capture, words, count, has_netid, &at);
    if (foreign)
        return state != STATE_UNKNOWN ? LINE_FOREIGN : LINE_OTHER;
    if (state == STATE_UNKNOWN)
        return other_line(capture, line, words, count, has_netid);
    struct conn *conn = capture_draft(capture);
    conn->state = (uint8_t)state;
    if (count < at + QUEUES + 2 || !read_queues(&words[at], conn))
        return LINE_MALFORMED;
    enum line_kind kind = capture_ends(capture, &words[at + QUEUES], &words[at + QUEUES + 1], ':', conn);
    if (kind != LINE_ROW)
        return kind;
    bool has_details = count > at + QUEUES + 2;
    const char *details = has_details ? words[at + QUEUES + 2].text : line->text + line->length;
    if (has_details && is_capital(*details)) /* the state of another row: two lines were joined */
        return LINE_MALFORMED;
    capture_add(capture);
    ss_read_details(capture, details, (size_t)(line->text + line->length - details), conn);
    return LINE_ROW;
}
