/* Saving a snapshot: see docs/SNAPSHOT.md for what the lines are. */
#include <time.h>

#include "source/capture/saved.h"
#include "source/capture/saved_fields.h"

static void begin_line(struct json *json, const char *type)
{
    json_object(json);
    json_member_string(json, "type", type);
}

static void end_line(struct json *json)
{
    json_object_end(json);
    json_end_line(json);
}

static void write_record(struct json *json, const char *type, const struct record *record, const void *object)
{
    begin_line(json, type);
    record_write(json, record, object);
    end_line(json);
}

/* --- the head --------------------------------------------------------------------------------------------------- */

static void write_time(struct json *json, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[48];
    if (gmtime_r(&seconds, &utc) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
        json_member_string(json, "taken_at", text); /* for people: taken_at_ms is what is read */
}

static void write_head(
    struct json *json, const struct snapshot *snapshot, const struct saved_options *options, bool is_earlier)
{
    char schema[32];
    snprintf(schema, sizeof schema, SAVED_SCHEMA "%d", SAVED_MAJOR);
    begin_line(json, SAVED_LINE_SNAPSHOT);
    json_member_string(json, "schema", schema);
    json_key(json, "tool");
    json_object(json);
    json_member_string(json, "name", "tcpwhy");
    json_member_string(json, "version", options->tool_version);
    json_object_end(json);
    write_time(json, snapshot->taken_at_ms);
    if (options->redacted)
        json_member_bool(json, "redacted", true);
    if (is_earlier)
        json_member_bool(json, "is_earlier", true);
    record_write(json, &saved_snapshot, snapshot);
    end_line(json);
}

/* --- namespaces ------------------------------------------------------------------------------------------------- */

static void write_netns(struct json *json, const struct netns *netns, const struct net_values *values)
{
    begin_line(json, SAVED_LINE_NETNS);
    record_write(json, &saved_netns, netns);
    record_write(json, &saved_values, values);
    saved_write_settings(json, values);
    saved_write_counters(json, values);
    end_line(json);
}

/* --- processes and connections ---------------------------------------------------------------------------------- */

static void write_process(struct json *json, const struct process *process)
{
    begin_line(json, SAVED_LINE_PROCESS);
    record_write(json, &saved_process, process);
    if (process->wait_count > 0) {
        json_key(json, "waits");
        json_array(json);
        for (size_t i = 0; i < process->wait_count; i++) {
            json_object(json);
            record_write(json, &saved_wait, &process->waits[i]);
            json_object_end(json);
        }
        json_array_end(json);
    }
    end_line(json);
}

static void write_conn(struct json *json, const struct snapshot *snapshot, const struct conn *conn)
{
    begin_line(json, SAVED_LINE_CONN);
    record_write(json, &saved_conn, conn);
    if (conn->holder != NO_INDEX) {
        json_key(json, "holders");
        json_array(json);
        for (uint32_t i = conn->holder; i != NO_INDEX; i = snapshot->holders[i].next) {
            const struct holder *holder = &snapshot->holders[i];
            struct saved_holder saved = { holder->process, holder->fd == FD_UNKNOWN ? -1 : (int)holder->fd,
                holder->close_on_exec };
            json_object(json);
            record_write(json, &saved_holder, &saved);
            json_object_end(json);
        }
        json_array_end(json);
    }
    end_line(json);
}

static void write_end(struct json *json, const struct snapshot *snapshot)
{
    begin_line(json, SAVED_LINE_END);
    json_member_uint(json, "connections", snapshot->conn_count);
    end_line(json);
}

static void write_snapshot(
    struct json *json, const struct snapshot *snapshot, const struct saved_options *options, bool is_earlier)
{
    write_head(json, snapshot, options, is_earlier);
    for (size_t i = 0; i < snapshot->netns_count; i++)
        write_netns(json, &snapshot->netns[i], &snapshot->net_values[i]);
    for (size_t i = 0; i < snapshot->cgroup_count; i++)
        write_record(json, SAVED_LINE_CGROUP, &saved_cgroup, &snapshot->cgroups[i]);
    for (size_t i = 0; i < snapshot->process_count; i++)
        write_process(json, &snapshot->processes[i]);
    for (size_t i = 0; i < snapshot->conn_count && json->error == 0; i++)
        write_conn(json, snapshot, &snapshot->conns[i]);
    for (size_t i = 0; i < snapshot->gap_count; i++)
        write_record(json, SAVED_LINE_GAP, &saved_gap, &snapshot->gaps[i]);
    write_end(json, snapshot);
}

int saved_write(const struct snapshot *snapshot, const struct saved_options *options, FILE *out)
{
    struct json json;
    json_begin(&json, out, true);
    json.keeps_bytes = true;
    if (snapshot->earlier != NULL)
        write_snapshot(&json, snapshot->earlier, options, true);
    write_snapshot(&json, snapshot, options, false);
    return json_end(&json);
}
