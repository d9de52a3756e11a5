#pragma once
/*
 * What the program is doing, and how much it has read, so that a deadline can tell (cmd/deadline.h). A process does one
 * thing at a time for its user, so there is one such record; any thread may write to it.
 */
#include <stddef.h>
#include <stdint.h>

/* Begins something: "opening", and what: a path, the name of a namespace, or NULL. Both are copied, and cut. */
void progress_begin(const char *doing, const char *subject);
/* The process that is being read. 0: none. */
void progress_pid(uint32_t pid);
/* So many bytes more, or connections in all, have been read. */
void progress_add_bytes(size_t bytes);
void progress_set_connections(size_t count);

/*
 * Appends a clause such as "17 connections had been read; it was opening /tmp/x" to `out`, which has `size` bytes. It
 * allocates nothing, because the thread that is late may hold the allocator's lock. Bytes that a terminal or a plugin's
 * reader could take for something else become "?".
 */
void progress_describe(char *out, size_t size);
