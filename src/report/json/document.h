#pragma once
/* What every JSON document of tcpwhy begins and ends with. */
#include "base/json.h"
#include "model/snapshot.h"

/* Opens the object: schema, tool, host, taken_at, source. */
void document_begin(struct json *json, const char *schema, const char *tool_version, const struct snapshot *snapshot);
/* The gaps; closes the object. */
void document_end(struct json *json, const struct snapshot *snapshot);

/* Parts of it: a time as RFC 3339, in UTC; the member "gaps". */
void document_time(struct json *json, const char *key, uint64_t ms);
void document_gaps(struct json *json, const struct gap *gaps, size_t count);
