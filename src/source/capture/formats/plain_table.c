/*
 * A table of connections from an unknown program, as devices and embedded systems print it: a protocol, two endpoints
 * and a state.
 *
 *   PROT LOCAL ADDRESS         FOREIGN ADDRESS       STATE
 *   tcp  192.0.2.206:80        192.0.2.203:52986     SYN-RECEIVED
 *
 * The system is not known. So nothing is assumed about it, and the advice contains no command of Windows or Linux.
 */
#include <strings.h>

#include "source/capture/formats/netstat.h"

enum { WORDS_MAX = 5, WORDS = 4, WITHOUT_PROTOCOL = 3 };

static bool is_numeric_end(const struct token *word)
{
    struct end end;
    bool is_address = memchr(word->text, '.', word->length) != NULL || word->text[0] == '['; /* and no time: 10:22:11 */
    return is_address && endpoint_parse(word->text, word->length, ':', &end) == END_OK && (end.port != 0 || end.any);
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/*
 * "192.0.2.10:8080 198.51.100.21:50122 CLOSE_WAIT": what awk '{print $4, $5, $6}' leaves of netstat. A log may say
 * "closed" behind two addresses.
 */
static bool is_without_protocol(const struct token *words, unsigned count)
{
    const struct token *state = &words[WITHOUT_PROTOCOL - 1];
    return count == WITHOUT_PROTOCOL && is_numeric_end(&words[0]) && is_numeric_end(&words[1]) &&
        is_capital(state->text[0]) && is_capital(state->text[1]) && !token_starts(state, "CLOSED");
}

enum line_kind plain_table_row(struct capture *capture, const struct line *line)
{
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    if (count == WORDS && token_is(&words[0], "udp"))
        return LINE_FOREIGN;
    bool has_protocol = count == WORDS && words[0].length >= 3 && words[0].length <= 4 &&
        strncasecmp(words[0].text, "tcp", 3) == 0;
    if (!has_protocol && !is_without_protocol(words, count))
        return LINE_OTHER;
    const struct token *ends = &words[has_protocol];
    struct conn *conn = capture_draft(capture);
    enum line_kind kind = capture_ends(capture, &ends[0], &ends[1], ':', conn);
    if (kind != LINE_ROW)
        return kind;
    conn->state = (uint8_t)capture_state(capture, &ends[2], conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_OTHER;
    capture_add(capture);
    return LINE_ROW;
}
