/* Writes a snapshot. docs/SNAPSHOT.md describes the lines. */
#include <string.h>
#include <time.h>

#include "model/holders.h"
#include "model/host.h"
#include "source/capture/saved/saved.h"
#include "source/capture/saved/fields.h"

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

/* --- the first line --------------------------------------------------------------------------------------------- */

static void write_time(struct json *json, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[48];
    if (gmtime_r(&seconds, &utc) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
        json_member_string(json, "taken_at", text); /* only for people: readers use taken_at_ms */
}

static void write_head(
    struct json *json, const struct snapshot *snapshot, const char *tool_version, bool is_previous, uint64_t hosts)
{
    char schema[32];
    snprintf(schema, sizeof schema, SAVED_SCHEMA "%d", SAVED_MAJOR);
    begin_line(json, SAVED_LINE_SNAPSHOT);
    json_member_string(json, "schema", schema);
    json_key(json, "tool");
    json_object(json);
    json_member_string(json, "name", "tcpwhy");
    json_member_string(json, "version", tool_version);
    json_object_end(json);
    write_time(json, snapshot->taken_at_ms);
    if (is_previous)
        json_member_bool(json, "is_earlier", true);
    if (hosts > 1)
        json_member_uint(json, "hosts", hosts);
    record_write(json, &saved_snapshot, snapshot);
    end_line(json);
}

/* Writes the first line of one of several hosts, as it was before they were joined. */
static void write_host_head(struct json *json, const struct host *host, const char *tool_version, uint64_t hosts)
{
    const struct snapshot head = {
        .host_name = host->name,
        .os = host->os,
        .kernel = host->kernel,
        .source = host->source,
        .taken_at_ms = host->taken_at_ms,
        .elapsed_us = host->elapsed_us,
        .page_bytes = host->page_bytes,
        .redacted = host->redacted,
    };
    write_head(json, &head, tool_version, false, hosts);
}

/* --- the part of one host --------------------------------------------------------------------------------------- */

struct range {
    size_t from, end;
};

/* The part of a snapshot that belongs to one host. In the file, the numbers of each host's tables begin with 0. */
struct slice {
    const struct snapshot *snapshot;
    const struct host *host; /* NULL: there is only one */
    struct range netns, cgroups, processes, conns;
};

typedef const struct host *(*host_reader)(const struct snapshot *snapshot, size_t index);

static const struct host *host_of_netns(const struct snapshot *snapshot, size_t index)
{
    return snapshot->netns[index].host;
}

static const struct host *host_of_cgroup(const struct snapshot *snapshot, size_t index)
{
    return snapshot->cgroups[index].host;
}

static const struct host *host_of_process(const struct snapshot *snapshot, size_t index)
{
    return snapshot->processes[index].host;
}

static const struct host *host_of_conn(const struct snapshot *snapshot, size_t index)
{
    return hosts_of_conn(snapshot, &snapshot->conns[index]);
}

/* The range of a table of `count` elements that belongs to the host. A host's elements are adjacent. */
static struct range range_of(const struct slice *slice, size_t count, host_reader host_of)
{
    struct range range = { 0, count };
    if (slice->host == NULL)
        return range;
    while (range.from < count && host_of(slice->snapshot, range.from) != slice->host)
        range.from++;
    range.end = range.from;
    while (range.end < count && host_of(slice->snapshot, range.end) == slice->host)
        range.end++;
    return range;
}

static struct slice slice_of(const struct snapshot *snapshot, const struct host *host)
{
    struct slice slice = { .snapshot = snapshot, .host = host };
    slice.netns = range_of(&slice, snapshot->netns_count, host_of_netns);
    slice.cgroups = range_of(&slice, snapshot->cgroup_count, host_of_cgroup);
    slice.processes = range_of(&slice, snapshot->process_count, host_of_process);
    slice.conns = range_of(&slice, snapshot->conn_count, host_of_conn);
    return slice;
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

static uint32_t index_in(uint32_t index, const struct range *range)
{
    return index == NO_INDEX ? NO_INDEX : (uint32_t)(index - range->from);
}

static void write_process(struct json *json, const struct slice *slice, const struct process *process)
{
    struct process saved = *process;
    saved.netns = index_in(process->netns, &slice->netns);
    saved.cgroup = index_in(process->cgroup, &slice->cgroups);
    begin_line(json, SAVED_LINE_PROCESS);
    record_write(json, &saved_process, &saved);
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

static void write_conn(struct json *json, const struct slice *slice, const struct conn *conn)
{
    const struct snapshot *snapshot = slice->snapshot;
    struct conn saved_as = *conn;
    saved_as.netns = (uint32_t)(conn->netns - slice->netns.from);
    begin_line(json, SAVED_LINE_CONN);
    record_write(json, &saved_conn, &saved_as);
    if (conn->holder != NO_INDEX) {
        json_key(json, "holders");
        json_array(json);
        const struct holder *holder = holders_first(snapshot, conn);
        for (; holder != NULL; holder = holders_next(snapshot, holder)) {
            struct saved_holder saved = { index_in(holder->process, &slice->processes),
                holder->fd == FD_UNKNOWN ? -1 : (int)holder->fd, holder->close_on_exec };
            json_object(json);
            record_write(json, &saved_holder, &saved);
            json_object_end(json);
        }
        json_array_end(json);
    }
    end_line(json);
}

/*
 * Writes a gap of this host. hosts_join() puts the host's name before the text, so it is removed here. Gaps that
 * hosts_join() adds are not written: the reader adds them again.
 */
static void write_gap(struct json *json, const struct slice *slice, const struct gap *gap)
{
    if (gap->host != slice->host)
        return;
    struct gap saved = *gap;
    size_t name = slice->host != NULL ? strlen(slice->host->name) : 0;
    if (name > 0 && strncmp(gap->text, slice->host->name, name) == 0 && strncmp(gap->text + name, ": ", 2) == 0)
        saved.text += name + 2;
    write_record(json, SAVED_LINE_GAP, &saved_gap, &saved);
}

static void write_slice(struct json *json, const struct slice *slice)
{
    const struct snapshot *snapshot = slice->snapshot;
    for (size_t i = slice->netns.from; i < slice->netns.end; i++)
        write_netns(json, &snapshot->netns[i], &snapshot->net_values[i]);
    for (size_t i = slice->cgroups.from; i < slice->cgroups.end; i++)
        write_record(json, SAVED_LINE_CGROUP, &saved_cgroup, &snapshot->cgroups[i]);
    for (size_t i = slice->processes.from; i < slice->processes.end; i++)
        write_process(json, slice, &snapshot->processes[i]);
    for (size_t i = slice->conns.from; i < slice->conns.end && json->error == 0; i++)
        write_conn(json, slice, &snapshot->conns[i]);
    for (size_t i = 0; i < snapshot->total_count; i++)
        write_record(json, SAVED_LINE_TOTAL, &saved_total, &snapshot->totals[i]);
    for (size_t i = 0; i < snapshot->gap_count; i++)
        write_gap(json, slice, &snapshot->gaps[i]);
    begin_line(json, SAVED_LINE_END);
    json_member_uint(json, "connections", slice->conns.end - slice->conns.from);
    end_line(json);
}

static void write_snapshot(
    struct json *json, const struct snapshot *snapshot, const char *tool_version, bool is_previous)
{
    for (size_t i = 0; i < hosts_count(snapshot); i++) {
        const struct slice slice = slice_of(snapshot, hosts_at(snapshot, i));
        if (slice.host != NULL)
            write_host_head(json, slice.host, tool_version, snapshot->host_count);
        else
            write_head(json, snapshot, tool_version, is_previous, 1);
        write_slice(json, &slice);
    }
}

int saved_write(const struct snapshot *snapshot, const char *tool_version, FILE *out)
{
    struct json json;
    json_begin(&json, out, true);
    json.keeps_bytes = true;
    if (snapshot->previous != NULL)
        write_snapshot(&json, snapshot->previous, tool_version, true);
    write_snapshot(&json, snapshot, tool_version, false);
    return json_end(&json);
}
