#pragma once
/* Snapshots saved to memory and read back, for tests. */
#include "base/error.h"
#include "model/snapshot.h"

/*
 * As capture_read(), for a file with these bytes that is neither compressed nor UTF-16. Returns the number of lines
 * that were not understood, or a negative errno.
 */
int saved_read_bytes(
    const char *bytes, size_t length, struct snapshot *snapshot, struct snapshot *previous, struct error *err);
/* The text that saved_write() writes. The caller frees it. */
char *saved_to_text(const struct snapshot *snapshot);
