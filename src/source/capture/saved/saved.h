#pragma once
/*
 * Snapshots as tcpwhy saves them: JSON lines, described in docs/SNAPSHOT.md and docs/schema/snapshot-1.json. They
 * contain all that a diagnosis uses, so the diagnosis of a saved snapshot is the same as on its host.
 */
#include <stdio.h>

#include "model/snapshot.h"

#define SAVED_SCHEMA "tcpwhy.snapshot/"
/* raised only for a change that older readers would misunderstand; a new key does not need it */
enum { SAVED_MAJOR = 1 };

/*
 * Writes a snapshot, after its previous snapshot or reading of counters, if it has one. Several hosts are written one
 * after the other, each as in a file of its own. Returns 0 or the first write error as a negative errno.
 */
int saved_write(const struct snapshot *snapshot, const char *tool_version, FILE *out);
