#pragma once
/* Files that others read while they are replaced. */
#include <stddef.h>

#include "base/error.h"

/*
 * Makes folder/name a file of these bytes, readable for all (0644): under another, hidden name first, synced, then renamed,
 * so that a reader, or a crash, sees the old file or the new one, whole. Returns 0 or a negative errno with err filled and
 * nothing left behind.
 */
int file_replace(const char *folder, const char *name, const char *bytes, size_t length, struct error *err);
