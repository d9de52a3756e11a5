#pragma once
/* Reading the small files of /proc and /sys. */
#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a file, relative to the folder `at`, as a NUL-terminated string; what does not fit is cut off. Returns its
 * length or a negative errno, with an empty string in buffer.
 */
ssize_t proc_read(int at, const char *path, char *buffer, size_t size);
