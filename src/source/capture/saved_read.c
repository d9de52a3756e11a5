/*
 * Reading a saved snapshot back. The file may come from anybody: indexes are checked before they are used, a line is
 * taken as a whole or not at all, and what a million hostile lines can cost is a small multiple of their length.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/earlier.h"
#include "source/capture/format.h"
#include "source/capture/saved.h"
#include "source/capture/saved_fields.h"

enum {
    SAVED_LINE_MOST = 1024 * 1024,
    CONNS_MOST = 64 * 1024 * 1024,
    WAITS_MOST = 4096, /* of one process */
};

struct reading {
    struct capture *capture;
    struct snapshot *snapshot;
    struct json_reader json;
    bool begun;               /* the head of the snapshot was read … */
    bool is_earlier;          /* … which is the earlier of two */
    bool has_earlier;         /* there was one before it */
    bool ended;               /* its last line was read */
    uint64_t announced;       /* connections, by its last line */
    uint64_t missed;          /* connections beyond CONNS_MOST */
    struct wait_place *waits; /* of the process that is being read */
    size_t wait_count, wait_capacity;
};

static int skip_value(struct reading *reading)
{
    return json_skip(&reading->json, json_next(&reading->json)) ? 0 : -EINVAL;
}

/* --- the head --------------------------------------------------------------------------------------------------- */

struct head {
    struct reading *reading;
    struct error *err;
    char schema[64], version[32];
    bool is_earlier;
};

static void keep_text(const struct json_reader *json, enum json_token token, char *out, size_t size)
{
    if (token == JSON_STRING)
        snprintf(out, size, "%.*s", (int)(json->length < size ? json->length : size), json->text);
}

/* {"name": …, "version": …} */
static int read_tool(struct head *head)
{
    struct json_reader *json = &head->reading->json;
    enum json_token token = json_next(json);
    if (token != JSON_OBJECT)
        return json_skip(json, token) ? 0 : -EINVAL;
    while ((token = json_next(json)) == JSON_KEY) {
        bool is_version = json_text_is(json, "version");
        token = json_next(json);
        if (is_version)
            keep_text(json, token, head->version, sizeof head->version);
        if (!json_skip(json, token))
            return -EINVAL;
    }
    return token == JSON_OBJECT_END ? 0 : -EINVAL;
}

static int read_head_member(void *data, struct json_reader *json)
{
    struct head *head = data;
    if (json_text_is(json, "tool"))
        return read_tool(head);
    bool is_schema = json_text_is(json, "schema"), is_earlier = json_text_is(json, "is_earlier");
    enum json_token token = json_next(json);
    if (is_schema)
        keep_text(json, token, head->schema, sizeof head->schema);
    if (is_earlier)
        head->is_earlier = token == JSON_TRUE;
    return json_skip(json, token) ? 0 : -EINVAL;
}

