/* Reads the lines of a saved snapshot after the first one: namespaces, processes, connections, gaps. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "source/capture/saved/fields.h"
#include "source/capture/saved/reading.h"

enum {
    CONNS_MAX = 64 * 1024 * 1024,
    WAITS_MAX = 4096, /* of one process */
};

static int skip_value(struct reading *reading)
{
    return json_skip(&reading->json, json_next(&reading->json)) ? 0 : -EINVAL;
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

int saved_read_netns(struct reading *reading)
{
    struct snapshot *snapshot = reading->snapshot;
    struct netns netns = { 0 };
    struct net_values values = { 0 };
    if (snapshot->netns_count >= NO_INDEX ||
        record_read(&reading->json, &saved_netns, &netns, &snapshot->arena, read_netns_member, &values) < 0)
        return -EINVAL;
    struct netns *place = snapshot_add_netns(snapshot);
    *place = netns;
    snapshot->net_values[snapshot->netns_count - 1] = values;
    return 0;
}

/* --- cgroups, processes, gaps ----------------------------------------------------------------------------------- */

int saved_read_cgroup(struct reading *reading)
{
    struct cgroup cgroup = { 0 };
    if (record_read(&reading->json, &saved_cgroup, &cgroup, &reading->snapshot->arena, NULL, NULL) < 0)
        return -EINVAL;
    struct cgroup *place = snapshot_add_cgroup(reading->snapshot);
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
        if (reading->wait_count == WAITS_MAX ||
            record_read(json, &saved_wait, &wait, &reading->snapshot->arena, NULL, NULL) < 0)
            return -EINVAL;
        xvec_grow((void **)&reading->waits, reading->wait_count, &reading->wait_capacity, sizeof *reading->waits);
        reading->waits[reading->wait_count++] = wait;
    }
    return token == JSON_ARRAY_END ? 0 : -EINVAL;
}

int saved_read_process(struct reading *reading)
{
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
    *place = process;
    return 0;
}

int saved_read_total(struct reading *reading)
{
    struct snapshot *snapshot = reading->snapshot;
    struct total total = { .process = NO_INDEX };
    if (record_read(&reading->json, &saved_total, &total, &snapshot->arena, NULL, NULL) < 0 ||
        (total.process != NO_INDEX && total.process >= snapshot->process_count))
        return -EINVAL;
    struct total *place = snapshot_add_total(snapshot);
    *place = total;
    return 0;
}

int saved_read_gap(struct reading *reading)
{
    struct gap gap = { 0 };
    if (record_read(&reading->json, &saved_gap, &gap, &reading->snapshot->arena, NULL, NULL) < 0)
        return -EINVAL;
    size_t before = reading->snapshot->gap_count;
    snapshot_add_gap(reading->snapshot, gap.id, gap.text, gap.remedy != NULL ? gap.remedy : "");
    if (reading->snapshot->gap_count > before)
        reading->snapshot->gaps[before].is_read = true;
    return 0;
}

/* --- connections ------------------------------------------------------------------------------------------------ */

struct conn_reading {
    struct reading *reading;
    struct conn conn;
    uint32_t last; /* the holder that was read last */
};

static int add_holder(struct conn_reading *one, const struct saved_holder *saved)
{
    struct snapshot *snapshot = one->reading->snapshot;
    if (saved->process >= snapshot->process_count || snapshot->holder_count >= NO_INDEX)
        return -EINVAL;
    struct holder *holder = snapshot_add_holder(snapshot);
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

int saved_read_conn(struct reading *reading)
{
    struct snapshot *snapshot = reading->snapshot;
    if (snapshot->conn_count >= CONNS_MAX) /* saved_finish() notes that some are missing */
        return 0;
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

int saved_read_end(struct reading *reading)
{
    static const struct record_field none[] = { { 0 } };
    static const struct record empty = { none, 0, 0 };
    int result = record_read(&reading->json, &empty, reading, &reading->snapshot->arena, read_end_member, reading);
    reading->ended = result == 0;
    return result;
}
