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

/* A text, the format as which it has to be recognised, and the lines of captured_text() that it has to give. */
struct captured_case {
    const char *text, *source, *expected;
};

void captured_check(const struct captured_case *cases, size_t count);

#define CHECK(cases) captured_check(cases, sizeof(cases) / sizeof *(cases))
/* Gaps of nearly every capture: what it does not show; and processes known by number only. */
#define NOTHING_ELSE "gap not-in-capture\n"
#define NUMBERS_ONLY "gap processes-unnamed\n"
