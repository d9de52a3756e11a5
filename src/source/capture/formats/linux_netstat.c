/*
 * netstat -tan[p][e][o] of net-tools. That of busybox has the same columns, as far as it has them.
 *
 *   tcp        0      0 10.0.0.5:80  10.1.2.3:50122  CLOSE_WAIT  0  39944926  812/nginx: worker   off (0.00/0/0)
 *
 * After the state there may be user and inode (-e), PID and name (-p) and a timer (-o). They are told apart by their
 * form.
 */
#include <stdlib.h>

#include "source/capture/formats/netstat.h"

enum { WORDS_FIXED = 6, WORDS_MAX = 24, DIGITS_MS = 3 };

/* "(7164.17/0/0)": seconds left, retransmissions, probes. Source: the timer texts in netstat.c of net-tools. */
static bool read_timer(const struct token *name, const struct token *values, struct conn *conn)
{
    static const struct {
        const char *name;
        enum conn_timer timer;
    } timers[] = { { "off", TIMER_NONE }, { "on", TIMER_RETRANSMIT }, { "keepalive", TIMER_KEEPALIVE },
        { "timewait", TIMER_TIME_WAIT }, { "probe", TIMER_PERSIST } };
    char *end;
    if (values->text[0] != '(' || values->text[values->length - 1] != ')')
        return false;
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
        if (!token_is(name, timers[i].name))
            continue;
        double seconds = strtod(values->text + 1, &end);
        if (*end != '/' || !(seconds >= 0) || seconds > UINT32_MAX / 1000.0)
            return false;
        unsigned long retransmits = strtoul(end + 1, &end, 10);
        unsigned long probes = *end == '/' ? strtoul(end + 1, &end, 10) : 0;
        conn->timer = (uint8_t)timers[i].timer;
        conn->timer_ms = (uint32_t)(seconds * 1000);
        conn->probes = (uint8_t)(probes < UINT8_MAX ? probes : UINT8_MAX);
        conn->retransmits = (uint8_t)(retransmits < UINT8_MAX ? retransmits : UINT8_MAX);
        if (timers[i].timer == TIMER_PERSIST || timers[i].timer == TIMER_KEEPALIVE)
            conn->retransmits = conn->probes;
        conn->present |= CONN_TIMER;
        return true;
    }
    return false;
}

/* "812/nginx: worker". The name may contain blanks; it ends where the next column begins. */
static bool read_owner(struct capture *capture, const struct token *words, unsigned count, struct conn *conn)
{
    const char *slash = memchr(words[0].text, '/', words[0].length);
    if (slash == NULL)
        return false;
    struct token number = { words[0].text, (size_t)(slash - words[0].text) };
    uint64_t pid;
    if (!token_number(&number, UINT32_MAX, &pid) || pid == 0)
        return false;
    const struct token *last = &words[count - 1];
    size_t length = (size_t)(last->text + last->length - slash) - 1;
    while (length > 0 && slash[length] == ':') /* "nginx:" is what net-tools leaves of "nginx: worker process" */
        length--;
    capture_hold(capture, conn, (uint32_t)pid, slash + 1, length, FD_UNKNOWN);
    return true;
}

/* Reads user and inode, unless the next word is PID and name already. */
static unsigned read_extended(const struct token *words, unsigned count, struct conn *conn)
{
    uint64_t inode, uid;
    if (count < 2 || memchr(words[0].text, '/', words[0].length) != NULL ||
        !token_number(&words[1], UINT32_MAX, &inode))
        return 0;
    conn->inode = (uint32_t)inode;
    conn->present |= CONN_INODE;
    if (token_number(&words[0], UINT32_MAX, &uid) && (inode != 0 || uid != 0)) {
        conn->uid = (uint32_t)uid;
        conn->present |= CONN_UID;
    }
    return 2;
}

static void read_rest(struct capture *capture, const struct token *words, unsigned count, struct conn *conn)
{
    if (count >= 2 && read_timer(&words[count - 2], &words[count - 1], conn))
        count -= 2;
    unsigned used = read_extended(words, count, conn);
    /* A mini-socket has no descriptor. Without -e only its timer shows that it is one. */
    if (conn_has(conn, CONN_TIMER) && conn->timer == TIMER_TIME_WAIT && !conn_has(conn, CONN_INODE))
        conn->present |= CONN_INODE;
    capture_add(capture);
    if (used < count)
        read_owner(capture, words + used, count - used, conn);
}

/* net-tools translates states into some languages (its po/ folder). A listener is recognised anyway. */
static enum conn_state state_of(struct capture *capture, const struct token *word, const struct conn *conn)
{
    enum conn_state state = capture_state(capture, word, conn);
    if (state == STATE_UNKNOWN && conn->remote_port == 0 && ip_is_any(&conn->remote))
        return STATE_LISTEN;
    return state;
}

/* "tcp  6 431999 ESTABLISHED src=10.0.0.5 …" is an entry of connection tracking, not a socket. */
static bool is_tracked(const struct token *words, unsigned count)
{
    for (unsigned i = 3; i < count; i++) {
        if (token_starts(&words[i], "src="))
            return true;
    }
    return false;
}

/* True if another row follows after the state: two lines were joined. */
static bool is_joined(const struct token *words, unsigned count)
{
    for (unsigned i = WORDS_FIXED; i < count; i++) {
        if (token_is(&words[i], "tcp") || token_is(&words[i], "tcp6") || token_is(&words[i], "udp"))
            return true;
    }
    return false;
}

enum line_kind linux_netstat_row(struct capture *capture, const struct line *line)
{
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    if (!token_is(&words[0], "tcp") && !token_is(&words[0], "tcp6")) {
        bool foreign = token_starts(&words[0], "udp") || token_starts(&words[0], "unix") ||
            token_starts(&words[0], "raw");
        return foreign && count >= 4 ? LINE_FOREIGN : LINE_OTHER;
    }
    if (is_tracked(words, count))
        return LINE_OTHER;
    struct conn *conn = capture_draft(capture);
    conn->ipv6 = token_is(&words[0], "tcp6");
    uint64_t recv_q, send_q;
    if (count < WORDS_FIXED || is_joined(words, count) || !token_number(&words[1], UINT32_MAX, &recv_q) ||
        !token_number(&words[2], UINT32_MAX, &send_q))
        return LINE_MALFORMED;
    enum line_kind kind = capture_ends(capture, &words[3], &words[4], ':', conn);
    if (kind != LINE_ROW)
        return kind;
    conn->state = (uint8_t)state_of(capture, &words[5], conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    conn->recv_q_bytes = (uint32_t)recv_q;
    conn->send_q_bytes = (uint32_t)send_q;
    conn->present = CONN_QUEUES;
    read_rest(capture, words + WORDS_FIXED, count - WORDS_FIXED, conn);
    return LINE_ROW;
}
