#pragma once
/* A text as the capture that --from would read. */
#include "model/snapshot.h"

/*
 * Reads it and returns what it was recognised as ("capture-ss"), or fails the test. Where it was recognised and refused
 * all the same, there is a gap "refused". Release with snapshot_deinit().
 */
const char *captured(struct snapshot *snapshot, const char *text, size_t length);
/*
 * One line for each connection, "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:50122 rq=1 sq=0 …" with what else is known of it, then
 * the ids of the gaps; valid until the next call.
 */
const char *captured_text(const struct snapshot *snapshot);
