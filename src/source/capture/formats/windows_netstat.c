/*
 * netstat -an, -ano, -anob, -anobq of Windows (and of Wine and ReactOS):
 *
 *     TCP    10.0.0.5:80            10.1.2.3:50122         ESTABLISHED     1044     InHost
 *    RpcSs
 *    [svchost.exe]
 *
 * The headings are in the language of the system; in German, the states are too. The first word of a row is never
 * translated. A listener is recognised by its remote end, 0.0.0.0:0.
 */
#include <strings.h>

#include "source/capture/formats/netstat.h"

enum { WORDS_MAX = 10, SYSTEM_IDLE = 0 };

/* The state of a row. In an unknown language a listener is still recognised by its remote end. */
static enum conn_state state_of(struct capture *capture, const struct token *word, const struct conn *conn)
{
    enum conn_state state = capture_state(capture, word, conn);
    if (state == STATE_UNKNOWN && conn->remote_port == 0 && ip_is_any(&conn->remote))
        return STATE_LISTEN;
    return state;
}

/* "[svchost.exe]" after a row: the name of the row's process. */
static enum line_kind owner_line(struct capture *capture, const struct token *first, const char *line)
{
    struct windows_netstat *state = capture->state;
    struct conn *conn = capture_last_conn(capture);
    const char *end = strrchr(line, ']');
    if (state->after_other) /* belongs to a UDP row */
        return LINE_DETAIL;
    if (conn == NULL || end == NULL || end <= first->text + 1)
        return LINE_OTHER;
    const struct process *owner = snapshot_owner(capture->snapshot, conn);
    const char *name = first->text + 1;
    size_t length = (size_t)(end - name);
    if (owner != NULL)
        capture_process(capture, owner->pid, name, length);
    else if (!state->has_pids) /* with a PID column, the PID was 0: no process */
        capture_hold(capture, conn, 0, name, length, FD_UNKNOWN);
    return LINE_DETAIL;
}

/* Without regard to case: ReactOS, and people, write it otherwise. */
static bool is_protocol(const struct token *word, const char name[3])
{
    return word->length == 3 && (memcmp(word->text, name, 3) == 0 || strncasecmp(word->text, name, 3) == 0);
}

/* After the PID there may be the offload state and the template. If another row follows, two lines were joined. */
static bool is_joined(const struct token *words, unsigned count)
{
    for (unsigned i = 4; i < count; i++) {
        if (is_protocol(&words[i], "TCP") || is_protocol(&words[i], "UDP"))
            return true;
    }
    return false;
}

/* False for "TCP Statistics for IPv4", which is not a row that was cut. */
static bool may_be_end(const struct token *word)
{
    return memchr(word->text, ':', word->length) != NULL || (word->text[0] >= '0' && word->text[0] <= '9') ||
        word->text[0] == '[';
}

static enum line_kind other_line(struct capture *capture, const struct line *line, const struct token *first)
{
    struct windows_netstat *state = capture->state;
    if (is_protocol(first, "UDP")) {
        state->after_other = true;
        return LINE_FOREIGN;
    }
    if (first->text[0] == '[')
        return owner_line(capture, first, line->text);
    /*
     * A service of the process, or the message that its name cannot be read: below a row, without an address. If the
     * whole text is indented, a prompt, a message or another table may be below the row; these contain such characters.
     */
    bool is_plain = strpbrk(line->text, "\"<>:=|/") == NULL;
    bool is_service = line->text[0] == ' ' && is_plain && !token_starts(first, "TCP") && line_count_ends(line) == 0;
    return capture->after_row && is_service ? LINE_DETAIL : LINE_OTHER;
}

enum line_kind windows_netstat_row(struct capture *capture, const struct line *line)
{
    struct windows_netstat *state = capture->state;
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    if (!is_protocol(&words[0], "TCP"))
        return other_line(capture, line, &words[0]);
    if (count < 4 || is_joined(words, count))
        return count > 1 && !may_be_end(&words[1]) ? LINE_OTHER : LINE_MALFORMED;
    if (count == 4 && memchr(words[3].text, '-', words[3].length) != NULL) /* Windows never writes SYN-RECEIVED so */
        return LINE_OTHER;
    struct conn *conn = capture_draft(capture);
    enum line_kind kind = capture_ends(capture, &words[1], &words[2], ':', conn);
    if (kind != LINE_ROW)
        return kind == LINE_MALFORMED && !may_be_end(&words[1]) ? LINE_OTHER : kind;
    conn->state = (uint8_t)state_of(capture, &words[3], conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    uint64_t pid;
    capture_add(capture);
    state->after_other = false;
    if (count > 4 && token_number(&words[4], UINT32_MAX, &pid)) {
        state->has_pids = true;
        if (pid != SYSTEM_IDLE)
            capture_hold(capture, conn, (uint32_t)pid, "", 0, FD_UNKNOWN);
    }
    return LINE_ROW;
}
