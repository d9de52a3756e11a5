/*
 * Counts of connections by state, as people make them:
 *
 *   710 CLOSE_WAIT                            sort | uniq -c
 *   CLOSE_WAIT 710                            awk '{S[$NF]++} END {for (s in S) print s, S[s]}'
 *   Count Name                                Get-NetTCPConnection | Group-Object State,OwningProcess
 *   ----- ----
 *    2260 Bound, 10684     {MSFT_Net…
 *   $ netstat -an | grep -c CLOSE_WAIT        the number is on the next line; also wc -l, find /c, (…).Count
 *   710
 *   tcp.status[close_wait]: 710               monitoring systems
 *
 * A line counts only if it has nothing but states, numbers and a few words without meaning. So prose does not count.
 */
#include "source/capture/formats/numbers.h"

#include <ctype.h>
#include <strings.h>

enum { WORDS_MAX = 24, GROUP_COUNT_FIRST = 1, GROUP_NAME_FIRST = 2 };

enum word_kind { WORD_NOISE, WORD_STATE, WORD_NUMBER, WORD_OTHER };

struct word {
    struct token token;
    enum word_kind kind;
    enum conn_state state;
    uint64_t number;
    bool comma; /* a comma follows */
};

/* --- words -------------------------------------------------------------------------------------------------------- */

static bool is_separator(char c)
{
    return (unsigned char)c <= ' ' || strchr("=\"'`|;[]{}<>", c) != NULL;
}

/* "710", "12,248", "12.248" */
static bool read_number(const struct token *token, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t since = 0; /* digits since the last separator */
    bool grouped = false;
    if (token->length == 0 || token->length > 18)
        return false;
    for (size_t i = 0; i < token->length; i++) {
        char c = token->text[i];
        if (c >= '0' && c <= '9') {
            number = number * 10 + (unsigned)(c - '0');
            since++;
            continue;
        }
        if ((c != ',' && c != '.') || since == 0 || since > 3 || (grouped && since != 3))
            return false;
        grouped = true;
        since = 0;
    }
    *ret_number = number;
    return !grouped || since == 3;
}

/* The state of a word. Short words and CLOSED in other spellings are left out: they are words of many languages. */
static enum conn_state state_of(struct capture *capture, const char *text, size_t length)
{
    if (length < 5 || (*text >= '0' && *text <= '9'))
        return STATE_UNKNOWN;
    enum conn_state state = state_words_find(&capture->state_words, text, length);
    if (state == STATE_CLOSED && (length < 5 || strncasecmp(text, "close", 5) != 0))
        return STATE_UNKNOWN;
    return state;
}

/* A state at the end of a name: "tcp_close_wait", "net.tcp.time_wait". */
static enum conn_state state_in_name(struct capture *capture, const struct token *token)
{
    for (size_t i = 1; i + 5 < token->length; i++) {
        char before = token->text[i - 1];
        if (before != '.' && before != '_' && before != '-' && before != '/')
            continue;
        enum conn_state state = state_of(capture, token->text + i, token->length - i);
        if (state != STATE_UNKNOWN && state != STATE_CLOSED)
            return state;
    }
    return STATE_UNKNOWN;
}

/* Without regard to case. The first letter is compared first, because this runs for every line at the beginning. */
static bool contains(const char *text, size_t length, const char *what)
{
    size_t wanted = strlen(what);
    for (size_t i = 0; i + wanted <= length; i++) {
        if ((text[i] | 0x20) == (*what | 0x20) && strncasecmp(text + i, what, wanted) == 0)
            return true;
    }
    return false;
}

/* Words beside a number that say nothing about it. */
static bool is_noise(const struct token *token)
{
    static const char *const noise[] = { "-", "--", "->", "=>", ":", "x", "*", "in", "state", "states", "status",
        "count", "counts", "total", "totals", "connection", "connections", "conns", "conn", "socket", "sockets",
        "netstat", "verbindungen", "anzahl", "zustand", "connexions", "connexion", "nombre", "conexiones", "are" };
    bool percent = token->length > 1 && token->text[token->length - 1] == '%';
    if (percent || contains(token->text, token->length, "tcp"))
        return true;
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        if ((token->text[0] | 0x20) == (noise[i][0] | 0x20) && strlen(noise[i]) == token->length &&
            strncasecmp(noise[i], token->text, token->length) == 0)
            return true;
    }
    return false;
}

