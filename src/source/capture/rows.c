/* Captures that have a row for each connection: line by line, whatever stands around the rows. */
#include <errno.h>
#include <string.h>

#include "source/capture/format.h"

struct conn *capture_add_conn(struct capture *capture)
{
    struct conn *conn = snapshot_add_conn(capture->snapshot);
    capture->out_of_memory |= conn == NULL;
    return conn;
}

/* "> > text" as mail programs quote, "| text" as some ticket systems do. */
static void take_off_quotes(struct line *line)
{
    while (line->length > 0 && (line->text[0] == '>' || line->text[0] == '|')) {
        size_t taken = line->text[1] == ' ' ? 2 : 1;
        line->text += taken;
        line->length -= taken;
    }
}

void capture_note_malformed(struct capture *capture, const struct line *line)
{
    if (capture->malformed++ > 0)
        return;
    capture->first_malformed = line->number;
    size_t most = sizeof capture->first_malformed_text - 1;
    size_t length = line->length < most ? line->length : most;
    memcpy(capture->first_malformed_text, line->text, length);
    capture->first_malformed_text[length] = '\0';
}

static bool is_blank(const struct line *line)
{
    return strspn(line->text, " \t\f") == line->length;
}

static void read_line(const struct format *self, struct capture *capture, struct line *line)
{
    take_off_quotes(line);
    capture->lines++;
    if (is_blank(line))
        return;
    switch (self->row(capture, line)) {
    case LINE_ROW:
        capture->rows++;
        break;
    case LINE_FOREIGN:
        capture->foreign++;
        break;
    case LINE_MALFORMED:
        capture_note_malformed(capture, line);
        break;
    case LINE_OTHER:
        capture->other++;
        break;
    case LINE_DETAIL:
        break;
    }
}

static int read_lines(const struct format *self, struct capture *capture)
{
    struct lines_reader reader = { .input = capture->input };
    struct line line;
    int result;
    while ((result = lines_next(&reader, &line)) > 0) {
        read_line(self, capture, &line);
        if (capture->out_of_memory)
            return -ENOMEM;
    }
    return result;
}

int rows_parse(const struct format *self, struct capture *capture, struct error *err)
{
    int result = read_lines(self, capture);
    if (result < 0)
        return error_set(err, result, NULL, "cannot be read to its end: %s", input_failure(result));
    return 0;
}

/* Whichever format understands most of the lines is the one: those that it takes for rows, less those that are mangled. */
unsigned rows_recognise(const struct format *self, const char *bytes, size_t length)
{
    struct snapshot snapshot;
    struct input input;
    snapshot_init(&snapshot);
    input_open_bytes(&input, bytes, length);
    struct capture capture = { .snapshot = &snapshot, .format = self, .input = &input };
    read_lines(self, &capture);
    uint64_t rows = capture.rows;
    input_close(&input);
    snapshot_deinit(&snapshot);
    return (unsigned)(rows > capture.malformed ? rows - capture.malformed : rows > 0);
}
