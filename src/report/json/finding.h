#pragma once
/* Writes a finding as an object of the JSON report. */
#include <stdbool.h>

#include "base/json.h"
#include "model/diagnosis.h"

void json_finding(struct json *json, const struct diagnosis *diagnosis, const struct finding *finding, bool all_conns);
/* Writes a member: "key": ["…", …]. */
void json_lines(struct json *json, const char *key, const struct lines *lines);
