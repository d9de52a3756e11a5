/*
 * netstat -an of macOS, FreeBSD and their kin, where a dot stands before the port:
 *
 *   tcp4       0      0  192.168.1.5.52345      17.57.146.20.5223      ESTABLISHED
 *   tcp46      0      0  *.8080                 *.*                    LISTEN
 *
 * macOS' -v adds columns, the PID among them; their headings, always English, say which it is.
 */
#include "source/capture/formats/netstat.h"

enum { WORDS_FIXED = 6, WORDS_MAX = 24 };

/* "Proto Recv-Q Send-Q  Local Address  Foreign Address  (state)  rhiwat shiwat  pid  epid" */
static enum line_kind heading(struct bsd_netstat *state, const struct token *words, unsigned count)
{
    enum { PROTO_TO_STATE = 8 }; /* its words: both addresses have two */
    state->pid_column = 0;
    for (unsigned i = PROTO_TO_STATE; i < count; i++) {
        state->pid_has_name = word_is(&words[i], "process:pid");
        if (state->pid_has_name || word_is(&words[i], "pid")) {
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
        { "Active Multipath Internet", "macos" },
        { "Active LOCAL (UNIX)", "macos" },
        { "Registered kernel control", "macos" },
        { "rhiwat", "macos" },
        { "Active UNIX domain sockets", "freebsd" },
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (strstr(line, marks[i].text) != NULL)
            capture->os = marks[i].os;
    }
}

/* "nginx:812"; the name may have blanks: "Google Chrome He:812". */
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
        if ((colon == NULL) == has_name || !word_number(&number, UINT32_MAX, &pid)) {
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
    if (!word_starts(&words[0], "tcp")) {
        if (word_is(&words[0], "Proto"))
            return heading(state, words, count);
        note_system(capture, line->text);
        return word_starts(&words[0], "udp") || word_starts(&words[0], "icm") ? LINE_FOREIGN : LINE_OTHER;
    }
    struct conn *conn = capture_draft(capture);
    conn->ipv6 = word_is(&words[0], "tcp6") || word_is(&words[0], "tcp46");
    uint64_t recv_q, send_q;
    if (count < WORDS_FIXED - 1 || !word_number(&words[1], UINT32_MAX, &recv_q) ||
        !word_number(&words[2], UINT32_MAX, &send_q))
        return LINE_MALFORMED;
    enum line_kind kind = capture_ends(capture, &words[3], &words[4], '.', conn);
    if (kind != LINE_ROW)
        return kind;
    /* A socket that is neither connected nor listens has no state there. */
    conn->state = count < WORDS_FIXED ? STATE_BOUND : (uint8_t)capture_state(capture, &words[5], conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    conn->recv_q_bytes = (uint32_t)recv_q;
    conn->send_q_bytes = (uint32_t)send_q;
    if (conn->state != STATE_LISTEN)
        conn->present = CONN_QUEUES; /* a listener's are its buffers', not its accept queue */
    capture_add(capture);
    unsigned column = WORDS_FIXED + state->pid_column - 1;
    if (state->pid_column != 0 && column < count)
        read_owner(capture, words + column, count - column, state->pid_has_name, conn);
    return LINE_ROW;
}
