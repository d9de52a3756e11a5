/*
 * The moment of a capture: a line that Get-Date has printed beside the rows. With it, CreationTime tells for how long a
 * connection exists. Without it, it does not: the newest connection may be hours old.
 */
#include "source/capture/formats/moments.h"
#include "source/capture/formats/numbers.h"

bool moment_line(struct capture *capture, const struct line *line)
{
    enum { SHORTEST = 14, LENGTH_MAX = 80 };
    const char *text = line->text + strspn(line->text, " \t");
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    uint32_t first, last;
    if (length < SHORTEST || length > LENGTH_MAX ||
        (!moment_parse(text, length, &first, &last) && !long_date_parse(text, length, &last)))
        return false;
    struct numbers *numbers = &capture->numbers;
    numbers->moment_lines++;
    numbers->now_s = last > numbers->now_s ? last : numbers->now_s;
    return true;
}

void moments_settle(struct capture *capture)
{
    enum { SECOND_MS = 1000 };
    uint64_t now_s = capture->numbers.now_s;
    for (size_t i = 0; i < capture->snapshot->conn_count; i++) {
        struct conn *conn = &capture->snapshot->conns[i];
        if (!conn->shown_is_life || conn_has(conn, CONN_SHOWN_AGE))
            continue;
        uint64_t created_s = conn->shown_age_ms;
        conn->shown_is_life = now_s >= created_s;
        conn->shown_age_ms = 0;
        if (!conn->shown_is_life)
            continue;
        uint64_t ms = (now_s - created_s + 1) * SECOND_MS; /* fractions of a second were not read */
        conn->shown_age_ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
        conn->present |= CONN_SHOWN_AGE;
    }
}
