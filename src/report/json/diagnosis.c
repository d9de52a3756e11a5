/* Writes docs/schema/diagnosis-1.json. Tests compare the schema with the output. */
#include "report/report.h"

#include <stdlib.h>

#include "base/json.h"
#include "model/policy.h"
#include "report/json/document.h"
#include "report/json/finding.h"

static void totals(struct json *json, const struct diagnosis *diagnosis)
{
    json_key(json, "totals");
    json_object(json);
    json_member_uint(json, "connections", diagnosis->selected_count);
    const struct snapshot *snapshot = diagnosis->snapshot;
    json_member_uint(
        json, "connections_seen", snapshot->counts_only ? snapshot_counted(snapshot) : snapshot->conn_count);
    json_key(json, "by_state");
    json_object(json);
    for (int state = 0; state < STATE_COUNT; state++) {
        if (diagnosis->by_state[state] > 0)
            json_member_uint(json, state_name((enum conn_state)state), diagnosis->by_state[state]);
    }
    json_object_end(json);
    json_object_end(json);
}

/* Ignored findings, each with the ignore of the configuration that matches. Without any, the member is left out. */
static void ignored(struct json *json, const struct diagnosis *diagnosis, bool all_connections)
{
    if (diagnosis->ignored_count == 0)
        return;
    json_key(json, "ignored");
    json_array(json);
    for (size_t i = 0; i < diagnosis->ignored_count; i++) {
        const struct finding *finding = &diagnosis->ignored[i];
        json_object(json);
        json_member_string(json, "name", finding->ignored->name);
        json_member_string(json, "reason", finding->ignored->reason);
        json_member_string(json, "until", finding->ignored->until);
        json_member_string(json, "file", finding->ignored->origin.file);
        json_member_uint(json, "line", finding->ignored->origin.line);
        json_key(json, "finding");
        json_finding(json, diagnosis, finding, all_connections);
        json_object_end(json);
    }
    json_array_end(json);
}

int report_json(const struct diagnosis *diagnosis, const struct report_options *options, FILE *out)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    struct json json;
    json_begin(&json, out, options->compact);
    document_begin(&json, "tcpwhy.diagnosis/1", options->tool_version, snapshot);
    totals(&json, diagnosis);
    json_member_string(&json, "verdict", verdict_name(diagnosis->verdict));
    json_key(&json, "findings");
    json_array(&json);
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        json_finding(&json, diagnosis, &diagnosis->findings[i], options->all_connections);
    json_array_end(&json);
    ignored(&json, diagnosis, options->all_connections);
    json_lines(&json, "notes", &diagnosis->notes);
    size_t gap_count;
    struct gap *gaps = diagnosis_all_gaps(diagnosis, &gap_count);
    document_gaps(&json, gaps, gap_count);
    free(gaps);
    json_object_end(&json);
    return json_end(&json);
}
