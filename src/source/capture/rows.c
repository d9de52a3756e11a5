/* Captures that have a row for each connection: line by line, whatever stands around the rows. */
#include <errno.h>
#include <string.h>

#include "source/capture/format.h"

void capture_count(struct capture *capture, enum line_kind kind)
{
    const struct conn *last = capture_last_conn(capture);
    capture->kinds[kind]++;
    /* Here, since a look at all of them in the end would find them no longer in the processor's caches. */
    if (last != NULL && (kind == LINE_ROW || kind == LINE_DETAIL))
        capture->present |= last->present;
}

void capture_note_line(struct capture *capture, const struct line *line, enum line_kind kind)
{
    capture_count(capture, kind);
    if (kind != LINE_MALFORMED && kind != LINE_NAMED)
        return;
    struct first_line *first = kind == LINE_NAMED ? &capture->first_named : &capture->first_malformed;
    if (first->number != 0)
        return;
    first->number = line->number;
    size_t most = sizeof first->text - 1;
    size_t length = line->length < most ? line->length : most;
    memcpy(first->text, line->text, length);
    first->text[length] = '\0';
}

/*
 * Whether a line that is no row must have been a part of one, which a mail or a terminal has wrapped or cut: it begins
 * with a state, or has an end of a connection in it. Other text is passed over, and counted.
 */
static bool looks_like_part(struct capture *capture, const struct line *line)
{
    enum { WORDS_MOST = 8 };
    struct word words[WORDS_MOST];
    unsigned count = words_split(line->text, line->length, words, WORDS_MOST, NULL);
    for (unsigned i = 0; i < count; i++) {
        struct end end;
        if (words[i].length > 8 &&
            (endpoint_parse(words[i].text, words[i].length, ':', &end) == END_OK ||
                endpoint_parse(words[i].text, words[i].length, '.', &end) == END_OK))
            return true;
    }
    return count > 0 && words[0].length > 4 && words[0].text[0] >= 'A' && words[0].text[0] <= 'Z' &&
        state_words_find(&capture->state_words, words[0].text, words[0].length) != STATE_UNKNOWN;
}

static bool is_blank(const struct line *line)
{
    const char *text = line->text;
    while (*text == ' ' || *text == '\t' || *text == '\f')
        text++;
    return text == line->text + line->length;
}

static void read_line(const struct format *self, struct capture *capture, struct line *line)
{
    line_take_off_quotes(line);
    capture->lines++;
    bool blank = is_blank(line);
    if (blank && !self->takes_blank_lines)
        return;
    /* A NUL ends no line: no program prints one, so that this is damage. */
    enum line_kind kind = strlen(line->text) == line->length ? self->row(capture, line) : LINE_MALFORMED;
    if (blank && kind == LINE_OTHER)
        return;
    if (kind == LINE_OTHER && looks_like_part(capture, line))
        kind = LINE_MALFORMED;
    capture_note_line(capture, line, kind);
    capture->after_row = kind == LINE_ROW || kind == LINE_DETAIL;
    if (kind == LINE_OTHER || kind == LINE_HEADING)
        looks_interrupt(&capture->looks);
}

static int read_lines(const struct format *self, struct capture *capture)
{
    struct lines_reader reader = { .input = capture->input };
    struct line line;
    int result;
    capture->state = arena_alloc(&capture->snapshot->arena, self->state_bytes);
    while ((result = lines_next(&reader, &line)) > 0 && !capture->out_of_memory)
        read_line(self, capture, &line);
    if (self->finish != NULL)
        self->finish(capture);
    return capture->out_of_memory ? -ENOMEM : result < 0 ? result : 0;
}

int rows_parse(const struct format *self, struct capture *capture, struct error *err)
{
    int result = read_lines(self, capture);
    if (result < 0)
        return error_set(err, result, NULL, "cannot be read to its end: %s", strerror(-result));
    return 0;
}

/*
 * Whichever format understands most of the lines is the one: those that it takes for rows, less those that are mangled.
 * A heading that only one format has makes an empty capture that format's.
 */
unsigned rows_recognise(const struct format *self, const char *bytes, size_t length)
{
    enum { ROW_WEIGHT = 4, DETAIL_WEIGHT = 1, HEADING_WEIGHT = 1 };
    struct snapshot snapshot;
    struct input input;
    snapshot_init(&snapshot);
    input_open_bytes(&input, bytes, length);
    struct capture capture = { .snapshot = &snapshot, .format = self, .input = &input };
    read_lines(self, &capture);
    const uint64_t *kinds = capture.kinds;
    uint64_t rows = kinds[LINE_ROW] + kinds[LINE_NAMED];
    uint64_t good = rows * ROW_WEIGHT + (rows > 0 ? kinds[LINE_DETAIL] * DETAIL_WEIGHT : 0) +
        kinds[LINE_HEADING] * HEADING_WEIGHT;
    uint64_t bad = kinds[LINE_MALFORMED] * ROW_WEIGHT;
    capture_deinit(&capture);
    input_close(&input);
    snapshot_deinit(&snapshot);
    return (unsigned)(good > bad ? good - bad : good > 0);
}
