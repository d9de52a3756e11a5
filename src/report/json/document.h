#pragma once
/* The beginning and the end of every JSON document of tcpwhy. */
#include "base/json.h"
#include "model/snapshot.h"

/* Opens the object and writes schema, tool, host, taken_at and source. */
void document_begin(struct json *json, const char *schema, const char *tool_version, const struct snapshot *snapshot);
/* Writes the gaps and closes the object. */
void document_end(struct json *json, const struct snapshot *snapshot);

/* Write a time as RFC 3339 in UTC, and the member "gaps". */
void document_time(struct json *json, const char *key, uint64_t ms);
void document_gaps(struct json *json, const struct gap *gaps, size_t count);