static void classify(struct capture *capture, struct word *word)
{
    struct token *token = &word->token;
    while (token->length > 1 && strchr(":,", token->text[token->length - 1]) != NULL) {
        word->comma |= token->text[token->length - 1] == ',';
        token->length--;
    }
    if (token->length > 2 && token->text[0] == '(' && token->text[token->length - 1] == ')') {
        token->text++;
        token->length -= 2;
    }
    size_t digits = 0;
    while (digits < token->length && token->text[digits] >= '0' && token->text[digits] <= '9')
        digits++;
    struct token times = { token->text, digits }; /* "710x" */
    bool is_times = digits > 0 && digits + 1 == token->length && (token->text[digits] | 0x20) == 'x';
    if (read_number(is_times ? &times : token, &word->number))
        word->kind = WORD_NUMBER;
    else if ((word->state = state_of(capture, token->text, token->length)) != STATE_UNKNOWN ||
        (word->state = state_in_name(capture, token)) != STATE_UNKNOWN)
        word->kind = WORD_STATE;
    else
        word->kind = is_noise(token) ? WORD_NOISE : WORD_OTHER;
}

/* Returns the number of words; more than WORDS_MAX: too many for such a line. */
static unsigned split(struct capture *capture, const char *text, size_t length, struct word words[WORDS_MAX])
{
    unsigned count = 0;
    for (size_t at = 0; at < length;) {
        while (at < length && is_separator(text[at]))
            at++;
        size_t start = at;
        /* Pairs may be joined: "ESTABLISHED:138", "CLOSE_WAIT,710". But an address with its port is one word. */
        while (at < length && !is_separator(text[at]) &&
            !((text[at] == ':' || text[at] == ',') && at > start && isalpha((unsigned char)text[start]) &&
                at + 1 < length && isdigit((unsigned char)text[at + 1])))
            at++;
        if (at < length && at > start && (text[at] == ':' || text[at] == ','))
            at++;
        if (at == start)
            continue;
        if (count == WORDS_MAX)
            return WORDS_MAX + 1;
        words[count] = (struct word){ .token = { text + start, at - start } };
        classify(capture, &words[count++]);
    }
    return count;
}

/* --- totals ------------------------------------------------------------------------------------------------------- */

static void add_total(
    struct capture *capture, enum conn_state state, uint64_t count, uint32_t process, const struct token *key)
{
    enum { TOTALS_MAX = 512, KEY_MAX = 120 };
    struct snapshot *snapshot = capture->snapshot;
    const struct token no_key = { "", 0 };
    if (key == NULL)
        key = &no_key;
    size_t length = key->length < KEY_MAX ? key->length : KEY_MAX;
    capture->numbers.by_other |= state != STATE_LISTEN && state != STATE_CLOSED;
    for (size_t i = 0; i < snapshot->total_count; i++) {
        struct total *total = &snapshot->totals[i];
        bool same_key = length == 0
            ? total->key == NULL
            : total->key != NULL && strlen(total->key) == length && memcmp(total->key, key->text, length) == 0;
        if (total->state == state && total->process == process && same_key) {
            total->count = count; /* counted again: the later number is used */
            return;
        }
    }
    struct total *total = snapshot->total_count < TOTALS_MAX ? snapshot_add_total(snapshot) : NULL;
    if (total == NULL)
        return;
    total->state = (uint8_t)state;
    total->count = count;
    total->process = process;
    total->key = length > 0 ? arena_strndup(&snapshot->arena, key->text, length) : NULL;
}

