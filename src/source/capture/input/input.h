#pragma once
/*
 * The bytes of a capture: a file or standard input, read in pieces. Its beginning can be examined before it is
 * consumed. Filters for encodings and compression can lie on top; each reads from the input below it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum { INPUT_PEEK = 64 * 1024 }; /* how many bytes of the beginning can be examined */

struct input {
    /* Reads up to `size` bytes into `out`. Returns their number, 0 at the end, or a negative errno. */
    ssize_t (*read)(void *state, char *out, size_t size);
    void (*close)(void *state);
    void *state;

    char *data; /* bytes that are read but not consumed: data[start] … data[end - 1] */
    size_t start, end, capacity;
    bool ended;
    bool ends_in_line;    /* the last line read has no newline: the text may have been cut there */
    uint64_t modified_ms; /* when the file was modified, since 1970; 0: unknown, as for a pipe */
};

void input_close(struct input *input);
/* Describes a negative errno from reading. */
const char *input_failure(int result);

/*
 * Makes at least `wanted` bytes available, or all that are left. Returns the number of available bytes, or a negative
 * errno. The byte after them can be written to.
 */
ssize_t input_fill(struct input *input, size_t wanted);
/* The available bytes. */
static inline char *input_bytes(const struct input *input)
{
    return input->data + input->start;
}
/* Consumes `length` of the available bytes. */
static inline void input_consume(struct input *input, size_t length)
{
    input->start += length;
}
