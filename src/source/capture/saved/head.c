/* The first line of a saved snapshot. It says how the rest is to be read. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "source/capture/saved/saved.h"
#include "source/capture/saved/fields.h"
#include "source/capture/saved/reading.h"

/* What must be known before the rest is read. */
struct head {
    char schema[64], version[32];
    unsigned schemas; /* how often the key occurs */
    bool is_previous;
    uint64_t hosts;
};

static void copy_text(const struct json_reader *json, enum json_token token, char *out, size_t size)
{
    if (token == JSON_STRING)
        snprintf(out, size, "%.*s", (int)(json->length < size ? json->length : size), json->text);
}

/* Reads the object {"name": …, "version": …}. */
static bool scan_tool(struct json_reader *json, struct head *head)
{
    enum json_token token = json_next(json);
    if (token != JSON_OBJECT)
        return json_skip(json, token);
    while ((token = json_next(json)) == JSON_KEY) {
        bool is_version = json_text_is(json, "version");
        token = json_next(json);
        if (is_version)
            copy_text(json, token, head->version, sizeof head->version);
        if (!json_skip(json, token))
            return false;
    }
    return token == JSON_OBJECT_END;
}

static bool scan_member(struct json_reader *json, struct head *head)
{
    if (json_text_is(json, "tool"))
        return scan_tool(json, head);
    bool is_schema = json_text_is(json, "schema"), is_previous = json_text_is(json, "is_earlier");
    bool is_hosts = json_text_is(json, "hosts");
    enum json_token token = json_next(json);
    if (is_schema && head->schemas++ == 0)
        copy_text(json, token, head->schema, sizeof head->schema);
    if (is_previous)
        head->is_previous = token == JSON_TRUE;
    if (is_hosts && token == JSON_NUMBER && json->whole && !json->negative)
        head->hosts = json->number;
    return json_skip(json, token);
}

/* Reads these members. It stops where the line is damaged; that is reported later. */
static struct head scan(struct json_reader *json, const struct line *line)
{
    struct head head = { 0 };
    json_read(json, line->text, line->length);
    if (json_next(json) != JSON_OBJECT)
        return head;
    while (json_next(json) == JSON_KEY && scan_member(json, &head))
        continue;
    return head;
}

static int check_schema(const struct head *head, struct error *err)
{
    uint64_t major;
    size_t length = strlen(SAVED_SCHEMA);
    if (head->schemas > 1)
        return error_set(err, -EBADMSG, NULL, "begins like a snapshot, but names its schema %u times", head->schemas);
    if (strncmp(head->schema, SAVED_SCHEMA, length) != 0 ||
        text_parse_number(head->schema + length, UINT32_MAX, &major) < 0)
        return error_set(err, -EBADMSG, NULL, "begins like a snapshot, but names no schema " SAVED_SCHEMA "N");
    if (major == SAVED_MAJOR)
        return 0;
    struct buf by = { 0 };
    text_escape(&by, head->version);
    error_set(err, -EPROTONOSUPPORT, NULL,
        "is a snapshot of version %" PRIu64
        ", made by tcpwhy %s; this tcpwhy reads version %d: use the one that made it, "
        "or a later one",
        major, by.length > 0 ? buf_text(&by) : "of an unknown version", SAVED_MAJOR);
    buf_deinit(&by);
    return -EPROTONOSUPPORT;
}

/*
 * Makes room for the next snapshot. If the current one is marked as previous, the next is of the same host; otherwise
 * it is of another host.
 */
static int make_room(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->snapshot, *previous = reading->capture->previous;
    if (!reading->begun)
        return 0;
    int result = saved_finish(reading, err);
    if (result < 0)
        return result;
    if (!reading->is_previous)
        return saved_next_part(reading, err);
    if (reading->has_previous)
        return error_set(err, -EBADMSG, NULL, "holds more than two looks at one host; give each as a file of its own");
    reading->has_previous = true;
    uint64_t taken_at_ms = snapshot->taken_at_ms;
    if (previous != NULL) {
        snapshot_deinit(previous);
        *previous = *snapshot;
    } else {
        snapshot_deinit(snapshot);
    }
    snapshot_init(snapshot);
    snapshot->taken_at_ms = taken_at_ms;
    snapshot->previous = previous;
    return 0;
}

int saved_read_head(struct reading *reading, const struct line *line, struct error *err)
{
    struct head head = scan(&reading->json, line);
    int result = check_schema(&head, err);
    if (result == 0)
        result = make_room(reading, err);
    if (result < 0)
        return result;
    struct snapshot *snapshot = reading->snapshot;
    reading->begun = true;
    reading->ended = false;
    reading->announced = 0;
    reading->is_previous = head.is_previous;
    reading->hosts = head.hosts > reading->hosts ? head.hosts : reading->hosts;
    json_read(&reading->json, line->text, line->length);
    json_next(&reading->json);
    return record_read(&reading->json, &saved_snapshot, snapshot, &snapshot->arena, NULL, NULL);
}
