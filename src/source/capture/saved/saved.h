#pragma once
/*
 * Snapshots as tcpwhy saves them: JSON lines, described in docs/SNAPSHOT.md and docs/schema/snapshot-1.json. Nothing is
 * lost: what is concluded from a saved snapshot is what was concluded from the host.
 */
#include <stdio.h>

#include "model/snapshot.h"

#define SAVED_SCHEMA "tcpwhy.snapshot/"
enum { SAVED_MAJOR = 1 }; /* raised only when older readers would misunderstand; new keys do not */

/*
 * With the earlier look or reading, where it has one. Several hosts are written one after the other, as if each were a
 * file of its own. Returns 0 or the first write error as a negative errno.
 */
int saved_write(const struct snapshot *snapshot, const char *tool_version, FILE *out);
