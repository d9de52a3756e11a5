#pragma once
/* Reads the small files of /proc and /sys. */
#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a file, relative to the directory `at`, into a string that ends with a NUL. A text that does not fit is cut
 * off. Returns the length, or a negative errno with an empty string.
 */
ssize_t proc_read(int at, const char *path, char *buffer, size_t size);
