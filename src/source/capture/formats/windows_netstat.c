/*
 * netstat -an, -ano, -anob, -anobq of Windows (and of Wine and ReactOS):
 *
 *     TCP    10.0.0.5:80            10.1.2.3:50122         ESTABLISHED     1044     InHost
 *    RpcSs
 *    [svchost.exe]
 *
 * The headings are in the language of the system; in German, the states are too. The first word of a row is never
 * translated. A listener is recognised by its remote end, 0.0.0.0:0.
 *
 * With -i (since Windows 10) there is one more number: "Time in State (ms)". The heading, or the options of the command
 * above it, tell which number is the PID. A time without a unit is read as milliseconds, the smallest unit that a
 * program would print: then the age is a lower bound in any case.
 */
#include <strings.h>

#include "source/capture/formats/moments.h"
#include "source/capture/formats/netstat.h"

enum { WORDS_MAX = 14, ENDS = 4, SYSTEM_IDLE = 0 };

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

/* --- netstat -i --------------------------------------------------------------------------------------------------- */

/* Reads the options of "netstat -anoi" or "netstat -a -n -i". */
static void read_command(struct windows_netstat *state, const char *text)
{
    const char *at = strcasestr(text, "netstat");
    bool has_time = false, has_pid = false;
    if (at == NULL)
        return;
    for (at += strcspn(at, " |"); *at == ' '; at += strcspn(at, " |")) {
        at += strspn(at, " ");
        if (*at != '-' && *at != '/')
            continue;
        size_t length = strcspn(at, " |");
        has_time |= memchr(at, 'i', length) != NULL;
        has_pid |= memchr(at, 'o', length) != NULL;
    }
    state->has_time = has_time;
    state->has_pid_column = has_pid || !has_time;
    state->pid_is_last = false;
    state->unit_ms = 1;
}

/* "Proto  Local Address  Foreign Address  State  PID  Time in State (ms)". PID is the same in every language. */
static void read_heading(struct windows_netstat *state, const struct token *words, unsigned count)
{
    enum { LEAST = 4, SECOND_MS = 1000 };
    bool is_heading = count >= LEAST && words[0].length == strlen("Proto") &&
        strncasecmp(words[0].text, "Proto", strlen("Proto")) == 0;
    bool has_pid = false, by_ms = false, by_seconds = false;
    for (unsigned i = 0; i < count; i++) {
        has_pid |= token_is(&words[i], "PID");
        by_ms |= token_is(&words[i], "(ms)");
        by_seconds |= token_is(&words[i], "(s)") || token_is(&words[i], "(sec)");
    }
    if (!is_heading && !by_ms && !by_seconds)
        return;
    bool is_named = count >= LEAST && token_is(&words[count - 2], "in") && token_is(&words[count - 1], "State");
    state->has_time |= by_ms || by_seconds || is_named;
    state->has_pid_column = has_pid || !state->has_time;
    state->pid_is_last = has_pid && token_is(&words[count - 1], "PID");
    state->unit_ms = by_seconds ? SECOND_MS : 1;
}

/* Reads the words behind the state: PID, offload state, template, time in the state. */
static uint32_t read_numbers(struct capture *capture, const struct token *words, unsigned count, struct conn *conn)
{
    struct windows_netstat *state = capture->state;
    uint64_t pid = SYSTEM_IDLE;
    unsigned pid_at = state->has_time && state->pid_is_last ? count - 1 : 0;
    bool has_pid = (state->has_pid_column || !state->has_time) && token_number(&words[pid_at], UINT32_MAX, &pid);
    state->has_pids |= has_pid;
    unsigned time_at = state->pid_is_last ? 0 : count - 1;
    if (state->has_time && (!has_pid || time_at != pid_at) &&
        duration_parse(words[time_at].text, words[time_at].length, state->unit_ms, &conn->shown_age_ms))
        conn->present |= CONN_SHOWN_AGE;
    return (uint32_t)pid;
}

static enum line_kind other_line(
    struct capture *capture, const struct line *line, const struct token *words, unsigned count)
{
    struct windows_netstat *state = capture->state;
    const struct token *first = &words[0];
    if (count > 1) {
        read_command(state, line->text);
        read_heading(state, words, count);
    }
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

/* True for a row with a word for its state that is not known, in the system's language: all else can be read. */
static bool is_whole(struct capture *capture, const struct token *words, unsigned count)
{
    uint64_t number;
    bool has_end = count == ENDS || token_number(&words[ENDS], UINT32_MAX, &number);
    return !capture->only_recognises && has_end &&
        unknown_states_add(&capture->unknown_states, words[ENDS - 1].text, words[ENDS - 1].length);
}

enum line_kind windows_netstat_row(struct capture *capture, const struct line *line)
{
    struct windows_netstat *state = capture->state;
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    if (!is_protocol(&words[0], "TCP"))
        return other_line(capture, line, words, count);
    if (count < 4 || is_joined(words, count))
        return count > 1 && !may_be_end(&words[1]) ? LINE_OTHER : LINE_MALFORMED;
    if (count == 4 && memchr(words[3].text, '-', words[3].length) != NULL) /* Windows never writes SYN-RECEIVED so */
        return LINE_OTHER;
    struct conn *conn = capture_draft(capture);
    enum line_kind kind = capture_ends(capture, &words[1], &words[2], ':', conn);
    if (kind != LINE_ROW)
        return kind == LINE_MALFORMED && !may_be_end(&words[1]) ? LINE_OTHER : kind;
    conn->state = (uint8_t)state_of(capture, &words[3], conn);
    if (conn->state == STATE_UNKNOWN && !is_whole(capture, words, count))
        return LINE_MALFORMED;
    capture_add(capture);
    state->after_other = false;
    uint32_t pid = count > ENDS ? read_numbers(capture, &words[ENDS], count - ENDS, conn) : SYSTEM_IDLE;
    if (pid != SYSTEM_IDLE)
        capture_hold(capture, conn, pid, "", 0, FD_UNKNOWN);
    return LINE_ROW;
}