/* Notes the system that uses this spelling of a state. */
static void note_system(struct capture *capture, const struct token *word)
{
    static const struct {
        const char *spelling, *os;
    } known[] = {
        { "FIN_WAIT1", "linux" },
        { "FIN_WAIT2", "linux" },
        { "SYN_RECV", "linux" },
        { "ESTAB", "linux" },
        { "CLOSE-WAIT", "linux" },
        { "TIME-WAIT", "linux" },
        { "LAST-ACK", "linux" },
        { "LISTENING", "windows" },
        { "ABHÖREN", "windows" },
        { "HERGESTELLT", "windows" },
        { "SCHLIESSEN_WARTEN", "windows" },
        { "WARTEND", "windows" },
        { "CloseWait", "windows" },
        { "TimeWait", "windows" },
        { "FinWait1", "windows" },
        { "FinWait2", "windows" },
        { "LastAck", "windows" },
        { "Bound", "windows" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (token_is(word, known[i].spelling))
            numbers_note_os(capture, known[i].os);
    }
}

/* --- Group-Object ------------------------------------------------------------------------------------------------- */

/* The process of a group. Its name, "browser", may be in a column between the PID and the group. */
static uint32_t process_of(struct capture *capture, const struct word *pid, const struct word *words, unsigned count)
{
    const struct word *name = pid + 1;
    bool has_name = name < words + count && name->kind != WORD_NUMBER && pid > words + 1;
    return pid->number <= UINT32_MAX && pid->number > 0
        ? capture_process(
              capture, (uint32_t)pid->number, has_name ? name->token.text : "", has_name ? name->token.length : 0)
        : NO_INDEX;
}

/* A row of a table or list: "2260 Bound, 10684", "2260 10684, Bound", "Bound, 10684 2260", "57 Established". */
static bool read_group(struct capture *capture, const struct word *words, unsigned count)
{
    struct numbers *numbers = &capture->numbers;
    bool last = numbers->group_order == GROUP_NAME_FIRST;
    if (count < 2 || words[last ? count - 1 : 0].kind != WORD_NUMBER)
        return false;
    const struct word *total = &words[last ? count - 1 : 0];
    const struct word *rest = last ? words : words + 1;
    const struct word *end = last ? words + count - 1 : words + count;
    const struct word *state = NULL, *pid = NULL;
    for (const struct word *word = rest; word < end && word < rest + 2; word++) {
        if (word->kind == WORD_STATE && state == NULL)
            state = word;
        else if (word->kind == WORD_NUMBER && pid == NULL)
            pid = word;
    }
    bool joined = rest + 1 < end && rest->comma;
    if (state != NULL && pid != NULL && !joined)
        pid = NULL;
    enum conn_state is = state != NULL ? state->state : (enum conn_state)numbers->asked_state;
    if (state != NULL)
        note_system(capture, &state->token);
    if (state == NULL && pid != NULL && !numbers->groups_by_pid)
        pid = NULL;
    const struct token *key = state == NULL && pid == NULL ? &rest->token : NULL;
    uint32_t process = pid != NULL ? process_of(capture, pid, words, (unsigned)(end - words)) : NO_INDEX;
    add_total(capture, is, total->number, process, key);
    return true;
}

/* The length of the line without the objects that Group-Object prints in braces. */
static size_t without_group(const struct line *line)
{
    const char *brace = strstr(line->text, " {");
    return brace != NULL ? (size_t)(brace - line->text) : line->length;
}

/* "Count : 710", with "Name  : CloseWait" below it, of Group-Object | Format-List; or the count of Measure-Object. */
static bool read_list(struct capture *capture, const struct word *words, unsigned count)
{
    struct numbers *numbers = &capture->numbers;
    if (count >= 2 && token_is(&words[0].token, "Count") && words[count - 1].kind == WORD_NUMBER) {
        numbers->group_count = words[count - 1].number;
        numbers->has_group_count = !numbers->asked;
        if (numbers->asked)
            add_total(capture, (enum conn_state)numbers->asked_state, numbers->group_count, NO_INDEX, NULL);
        numbers->asked = false;
        return true;
    }
    if (count < 2 || !token_is(&words[0].token, "Name") || !numbers->has_group_count)
        return false;
    const struct word *at = &words[1];
    while (at < words + count - 1 && at->kind == WORD_NOISE)
        at++;
    if (at->kind != WORD_STATE)
        return false;
    const struct word *pid = at->comma && at + 1 < words + count && at[1].kind == WORD_NUMBER ? at + 1 : NULL;
    note_system(capture, &at->token);
    uint32_t process = pid != NULL ? process_of(capture, pid, words, count) : NO_INDEX;
    add_total(capture, at->state, numbers->group_count, process, NULL);
    numbers->has_group_count = false;
    return true;
}

/* --- one number after a command ----------------------------------------------------------------------------------- */

static bool is_heading(struct capture *capture, const struct word *words, unsigned count)
{
    unsigned at_count = WORDS_MAX, at_name = WORDS_MAX;
    for (unsigned i = 0; i < count; i++) {
        if (token_is(&words[i].token, "Count"))
            at_count = i;
        if (token_is(&words[i].token, "Name"))
            at_name = i;
    }
    if (at_count == WORDS_MAX || at_name == WORDS_MAX || count > 5)
        return false;
    capture->numbers.group_order = at_count < at_name ? GROUP_COUNT_FIRST : GROUP_NAME_FIRST;
    return true;
}

/*
 * Notes a command after which a number follows: "grep -c", "| wc -l", "find /c", "(…).Count", "Measure-Object". Also
 * notes which table a command prints.
 */
static bool note_command(struct capture *capture, const struct line *line)
{
    static const char *const asking[] = { "grep -c", "egrep -c", "wc -l", "find /c", "find /i /c", ".Count",
        "Measure-Object", "| measure", "find.exe /c" };
    static const char *const others[] = { "netstat", "Get-NetTCPConnection", "ss -", "Group-Object", "lsof" };
    struct numbers *numbers = &capture->numbers;
    bool asks = false, is_command = false;
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++)
        asks |= contains(line->text, line->length, asking[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        is_command |= contains(line->text, line->length, others[i]);
    if (!asks && !is_command)
        return false;
    numbers->asked = asks;
    numbers->asked_state = STATE_UNKNOWN;
    numbers->groups_by_pid = contains(line->text, line->length, "OwningProcess");
    numbers->group_order = 0;
    if (contains(line->text, line->length, "Get-NetTCP") || contains(line->text, line->length, "findstr") ||
        contains(line->text, line->length, "find /") || contains(line->text, line->length, ":\\"))
        numbers_note_os(capture, "windows");
    struct word word;
    for (size_t at = 0; at < line->length;) {
        while (at < line->length && is_separator(line->text[at]))
            at++;
        size_t start = at;
        while (at < line->length && !is_separator(line->text[at]) && line->text[at] != ')')
            at++;
        word = (struct word){ .token = { line->text + start, at - start } };
        enum conn_state state = at > start ? state_of(capture, word.token.text, word.token.length) : STATE_UNKNOWN;
        if (state != STATE_UNKNOWN && state != STATE_CLOSED)
            numbers->asked_state = (uint8_t)state;
        at += at < line->length;
    }
    return true;
}

/* The number alone, or "---------- NETSTAT.TXT: 710" of find /c. */
static bool read_asked(struct capture *capture, const struct line *line, const struct word *words, unsigned count)
{
    struct numbers *numbers = &capture->numbers;
    bool is_find = strncmp(line->text, "----------", 10) == 0;
    if (!numbers->asked || count == 0 || words[count - 1].kind != WORD_NUMBER || (count > 1 && !is_find))
        return false;
    add_total(capture, (enum conn_state)numbers->asked_state, words[count - 1].number, NO_INDEX, NULL);
    numbers->asked = false;
    return true;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

/* What else the number is about: "tcp6", or an address. */
static const struct token *key_of(const struct word *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (words[i].kind == WORD_OTHER || token_is(&words[i].token, "tcp") || token_is(&words[i].token, "tcp6"))
            return &words[i].token;
    }
    return NULL;
}

/* Reads pairs of a state and a number, in either order. */
static bool read_pairs(struct capture *capture, const struct word *words, unsigned count)
{
    unsigned states = 0, figures = 0, others = 0;
    bool alternate = true;
    enum word_kind before = WORD_NOISE;
    for (unsigned i = 0; i < count; i++) {
        states += words[i].kind == WORD_STATE;
        figures += words[i].kind == WORD_NUMBER;
        others += words[i].kind == WORD_OTHER;
        if (words[i].kind != WORD_STATE && words[i].kind != WORD_NUMBER)
            continue;
        alternate &= words[i].kind != before;
        before = words[i].kind;
    }
    /* If the number comes first, as uniq -c prints it, one more word may tell whose connections they are. */
    bool counted = count == 3 && words[0].kind == WORD_NUMBER && states == 1 && others == 1;
    if (states == 0 || states != figures || !alternate || (others > 0 && !counted))
        return false;
    const struct token *key = states == 1 ? key_of(words, count) : NULL;
    enum conn_state state = STATE_UNKNOWN;
    uint64_t number = 0;
    bool half = false;
    for (unsigned i = 0; i < count; i++) {
        if (words[i].kind == WORD_STATE) {
            state = words[i].state;
            note_system(capture, &words[i].token);
        } else if (words[i].kind == WORD_NUMBER) {
            number = words[i].number;
        } else {
            continue;
        }
        if (half)
            add_total(capture, state, number, NO_INDEX, key);
        half = !half;
    }
    return true;
}

/* Reads states on one line and their numbers on the next. */
static bool read_heading(struct capture *capture, const struct word *words, unsigned count)
{
    struct numbers *numbers = &capture->numbers;
    unsigned states = 0, figures = 0;
    for (unsigned i = 0; i < count; i++) {
        states += words[i].kind == WORD_STATE;
        figures += words[i].kind == WORD_NUMBER;
    }
    if (count >= 2 && count <= NUMBERS_ROW_MAX && states == count) {
        for (unsigned i = 0; i < count; i++)
            numbers->heading[i] = (uint8_t)words[i].state;
        numbers->heading_count = count;
        return true;
    }
    bool fits = numbers->heading_count > 0 && figures == count && count == numbers->heading_count;
    for (unsigned i = 0; fits && i < count; i++)
        add_total(capture, (enum conn_state)numbers->heading[i], words[i].number, NO_INDEX, NULL);
    numbers->heading_count = 0;
    return fits;
}

/* "120 192.0.2.7": a count by address, from cut, sort and uniq -c. */
static bool read_address_count(struct capture *capture, const struct word *words, unsigned count)
{
    struct end end;
    if (count != 2 || words[0].kind != WORD_NUMBER || words[1].kind != WORD_OTHER)
        return false;
    const struct token *token = &words[1].token;
    struct ip ip;
    bool ipv6;
    if (address_parse(token->text, token->length, &ip, &ipv6) != END_OK &&
        endpoint_parse(token->text, token->length, ':', &end) != END_OK)
        return false;
    add_total(capture, (enum conn_state)capture->numbers.asked_state, words[0].number, NO_INDEX, token);
    return true;
}

bool state_counts_line(struct capture *capture, const struct line *line)
{
    enum { LINE_LENGTH_MAX = 4096 };
    struct word words[WORDS_MAX];
    if (line->length > LINE_LENGTH_MAX && strstr(line->text, " {") == NULL)
        return false;
    unsigned count = split(capture, line->text, without_group(line), words);
    if (count == 0)
        return false;
    if (count <= WORDS_MAX) {
        if (read_asked(capture, line, words, count) || read_list(capture, words, count) ||
            read_heading(capture, words, count))
            return true;
        if (capture->numbers.group_order != 0 && read_group(capture, words, count))
            return true;
        if (read_pairs(capture, words, count) || read_address_count(capture, words, count))
            return true;
        /* "710 CloseWait, 812" without a heading */
        if (count == 3 && words[0].kind == WORD_NUMBER && words[1].comma && read_group(capture, words, count))
            return true;
        if (is_heading(capture, words, count))
            return false;
    }
    note_command(capture, line);
    return false;
}
