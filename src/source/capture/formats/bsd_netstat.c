/*
 * netstat -an of macOS, FreeBSD and related systems, with a dot before the port:
 *
 *   tcp4       0      0  192.168.1.5.52345      17.57.146.20.5223      ESTABLISHED
 *   tcp46      0      0  *.8080                 *.*                    LISTEN
 *
 * -v of macOS adds columns, one of them the PID; their headings are always English. -A prints the address of the
 * kernel's control block before each row, as instructions for AIX recommend. -L prints the listeners with three
 * numbers: connections that wait to be accepted, incomplete ones, and the limit.
 *
 *   f1000e00031d53b8 tcp4       0      0  192.0.2.1.22       192.0.2.7.50122      ESTABLISHED
 *   tcp4  49/0/32                          *.143
 */
#include "source/capture/formats/netstat.h"
#include "source/text/scan.h"

enum { WORDS_FIXED = 6, WORDS_MAX = 24 };

/* "Proto Recv-Q Send-Q  Local Address  Foreign Address  (state)  rhiwat shiwat  pid  epid" */
static enum line_kind heading(struct bsd_netstat *state, const struct token *words, unsigned count)
{
    enum { PROTO_TO_STATE = 8 }; /* the number of its words: each of the two addresses has two */
    state->pid_column = 0;
    for (unsigned i = PROTO_TO_STATE; i < count; i++) {
        state->pid_has_name = token_is(&words[i], "process:pid");
        if (state->pid_has_name || token_is(&words[i], "pid")) {
            state->pid_column = i - PROTO_TO_STATE + 1;
            break;
        }
    }
    return LINE_OTHER;
}

static void note_system(struct capture *capture, const char *line)
{
    static const struct {
        const char *text, *os;
    } marks[] = {
        { "PCB/ADDR", "aix" },
        { "Active Multipath Internet", "macos" },
        { "Active LOCAL (UNIX)", "macos" },
        { "Registered kernel control", "macos" },
        { "rhiwat", "macos" },
        { "Active UNIX domain sockets", "freebsd" },
        { "Current listen queue sizes", "freebsd" },
        { "Tcpcb ", "freebsd" },
        { "sonewconn:", "freebsd" },
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (strstr(line, marks[i].text) != NULL)
            capture->os = marks[i].os;
    }
}

/* "f1000e00031d53b8", "0xfffff8001394b7a0": the kernel's address of the socket. */
static bool is_kernel_address(const struct token *word)
{
    enum { LEAST = 8, MOST = 16, PREFIX = 2 };
    struct token digits = *word;
    if (token_starts(&digits, "0x"))
        digits = (struct token){ word->text + PREFIX, word->length - PREFIX };
    return digits.length >= LEAST && digits.length <= MOST &&
        strspn(digits.text, "0123456789abcdefABCDEF") >= digits.length;
}

/* Removes the kernel's address before a row. Returns the number of words that are left. */
static unsigned skip_kernel_address(struct capture *capture, struct token *words, unsigned count)
{
    if (count < 2 || !is_kernel_address(&words[0]) ||
        !(token_starts(&words[1], "tcp") || token_starts(&words[1], "udp")))
        return count;
    if (capture->os == NULL && token_starts(&words[0], "f1000")) /* AIX has its network memory at these addresses */
        capture->os = "aix";
    memmove(words, words + 1, (count - 1) * sizeof *words);
    return count - 1;
}

/* "49/0/32": connections not accepted yet, incomplete ones, the limit. */
static bool parse_queues(const struct token *word, uint64_t ret_numbers[3])
{
    const char *at = word->text;
    for (unsigned i = 0; i < 3; i++) {
        if (!(i == 0 || scan_char(&at, '/')) || *at < '0' || *at > '9' || !scan_decimal(&at, &ret_numbers[i]) ||
            ret_numbers[i] > INT32_MAX)
            return false;
    }
    return at == word->text + word->length;
}

/*
 * A row of -L. The limit is the argument of listen(). FreeBSD and macOS drop connections if more than one and a half
 * times as many wait (sonewconn() in kern/uipc_socket.c). Send-Q of Linux is the number at which the kernel drops, so
 * it is set to that.
 */
static enum line_kind listener(
    struct capture *capture, const struct token *words, const uint64_t queues[3], struct conn *conn)
{
    static const struct token any = { "*.*", 3 };
    enum line_kind kind = capture_ends(capture, &words[2], &any, '.', conn);
    if (kind != LINE_ROW)
        return kind;
    if (capture->os == NULL)
        capture->os = "freebsd";
    conn->state = STATE_LISTEN;
    conn->recv_q_bytes = (uint32_t)queues[0];
    conn->send_q_bytes = (uint32_t)(queues[2] + queues[2] / 2);
    conn->present = CONN_QUEUES | CONN_BACKLOG;
    capture_add(capture);
    return LINE_ROW;
}

/* "nginx:812". The name may contain blanks: "Google Chrome He:812". */
static void read_owner(
    struct capture *capture, const struct token *words, unsigned count, bool has_name, struct conn *conn)
{
    for (unsigned i = 0; i < count; i++) {
        const struct token *word = &words[i];
        const char *colon = has_name ? memrchr(word->text, ':', word->length) : NULL;
        struct token number = *word;
        if (colon != NULL)
            number = (struct token){ colon + 1, word->length - (size_t)(colon - word->text) - 1 };
        uint64_t pid;
        if ((colon == NULL) == has_name || !token_number(&number, UINT32_MAX, &pid)) {
            if (!has_name)
                return;
            continue;
        }
        const char *name = words[0].text;
        if (pid != 0)
            capture_hold(capture, conn, (uint32_t)pid, name, has_name ? (size_t)(colon - name) : 0, FD_UNKNOWN);
        return;
    }
}

enum line_kind bsd_netstat_row(struct capture *capture, const struct line *line)
{
    struct bsd_netstat *state = capture->state;
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    count = skip_kernel_address(capture, words, count);
    if (!token_starts(&words[0], "tcp")) {
        note_system(capture, line->text);
        if (token_is(&words[0], "Proto"))
            return heading(state, words, count);
        return token_starts(&words[0], "udp") || token_starts(&words[0], "icm") ? LINE_FOREIGN : LINE_OTHER;
    }
    struct conn *conn = capture_draft(capture);
    conn->ipv6 = token_is(&words[0], "tcp6") || token_is(&words[0], "tcp46");
    uint64_t recv_q, send_q, queues[3];
    if (count == 3 && parse_queues(&words[1], queues))
        return listener(capture, words, queues, conn);
    if (count < WORDS_FIXED - 1 || !token_number(&words[1], UINT32_MAX, &recv_q) ||
        !token_number(&words[2], UINT32_MAX, &send_q))
        return LINE_MALFORMED;
    enum line_kind kind = capture_ends(capture, &words[3], &words[4], '.', conn);
    if (kind != LINE_ROW)
        return kind;
    /* A socket that is neither connected nor listening has no state in this table. */
    conn->state = count < WORDS_FIXED ? STATE_BOUND : (uint8_t)capture_state(capture, &words[5], conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    conn->recv_q_bytes = (uint32_t)recv_q;
    conn->send_q_bytes = (uint32_t)send_q;
    if (conn->state != STATE_LISTEN)
        conn->present = CONN_QUEUES; /* for a listener these numbers are its buffers, not its accept queue */
    capture_add(capture);
    unsigned column = WORDS_FIXED + state->pid_column - 1;
    if (state->pid_column != 0 && column < count)
        read_owner(capture, words + column, count - column, state->pid_has_name, conn);
    return LINE_ROW;
}
