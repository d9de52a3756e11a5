/*
 * Reads a saved snapshot. The file may come from anybody. Indexes are checked before they are used. A line is used as a
 * whole or not at all. The memory for hostile lines is bounded by a small multiple of their length.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/previous.h"
#include "source/capture/saved/saved.h"
#include "source/capture/saved/fields.h"
#include "source/capture/saved/reading.h"

enum { SAVED_LINE_MAX = 1024 * 1024 };

/* --- lines ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *type;
    int (*read)(struct reading *reading);
} line_types[] = {
    { SAVED_LINE_CONN, saved_read_conn },
    { SAVED_LINE_PROCESS, saved_read_process },
    { SAVED_LINE_CGROUP, saved_read_cgroup },
    { SAVED_LINE_NETNS, saved_read_netns },
    { SAVED_LINE_TOTAL, saved_read_total },
    { SAVED_LINE_GAP, saved_read_gap },
    { SAVED_LINE_END, saved_read_end },
};

/* Reads a line. Its first member is the type. A line of an unknown type comes from a later version and is skipped. */
static int read_line(struct reading *reading, const struct line *line, struct error *err)
{
    struct json_reader *json = &reading->json;
    json_read(json, line->text, line->length);
    if (line->was_cut || json_next(json) != JSON_OBJECT || json_next(json) != JSON_KEY || !json_text_is(json, "type") ||
        json_next(json) != JSON_STRING)
        return -EINVAL;
    if (json_text_is(json, SAVED_LINE_SNAPSHOT))
        return saved_read_head(reading, line, err);
    if (!reading->begun)
        return -EINVAL;
    for (size_t i = 0; i < sizeof line_types / sizeof *line_types; i++) {
        if (json_text_is(json, line_types[i].type))
            return line_types[i].read(reading);
    }
    return 0;
}

static bool is_blank(const struct line *line)
{
    return strspn(line->text, " \t") == line->length;
}

static int read_lines(struct reading *reading, struct error *err)
{
    struct lines_reader lines = { .input = reading->capture->input, .most = SAVED_LINE_MAX };
    struct line line;
    int result;
    while ((result = lines_next(&lines, &line)) > 0) {
        if (is_blank(&line))
            continue;
        int understood = read_line(reading, &line, err);
        if (understood == -EINVAL)
            capture_note_line(reading->capture, &line, LINE_MALFORMED);
        else if (understood < 0)
            return understood == -ENOMEM ? error_set(err, understood, NULL, "not enough memory") : understood;
    }
    return result < 0 ? error_set(err, result, NULL, "cannot be read to its end: %s", input_failure(result)) : 0;
}

/* --- the whole file --------------------------------------------------------------------------------------------- */

/* The current snapshot is missing after the previous one. If the previous one has only counters, nothing is left. */
static int finish_without_second(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->snapshot;
    if (snapshot->conn_count == 0)
        return error_set(err, -EBADMSG, NULL, "was cut short: only what was read before the look itself is there");
    snapshot_note_gap(snapshot, GAP_SNAPSHOT_INCOMPLETE, "the second of two looks: the snapshot was cut short", NULL);
    return 0;
}

/* Confirms the snapshot with the previous one, as on its host. */
static void confirm(struct reading *reading)
{
    struct snapshot *snapshot = reading->snapshot;
    bool confirms = snapshot->confirms;
    snapshot->confirms = false;
    if (!reading->is_previous && snapshot->previous != NULL && confirms)
        snapshot_confirm(snapshot, snapshot->previous);
}

static int finish(struct reading *reading, struct error *err)
{
    int result = saved_finish(reading, err);
    if (result == 0 && reading->is_previous)
        result = finish_without_second(reading, err);
    if (result == 0)
        result = saved_join_parts(reading, err);
    if (result == 0 && reading->part_count == 0)
        confirm(reading);
    return result;
}

unsigned saved_recognise(const struct format *self, const char *bytes, size_t length, bool repairs)
{
    (void)self;
    (void)repairs;
    enum { SCHEMA_WITHIN = 256 };
    size_t space = 0;
    while (space < length && strchr(" \t\r\n", bytes[space]) != NULL && bytes[space] != '\0')
        space++;
    bytes += space;
    length -= space;
    const char *schema = "\"" SAVED_SCHEMA;
    bool named = length > 0 && *bytes == '{' &&
        memmem(bytes, length < SCHEMA_WITHIN ? length : SCHEMA_WITHIN, schema, strlen(schema)) != NULL;
    return named ? UINT32_MAX : 0;
}

int saved_parse(const struct format *self, struct capture *capture, struct error *err)
{
    (void)self;
    struct reading reading = { .capture = capture, .snapshot = capture->snapshot };
    json_reader_init(&reading.json);
    int result = read_lines(&reading, err);
    if (result == 0 && !reading.begun)
        result = error_set(err, -EBADMSG, NULL, "begins like a snapshot, but its first line is not one's");
    if (result == 0)
        result = finish(&reading, err);
    if (result == 0)
        capture->kinds[LINE_ROW] = capture->snapshot->conn_count;
    json_reader_deinit(&reading.json);
    for (size_t i = 0; i < reading.part_count; i++)
        snapshot_deinit(&reading.parts[i]);
    free(reading.parts);
    free(reading.waits);
    return result;
}
