#include "report/json/document.h"

#include <time.h>

#include "model/host.h"

void document_time(struct json *json, const char *key, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char day[32], text[48];
    if (gmtime_r(&seconds, &utc) == NULL || strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc) == 0) {
        json_member_null(json, key);
        return;
    }
    snprintf(text, sizeof text, "%s.%03uZ", day, (unsigned)(ms % 1000)); /* RFC 3339 */
    json_member_string(json, key, text);
}

/* Writes "hosts" if the snapshot has several hosts. Then "host" contains what they have in common. */
static void write_hosts(struct json *json, const struct snapshot *snapshot)
{
    if (snapshot->host_count == 0)
        return;
    json_key(json, "hosts");
    json_array(json);
    for (size_t i = 0; i < snapshot->host_count; i++) {
        const struct host *host = &snapshot->hosts[i];
        json_object(json);
        json_member_string(json, "name", host->name);
        json_member_string(json, "os", host->os);
        json_member_string(json, "kernel", host->kernel);
        document_time(json, "taken_at", host->taken_at_ms);
        json_member_string(json, "source", host->source);
        json_member_string(json, "from", host->from);
        json_object_end(json);
    }
    json_array_end(json);
}

void document_begin(struct json *json, const char *schema, const char *tool_version, const struct snapshot *snapshot)
{
    json_object(json);
    json_member_string(json, "schema", schema);
    json_key(json, "tool");
    json_object(json);
    json_member_string(json, "name", "tcpwhy");
    json_member_string(json, "version", tool_version);
    json_object_end(json);
    json_key(json, "host");
    json_object(json);
    json_member_string(json, "name", snapshot->host_name);
    json_member_string(json, "os", snapshot->os);
    json_member_string(json, "kernel", snapshot->kernel);
    json_object_end(json);
    write_hosts(json, snapshot);
    document_time(json, "taken_at", snapshot->taken_at_ms);
    json_key(json, "source");
    json_object(json);
    json_member_string(json, "kind", snapshot->source);
    if (snapshot->from != NULL)
        json_member_string(json, "from", snapshot->from);
    if (snapshot->origin != NULL)
        json_member_string(json, "read", snapshot->origin);
    json_key(json, "elapsed_ms");
    json_seconds(
        json, snapshot->elapsed_us); /* microseconds written as milliseconds; json_seconds() divides by 1,000 */
    json_object_end(json);
}

void document_gaps(struct json *json, const struct gap *gaps, size_t count)
{
    json_key(json, "gaps");
    json_array(json);
    for (size_t i = 0; i < count; i++) {
        json_object(json);
        json_member_string(json, "id", gaps[i].id);
        json_member_string(json, "text", gaps[i].text);
        json_member_string(json, "remedy", gaps[i].remedy);
        json_object_end(json);
    }
    json_array_end(json);
}

void document_end(struct json *json, const struct snapshot *snapshot)
{
    document_gaps(json, snapshot->gaps, snapshot->gap_count);
    json_object_end(json);
}
