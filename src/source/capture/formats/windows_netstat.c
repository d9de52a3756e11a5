/*
 * Windows netstat -an, -ano, -anob, -anobq (and Wine's, ReactOS's):
 *
 *     TCP    10.0.0.5:80            10.1.2.3:50122         ESTABLISHED     1044     InHost
 *    RpcSs
 *    [svchost.exe]
 *
 * The headings come in the language of the system, and so do, in German, the states. What a row is is told from its
 * first word, which is never translated; that it listens, from its far end, which is 0.0.0.0:0.
 */
#include <strings.h>

#include "source/capture/formats/netstat.h"

enum { WORDS_MAX = 10, SYSTEM_IDLE = 0 };

/* A word that stands for a state, and one that does not but is where it belongs: a language that is not known here. */
static enum conn_state state_of(struct capture *capture, const struct token *word, const struct conn *conn)
{
    enum conn_state state = capture_state(capture, word, conn);
    if (state == STATE_UNKNOWN && conn->remote_port == 0 && ip_is_any(&conn->remote))
        return STATE_LISTEN;
    return state;
}

/* "[svchost.exe]" behind a row, of the same process as its PID. */
static enum line_kind owner_line(struct capture *capture, const struct token *first, const char *line)
{
    struct windows_netstat *state = capture->state;
    struct conn *conn = capture_last_conn(capture);
    const char *end = strrchr(line, ']');
    if (state->after_other) /* of a UDP row */
        return LINE_DETAIL;
    if (conn == NULL || end == NULL || end <= first->text + 1)
        return LINE_OTHER;
    const struct process *owner = snapshot_owner(capture->snapshot, conn);
    const char *name = first->text + 1;
    size_t length = (size_t)(end - name);
    if (owner != NULL)
        capture_process(capture, owner->pid, name, length);
    else if (!state->has_pids) /* else its PID was 0, which is nobody */
        capture_hold(capture, conn, 0, name, length, FD_UNKNOWN);
    return LINE_DETAIL;
}

/* In any case: ReactOS, and people. */
static bool is_protocol(const struct token *word, const char name[3])
{
    return word->length == 3 && (memcmp(word->text, name, 3) == 0 || strncasecmp(word->text, name, 3) == 0);
}

/* Behind a row's PID: its offload state, its template. Another row says that lines were joined. */
static bool is_joined(const struct token *words, unsigned count)
{
    for (unsigned i = 4; i < count; i++) {
        if (is_protocol(&words[i], "TCP") || is_protocol(&words[i], "UDP"))
            return true;
    }
    return false;
}

/* "TCP Statistics for IPv4" is no row that was cut. */
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
     * The service that a process runs for, or that its name may not be known: below a row, without an address. A whole
     * paste may be indented: then a prompt, a message or another table stands below the row, and has these characters.
     */
    bool is_plain = strpbrk(line->text, "\"<>:=|/") == NULL;
    bool is_service = line->text[0] == ' ' && is_plain && !word_starts(first, "TCP") && line_count_ends(line) == 0;
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
    if (count == 4 && memchr(words[3].text, '-', words[3].length) != NULL) /* SYN-RECEIVED: no Windows writes so */
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
    if (count > 4 && word_number(&words[4], UINT32_MAX, &pid)) {
        state->has_pids = true;
        if (pid != SYSTEM_IDLE)
            capture_hold(capture, conn, (uint32_t)pid, "", 0, FD_UNKNOWN);
    }
    return LINE_ROW;
}
