#pragma once
/* Snapshots saved to memory and read back, for tests. */
#include "base/error.h"
#include "model/snapshot.h"

/*
 * As capture_read() reads a file of these bytes, but that nothing is taken off around them. Returns how many lines were
 * not understood, or a negative errno.
 */
int saved_read_bytes(
    const char *bytes, size_t length, struct snapshot *snapshot, struct snapshot *previous, struct error *err);
/* The lines that saved_write() writes; the caller frees them. */
char *saved_to_text(const struct snapshot *snapshot);
