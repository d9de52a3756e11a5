/*
 * netstat -an of Solaris and illumos. The protocol is in a heading above the rows:
 *
 *   TCP: IPv4
 *      Local Address        Remote Address    Swind  Send-Q  Rwind  Recv-Q    State
 *   10.0.0.1.22          10.0.0.2.52111       64240      0 128872      0 ESTABLISHED
 *
 * Swind is the window that the peer offers. -u adds user, PID and command before the state.
 */
#include "source/capture/formats/netstat.h"

enum { WORDS_MAX = 14, NUMBERS = 4 };

static enum line_kind heading(struct solaris_netstat *state, const struct token *first)
{
    static const char *const others[] = { "UDP:", "SCTP:", "Active", "RAW:" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (token_is(first, others[i]))
            state->is_other = true;
    }
    if (!token_is(first, "TCP:"))
        return LINE_OTHER;
    state->is_other = false;
    return LINE_HEADING;
}

/* The position of the state: the first word after the endpoints and numbers that is a state; 0: none. */
static unsigned find_state(struct capture *capture, const struct token *words, unsigned count)
{
    for (unsigned i = 2 + NUMBERS; i < count; i++) {
        if (state_words_find(&capture->state_words, words[i].text, words[i].length) != STATE_UNKNOWN &&
            words[i].text[0] >= 'A')
            return i;
    }
    return 0;
}

enum line_kind solaris_netstat_row(struct capture *capture, const struct line *line)
{
    struct solaris_netstat *state = capture->state;
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    struct end end;
    if (endpoint_parse(words[0].text, words[0].length, '.', &end) == END_BAD || count < 2 || words[0].length < 3)
        return heading(state, &words[0]);
    if (state->is_other)
        return LINE_FOREIGN;
    unsigned at = find_state(capture, words, count);
    uint64_t numbers[NUMBERS];
    if (at == 0)
        return LINE_OTHER;
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (!token_number(&words[at - NUMBERS + i], UINT32_MAX, &numbers[i]))
            return LINE_MALFORMED;
    }
    struct conn *conn = capture_draft(capture);
    enum line_kind kind = capture_ends(capture, &words[0], &words[1], '.', conn);
    if (kind != LINE_ROW)
        return kind;
    conn->state = (uint8_t)capture_state(capture, &words[at], conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    conn->snd_wnd_bytes = (uint32_t)numbers[0];
    conn->send_q_bytes = (uint32_t)numbers[1];
    conn->recv_q_bytes = (uint32_t)numbers[3];
    if (conn->state != STATE_LISTEN)
        conn->present = CONN_QUEUES | CONN_SND_WND;
    capture_add(capture);
    uint64_t pid;
    if (at - NUMBERS >= 5 && token_number(&words[3], UINT32_MAX, &pid) && pid != 0)
        capture_hold(capture, conn, (uint32_t)pid, words[4].text, words[4].length, FD_UNKNOWN);
    return LINE_ROW;
}
