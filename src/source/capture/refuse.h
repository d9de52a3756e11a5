#pragma once
/* Describes a file that contains no connections. */
#include <stddef.h>

#include "base/error.h"

/*
 * Describes what the bytes look like, what they lack, and which command shows it. It names a program only if the bytes
 * are certainly of it. Returns -EBADMSG.
 */
int capture_refuse(const char *path, const char *bytes, size_t length, struct error *err);
