/* docs/schema/diagnosis-1.json describes what is written here; the tests hold the two together. */
#include "base/json.h"

#include <time.h>

#include "report/json_finding.h"
#include "report/report.h"

/* "2026-01-31T12:03:11.123Z" (RFC 3339) */
static void moment(struct json *json, const char *key, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char day[32];
    json_key(json, key);
    if (gmtime_r(&seconds, &tm) == NULL || strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        json_null(json);
        return;
    }
    struct buf text = { 0 };
    buf_printf(&text, "%s.%03uZ", day, (unsigned)(ms % 1000));
    json_string(json, buf_text(&text));
    buf_deinit(&text);
}

static void source(struct json *json, const struct snapshot *snapshot)
{
    json_key(json, "source");
    json_object(json);
    json_member_string(json, "kind", snapshot->source);
    json_key(json, "elapsed_ms");
    json_seconds(json, snapshot->elapsed_us); /* a thousandth, as seconds are of milliseconds */
    json_object_end(json);
}

static void totals(struct json *json, const struct diagnosis *diagnosis)
{
    json_key(json, "totals");
    json_object(json);
    json_member_uint(json, "connections", diagnosis->selected_count);
    json_member_uint(json, "connections_seen", diagnosis->snapshot->conn_count);
    json_key(json, "by_state");
    json_object(json);
    for (int state = 0; state < STATE_COUNT; state++) {
        if (diagnosis->by_state[state] > 0)
            json_member_uint(json, state_name((enum conn_state)state), diagnosis->by_state[state]);
    }
    json_object_end(json);
    json_object_end(json);
}

static void gaps(struct json *json, const struct snapshot *snapshot)
{
    json_key(json, "gaps");
    json_array(json);
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        json_object(json);
        json_member_string(json, "id", snapshot->gaps[i].id);
        json_member_string(json, "text", snapshot->gaps[i].text);
        json_member_string(json, "remedy", snapshot->gaps[i].remedy);
        json_object_end(json);
    }
    json_array_end(json);
}

int report_json(const struct diagnosis *diagnosis, const struct report_options *options, FILE *out)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    struct json json;
    json_begin(&json, out, options->compact);
    json_object(&json);
    json_member_string(&json, "schema", "tcpwhy.diagnosis/1");
    json_key(&json, "tool");
    json_object(&json);
    json_member_string(&json, "name", "tcpwhy");
    json_member_string(&json, "version", options->tool_version);
    json_object_end(&json);
    json_key(&json, "host");
    json_object(&json);
    json_member_string(&json, "name", snapshot->host_name);
    json_member_string(&json, "os", snapshot->os);
    json_member_string(&json, "kernel", snapshot->kernel);
    json_object_end(&json);
    moment(&json, "taken_at", snapshot->taken_at_ms);
    source(&json, snapshot);
    totals(&json, diagnosis);
    json_member_string(&json, "verdict", verdict_name(diagnosis->verdict));
    json_key(&json, "findings");
    json_array(&json);
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        json_finding(&json, snapshot, &diagnosis->findings[i], options->all_connections);
    json_array_end(&json);
    json_lines(&json, "notes", &diagnosis->notes);
    gaps(&json, snapshot);
    json_object_end(&json);
    return json_end(&json);
}
