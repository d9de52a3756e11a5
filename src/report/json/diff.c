/* Writes docs/schema/diff-1.json. Tests compare the schema with the output. */
#include "base/json.h"
#include "report/diff.h"
#include "report/json/document.h"

static void pace(struct json *json, const struct diff *diff, int64_t millis_per_minute)
{
    json_key(json, "per_minute");
    if (!diff->times_known)
        json_null(json);
    else
        json_thousandths(json, millis_per_minute);
}

static void snapshots(struct json *json, const struct diff *diff)
{
    json_key(json, "captures");
    json_array(json);
    for (size_t i = 0; i < diff->snapshot_count; i++) {
        const struct diff_snapshot *snapshot = &diff->snapshots[i];
        json_object(json);
        json_member_string(json, "from", snapshot->from);
        json_member_string(json, "source", snapshot->source);
        document_time(json, "taken_at", snapshot->taken_at_ms);
        json_member_uint(json, "connections", snapshot->conns);
        json_object_end(json);
    }
    json_array_end(json);
}

static void numbers(struct json *json, const char *key, const uint64_t *values, size_t count)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++)
        json_uint(json, values[i]);
    json_array_end(json);
}

static void row(struct json *json, const struct diff *diff, const struct diff_row *row)
{
    json_object(json);
    json->compact = true; /* each row on one line */
    json_member_string(json, "kind", diff_kind_name(row->kind));
    json_member_bool(json, "unsure", row->unsure);
    json_key(json, "process");
    value_write_json(&row->process, diff->last, json);
    json_key(json, "pid");
    if (row->pid != 0)
        json_uint(json, row->pid);
    else
        json_null(json);
    json_member_uint(json, "processes", row->processes);
    json_key(json, "service");
    value_write_json(&row->service, diff->last, json);
    json_member_uint(json, "services", row->services);
    json_member_string(json, "state", state_name(row->state));
    numbers(json, "counts", row->counts, diff->snapshot_count);
    numbers(json, "settled", row->settled, diff->snapshot_count);
    json_member_uint(json, "stayed", row->stayed);
    json_member_uint(json, "came", row->came);
    json_member_uint(json, "went", row->went);
    pace(json, diff, row->millis_per_minute);
    json_object_end(json);
    json->compact = false;
}

static void process(struct json *json, const struct diff *diff, const struct diff_process *process)
{
    uint32_t limit = process->process->fds_limit;
    json_object(json);
    json->compact = true;
    json_member_uint(json, "pid", process->process->pid);
    json_member_string(json, "name", process->process->name);
    json_member_uint(json, "fds_first", process->fds_first);
    json_member_uint(json, "fds_last", process->fds_last);
    json_key(json, "fds_limit");
    if (process_has_limit(process->process))
        json_uint(json, limit);
    else
        json_null(json);
    pace(json, diff, process->millis_per_minute);
    json_key(json, "limit_in_s");
    if (process->ends)
        json_seconds(json, process->ends_ms);
    else
        json_null(json);
    json_object_end(json);
    json->compact = false;
}

static void totals(struct json *json, const struct diff *diff)
{
    json_key(json, "totals");
    json_object(json);
    json_member_uint(json, "first", diff->snapshots[0].conns);
    json_member_uint(json, "last", diff->snapshots[diff->snapshot_count - 1].conns);
    json_member_uint(json, "stayed", diff->stayed);
    json_member_uint(json, "came", diff->came);
    json_member_uint(json, "went", diff->went);
    json_object_end(json);
}

int diff_json(const struct diff *diff, const struct diff_report_options *options, FILE *out)
{
    struct json json;
    json_begin(&json, out, false);
    document_begin(&json, "tcpwhy.diff/1", options->tool_version, diff->last);
    snapshots(&json, diff);
    json_key(&json, "apart_s");
    if (diff->times_known)
        json_seconds(&json, diff->apart_ms);
    else
        json_null(&json);
    json_member_bool(&json, "reordered", diff->reordered);
    json_member_string(&json, "verdict", verdict_name(diff->verdict));
    json_member_string(&json, "title", diff->title);
    totals(&json, diff);
    json_key(&json, "rows");
    json_array(&json);
    for (size_t i = 0; i < diff->row_count && json.error == 0; i++)
        row(&json, diff, &diff->rows[i]);
    json_array_end(&json);
    json_key(&json, "processes");
    json_array(&json);
    for (size_t i = 0; i < diff->process_count; i++)
        process(&json, diff, &diff->processes[i]);
    json_array_end(&json);
    document_gaps(&json, diff->gaps, diff->gap_count);
    json_object_end(&json);
    return json_end(&json);
}
