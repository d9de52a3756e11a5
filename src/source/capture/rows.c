/* Reads captures that have a row for each connection, line by line, with any text between the rows. */
#include <errno.h>
#include <string.h>

#include "source/capture/format.h"
#include "source/capture/formats/numbers.h"
#include "source/capture/repair.h"
#include "source/capture/input/open.h"

void capture_count(struct capture *capture, enum line_kind kind)
{
    const struct conn *last = capture_last_conn(capture);
    capture->kinds[kind]++;
    /* Here the connection is still in the processor's cache; a loop over all of them at the end would be slower. */
    if (last != NULL && (kind == LINE_ROW || kind == LINE_DETAIL))
        capture->present |= last->present;
}

void capture_note_line(struct capture *capture, const struct line *line, enum line_kind kind)
{
    capture_count(capture, kind);
    if (kind != LINE_MALFORMED && kind != LINE_PART)
        return;
    struct first_line *first = &capture->first_malformed;
    if (first->number != 0)
        return;
    first->number = line->number;
    size_t most = sizeof first->text - 1;
    size_t length = line->length < most ? line->length : most;
    memcpy(first->text, line->text, length);
    first->text[length] = '\0';
}

static bool is_blank(const struct line *line)
{
    const char *text = line->text;
    while (*text == ' ' || *text == '\t' || *text == '\f')
        text++;
    return text == line->text + line->length;
}

static bool is_understood(enum line_kind kind)
{
    return kind != LINE_OTHER && kind != LINE_MALFORMED;
}

/* Reads a row after a line number, a time or a host name. LINE_OTHER if there is none. */
static enum line_kind read_behind_prefix(const struct format *self, struct capture *capture, const struct line *line)
{
    bool after_row = capture->after_row;
    size_t conns_before = capture->snapshot->conn_count;
    struct prefix prefix = { .line = line };
    struct line rest;
    enum line_kind kind = LINE_OTHER;
    capture->after_row = false; /* a line that continues a row has no prefix */
    while (kind != LINE_ROW && prefix_next(&prefix, &rest))
        kind = self->row(capture, &rest);
    capture->after_row = after_row;
    if (kind != LINE_ROW)
        return LINE_OTHER;
    if (prefix_is_of_same_host(&capture->host_prefix, line))
        return LINE_ROW;
    if (capture->snapshot->conn_count > conns_before) /* a count by state adds no connection */
        capture_take_back(capture);
    return LINE_MALFORMED;
}

static enum line_kind understand(const struct format *self, struct capture *capture, struct line *line)
{
    /* A NUL is damage: no program prints one. */
    if (strlen(line->text) != line->length)
        return LINE_MALFORMED;
    enum line_kind kind = self->row(capture, line);
    if (is_understood(kind) || !capture->repairs)
        return kind;
    if (line_repair(line))
        kind = self->row(capture, line);
    if (is_understood(kind))
        return kind;
    unsigned ends = line_count_ends(line);
    if (kind == LINE_OTHER && ends >= 2 && !self->is_counts) /* no count has two ends: a port would be taken for one */
        kind = read_behind_prefix(self, capture, line);
    if (kind != LINE_OTHER)
        return kind;
    bool is_part = ends >= 2 || (ends == 1 && capture->after_row) ||
        ((ends == 1 || capture->after_row || capture->after_damage) && line_has_state(line, &capture->state_words));
    return is_part ? LINE_PART : LINE_OTHER;
}

static void read_line(const struct format *self, struct capture *capture, struct line *line)
{
    line_remove_quotes(line);
    capture->lines++;
    bool blank = is_blank(line);
    if (blank && capture->keeps_leftovers)
        leftovers_keep(&capture->leftovers, line, LINE_OTHER, true);
    if (blank && !self->takes_blank_lines)
        return;
    enum line_kind kind = understand(self, capture, line);
    if (blank && kind == LINE_OTHER)
        return;
    if (kind == LINE_OTHER && capture->after_row && line_is_leftover(line)) {
        capture_drop_owners(capture); /* the PID may be cut too */
        kind = LINE_PART;
    }
    bool is_number = kind == LINE_OTHER && !self->is_counts && !capture->only_recognises &&
        numbers_line(capture, line) != LINE_OTHER;
    if (kind == LINE_OTHER && !is_number && !self->is_counts && !capture->only_recognises)
        left_out_note(&capture->left_out, line);
    bool is_left = kind == LINE_OTHER || kind == LINE_PART || kind == LINE_MALFORMED;
    if (is_left && !is_number && !blank && capture->keeps_leftovers)
        leftovers_keep(&capture->leftovers, line, (uint8_t)kind, false);
    if (!is_left && capture->left_by != NULL && line->number <= capture->left_by->count)
        capture->left_by->lines[line->number - 1].is_read = true;
    capture_note_line(capture, line, kind);
    capture->too_long += line->was_cut && kind == LINE_ROW;
    capture->after_row = kind == LINE_ROW || kind == LINE_DETAIL;
    capture->after_damage = kind == LINE_MALFORMED || kind == LINE_PART;
    if (kind == LINE_OTHER || kind == LINE_HEADING)
        repeats_interrupt(&capture->repeats);
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
 * The score of the format: the rows that it understands, less the damaged ones. A heading that only one format has
 * identifies a capture without rows. Damaged rows show at least which format it was.
 */
unsigned rows_recognise(const struct format *self, const char *bytes, size_t length, bool repairs)
{
    enum { DETAIL_WEIGHT = 1, PART_WEIGHT = 1, HEADING_WEIGHT = 1 };
    struct snapshot snapshot;
    struct input input;
    snapshot_init(&snapshot);
    input_open_bytes(&input, bytes, length);
    struct capture capture = {
        .snapshot = &snapshot, .format = self, .input = &input, .repairs = repairs, .only_recognises = true
    };
    read_lines(self, &capture);
    const uint64_t *kinds = capture.kinds;
    uint64_t rows = kinds[LINE_ROW];
    uint64_t good = rows * ROW_WEIGHT + (rows > 0 ? kinds[LINE_DETAIL] * DETAIL_WEIGHT : 0) +
        kinds[LINE_HEADING] * HEADING_WEIGHT;
    uint64_t bad = kinds[LINE_MALFORMED] * ROW_WEIGHT + kinds[LINE_PART] * PART_WEIGHT;
    bool is_mangled = kinds[LINE_MALFORMED] > 0 && memchr(bytes, '\0', length) == NULL;
    capture_deinit(&capture);
    input_close(&input);
    snapshot_deinit(&snapshot);
    /* headings alone are not sure: "TCP: …" also occurs in logs */
    uint64_t most = rows > 0 ? UINT32_MAX : SURE_OF_NUMBERS - 1;
    if (good > bad)
        return (unsigned)(good - bad < most ? good - bad : most);
    return rows > 0 ? 3 : good > 0 || is_mangled;
}
