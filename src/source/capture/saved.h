#pragma once
/*
 * Snapshots as tcpwhy saves them: JSON lines, described in docs/SNAPSHOT.md and docs/schema/snapshot-1.json. Nothing is
 * lost: what is concluded from a saved snapshot is what was concluded from the host.
 */
#include <stdbool.h>
#include <stdio.h>

#include "model/snapshot.h"

#define SAVED_SCHEMA "tcpwhy.snapshot/"
enum { SAVED_MAJOR = 1 }; /* raised only when older readers would misunderstand; new keys do not */

struct saved_options {
    const char *tool_version;
    bool redacted; /* names and addresses are made up: model/redact.h */
};

/* With the earlier look or reading, where it has one. Returns 0 or the first write error as a negative errno. */
int saved_write(const struct snapshot *snapshot, const struct saved_options *options, FILE *out);
