#pragma once
/* Reads a text as --from would. */
#include "model/snapshot.h"

/*
 * Reads the text and returns the recognised format ("capture-ss"), or fails the test. If the text was recognised but
 * then refused, there is a gap "refused". Release the snapshot with snapshot_deinit().
 */
const char *captured(struct snapshot *snapshot, const char *text, size_t length);
/*
 * A line for each connection, "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:50122 rq=1 sq=0 …" with all known fields, then the ids
 * of the gaps. Valid until the next call.
 */
const char *captured_text(const struct snapshot *snapshot);
