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

enum { WORDS_MAX = 5, WORDS = 4 };

enum line_kind plain_table_row(struct capture *capture, const struct line *line)
{
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    if (count == WORDS && token_is(&words[0], "udp"))
        return LINE_FOREIGN;
    if (count != WORDS || words[0].length < 3 || words[0].length > 4 || strncasecmp(words[0].text, "tcp", 3) != 0)
        return LINE_OTHER;
    struct conn *conn = capture_draft(capture);
    enum line_kind kind = capture_ends(capture, &words[1], &words[2], ':', conn);
    if (kind != LINE_ROW)
        return kind;
    conn->state = (uint8_t)capture_state(capture, &words[3], conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_OTHER;
    capture_add(capture);
    return LINE_ROW;
}