static int check_schema(const struct head *head, struct error *err)
{
    uint64_t major;
    size_t length = strlen(SAVED_SCHEMA);
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

/* The first of two snapshots is the earlier one; any other second one is a file too many. */
static int make_room(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->snapshot, *earlier = reading->capture->earlier;
    if (!reading->begun)
        return 0;
    if (!reading->is_earlier || reading->has_earlier)
        return error_set(err, -EBADMSG, NULL, "holds several snapshots; give each as a file of its own");
    reading->has_earlier = true;
    if (earlier != NULL) {
        snapshot_deinit(earlier);
        *earlier = *snapshot;
    } else {
        snapshot_deinit(snapshot);
    }
    snapshot_init(snapshot);
    snapshot->earlier = earlier;
    return 0;
}

/* -EINVAL: not understood; another errno: the whole file is of no use, and err says why. */
static int read_head(struct reading *reading, struct error *err)
{
    int result = make_room(reading, err);
    if (result < 0)
        return result;
    struct head head = { .reading = reading };
    struct snapshot *snapshot = reading->snapshot;
    reading->begun = true;
    reading->ended = false;
    result = record_read(&reading->json, &saved_snapshot, snapshot, &snapshot->arena, read_head_member, &head);
    reading->is_earlier = head.is_earlier;
    return result < 0 ? result : check_schema(&head, err);
}

/* --- namespaces ------------------------------------------------------------------------------------------------- */

static int read_netns_member(void *data, struct json_reader *json)
{
    struct net_values *values = data;
    if (json_text_is(json, "settings"))
        return saved_read_settings(json, values);
    if (json_text_is(json, "counters"))
        return saved_read_counters(json, values);
    if (json_text_is(json, saved_values.fields[0].key)) {
        bool number = json_next(json) == JSON_NUMBER && json->whole && !json->negative;
        values->counters_at_ms = json->number;
        return number ? 0 : -EINVAL;
    }
    return json_skip(json, json_next(json)) ? 0 : -EINVAL;
}

static int read_netns(struct reading *reading, struct error *err)
{
    (void)err;
    struct snapshot *snapshot = reading->snapshot;
    struct netns netns = { 0 };
    struct net_values values = { 0 };
    if (snapshot->netns_count > UINT16_MAX || /* struct conn has 16 bits for it */
        record_read(&reading->json, &saved_netns, &netns, &snapshot->arena, read_netns_member, &values) < 0)
        return -EINVAL;
    struct netns *place = snapshot_add_netns(snapshot);
    if (place == NULL)
        return -ENOMEM;
    *place = netns;
    snapshot->net_values[snapshot->netns_count - 1] = values;
    return 0;
}

/* --- cgroups, processes, gaps ----------------------------------------------------------------------------------- */

static int read_cgroup(struct reading *reading, struct error *err)
{
    (void)err;
    struct cgroup cgroup = { 0 };
    if (record_read(&reading->json, &saved_cgroup, &cgroup, &reading->snapshot->arena, NULL, NULL) < 0)
        return -EINVAL;
    struct cgroup *place = snapshot_add_cgroup(reading->snapshot);
    if (place == NULL)
        return -ENOMEM;
    *place = cgroup;
    return 0;
}

static int read_waits(void *data, struct json_reader *json)
{
    struct reading *reading = data;
    if (!json_text_is(json, "waits"))
        return skip_value(reading);
    enum json_token token = json_next(json);
    if (token != JSON_ARRAY)
        return -EINVAL;
    while ((token = json_next(json)) == JSON_OBJECT) {
        struct wait_place wait = { .state = '?', .fd = -1 };
        if (reading->wait_count == WAITS_MOST ||
            record_read(json, &saved_wait, &wait, &reading->snapshot->arena, NULL, NULL) < 0)
            return -EINVAL;
        xvec_grow((void **)&reading->waits, reading->wait_count, &reading->wait_capacity, sizeof *reading->waits);
        reading->waits[reading->wait_count++] = wait;
    }
    return token == JSON_ARRAY_END ? 0 : -EINVAL;
}

static int read_process(struct reading *reading, struct error *err)
{
    (void)err;
    struct snapshot *snapshot = reading->snapshot;
    struct process process = { .cgroup = NO_INDEX, .netns = NO_INDEX, .state = '?' };
    reading->wait_count = 0;
    if (record_read(&reading->json, &saved_process, &process, &snapshot->arena, read_waits, reading) < 0 ||
        (process.cgroup != NO_INDEX && process.cgroup >= snapshot->cgroup_count) ||
        (process.netns != NO_INDEX && process.netns >= snapshot->netns_count))
        return -EINVAL;
    if (reading->wait_count > 0) {
        struct wait_place *waits = arena_alloc(&snapshot->arena, reading->wait_count * sizeof *waits);
        memcpy(waits, reading->waits, reading->wait_count * sizeof *waits);
        process.waits = waits;
        process.wait_count = reading->wait_count;
    }
    struct process *place = snapshot_add_process(snapshot);
    if (place == NULL)
        return -ENOMEM;
    *place = process;
    return 0;
}

static int read_gap(struct reading *reading, struct error *err)
{
    (void)err;
    struct gap gap = { 0 };
    if (record_read(&reading->json, &saved_gap, &gap, &reading->snapshot->arena, NULL, NULL) < 0)
        return -EINVAL;
    snapshot_add_gap(reading->snapshot, gap.id, gap.text, gap.remedy != NULL ? gap.remedy : "");
    return 0;
}

/* --- connections ------------------------------------------------------------------------------------------------ */

struct conn_reading {
    struct reading *reading;
    struct conn conn;
    uint32_t last; /* holder read last */
};

static int add_holder(struct conn_reading *one, const struct saved_holder *saved)
{
    struct snapshot *snapshot = one->reading->snapshot;
    if (saved->process >= snapshot->process_count || snapshot->holder_count >= NO_INDEX)
        return -EINVAL;
    struct holder *holder = snapshot_add_holder(snapshot);
    if (holder == NULL)
        return -ENOMEM;
    uint32_t index = (uint32_t)(snapshot->holder_count - 1);
    *holder = (struct holder){ .process = saved->process,
        .fd = saved->fd < 0 ? FD_UNKNOWN : (unsigned)saved->fd & FD_UNKNOWN,
        .close_on_exec = saved->close_on_exec,
        .next = NO_INDEX };
    if (one->last == NO_INDEX)
        one->conn.holder = index;
    else
        snapshot->holders[one->last].next = index;
    one->last = index;
    return 0;
}

static int read_holders(void *data, struct json_reader *json)
{
    struct conn_reading *one = data;
    if (!json_text_is(json, "holders"))
        return skip_value(one->reading);
    enum json_token token = json_next(json);
    if (token != JSON_ARRAY)
        return -EINVAL;
    while ((token = json_next(json)) == JSON_OBJECT) {
        struct saved_holder saved = { .fd = -1 };
        if (record_read(json, &saved_holder, &saved, &one->reading->snapshot->arena, NULL, NULL) < 0)
            return -EINVAL;
        int result = add_holder(one, &saved);
        if (result < 0)
            return result;
    }
    return token == JSON_ARRAY_END ? 0 : -EINVAL;
}

static int read_conn(struct reading *reading, struct error *err)
{
    (void)err;
    struct snapshot *snapshot = reading->snapshot;
    if (snapshot->conn_count >= CONNS_MOST) {
        reading->missed++;
        return 0;
    }
    struct conn_reading one = { .reading = reading, .conn = { .holder = NO_INDEX }, .last = NO_INDEX };
    size_t holder_count = snapshot->holder_count;
    int result = record_read(&reading->json, &saved_conn, &one.conn, &snapshot->arena, read_holders, &one);
    if (result == 0 && one.conn.netns >= snapshot->netns_count)
        result = -EINVAL;
    if (result < 0) {
        snapshot->holder_count = holder_count;
        return result;
    }
    for (size_t i = holder_count; i < snapshot->holder_count; i++)
        snapshot->holders[i].inode = one.conn.inode;
    struct conn *place = snapshot_add_conn(snapshot);
    if (place == NULL)
        return -ENOMEM;
    *place = one.conn;
    return 0;
}

static int read_end_member(void *data, struct json_reader *json)
{
    struct reading *reading = data;
    bool is_count = json_text_is(json, "connections");
    enum json_token token = json_next(json);
    if (is_count && token == JSON_NUMBER && json->whole && !json->negative)
        reading->announced = json->number;
    return json_skip(json, token) ? 0 : -EINVAL;
}

static int read_end(struct reading *reading, struct error *err)
{
    (void)err;
    static const struct record_field none[] = { { 0 } };
    static const struct record empty = { none, 0, 0 };
    int result = record_read(&reading->json, &empty, reading, &reading->snapshot->arena, read_end_member, reading);
    reading->ended = result == 0;
    return result;
}

/* --- lines ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *type;
    int (*read)(struct reading *reading, struct error *err);
} line_types[] = {
    { SAVED_LINE_CONN, read_conn },
    { SAVED_LINE_PROCESS, read_process },
    { SAVED_LINE_CGROUP, read_cgroup },
    { SAVED_LINE_NETNS, read_netns },
    { SAVED_LINE_GAP, read_gap },
    { SAVED_LINE_END, read_end },
    { SAVED_LINE_SNAPSHOT, read_head },
};

/* The type is the first member; one that is not known is from a later version, and passed over. */
static int read_line(struct reading *reading, const struct line *line, struct error *err)
{
    struct json_reader *json = &reading->json;
    json_read(json, line->text, line->length);
    if (line->was_cut || json_next(json) != JSON_OBJECT || json_next(json) != JSON_KEY || !json_text_is(json, "type") ||
        json_next(json) != JSON_STRING)
        return -EINVAL;
    for (size_t i = 0; i < sizeof line_types / sizeof *line_types; i++) {
        if (!json_text_is(json, line_types[i].type))
            continue;
        if (!reading->begun && line_types[i].read != read_head)
            return -EINVAL;
        return line_types[i].read(reading, err);
    }
    return 0;
}

static bool is_blank(const struct line *line)
{
    return strspn(line->text, " \t") == line->length;
}

static int read_lines(struct reading *reading, struct error *err)
{
    struct lines_reader lines = { .input = reading->capture->input, .most = SAVED_LINE_MOST };
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

/* --- the whole -------------------------------------------------------------------------------------------------- */

/* What is not there must not look as if there were nothing. */
static void note_missing(const struct reading *reading)
{
    struct snapshot *snapshot = reading->snapshot;
    struct buf text = { 0 };
    if (!reading->ended) {
        buf_str(&text, "how many connections there were: the snapshot has no last line, it was cut short after ");
        text_count(&text, snapshot->conn_count);
    } else if (snapshot->conn_count != reading->announced) {
        text_count(&text, snapshot->conn_count);
        buf_str(&text, " of the snapshot's ");
        text_count(&text, reading->announced);
        buf_str(&text, " connections could be read");
    }
    if (text.length > 0)
        snapshot_add_gap(snapshot, "snapshot-incomplete", buf_text(&text), "ask for the file as it was saved");
    buf_deinit(&text);
}

/* The two looks belong together as they did when they were taken. */
static int join_looks(struct reading *reading)
{
    struct snapshot *snapshot = reading->snapshot;
    bool confirms = snapshot->confirms;
    snapshot->confirms = false;
    if (reading->is_earlier || snapshot->earlier == NULL || !confirms)
        return 0;
    return snapshot_confirm(snapshot, snapshot->earlier);
}

unsigned saved_recognise(const struct format *self, const char *bytes, size_t length, bool mends)
{
    (void)self;
    (void)mends;
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
        result = join_looks(&reading);
    if (result == 0) {
        note_missing(&reading);
        capture->kinds[LINE_ROW] = capture->snapshot->conn_count;
    }
    json_reader_deinit(&reading.json);
    free(reading.waits);
    return result;
}
