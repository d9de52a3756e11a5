#pragma once
/*
 * The bytes of a capture: a file or standard input, read in pieces, with a look ahead at its beginning. Filters (an
 * encoding, a compression) stand between: each reads from the input below it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum { INPUT_PEEK = 64 * 1024 }; /* how much of its beginning may be looked at */

struct input {
    /* Up to `size` bytes into out; 0 at the end; a negative errno. */
    ssize_t (*read)(void *state, char *out, size_t size);
    void (*close)(void *state);
    void *state;

    char *data; /* what was read and not taken yet: data[start] … data[end - 1] */
    size_t start, end, capacity;
    bool ended;
    bool ends_in_line; /* the last line that was taken has no newline: the text may have been cut there */
    uint64_t modified_ms; /* when the file was written, since 1970; 0: unknown (a pipe) */
};

void input_close(struct input *input);
/* What a negative errno of reading means, in words. */
const char *input_failure(int result);

/*
 * Makes at least `wanted` bytes available, or all that there are. Returns how many are, or a negative errno. One byte
 * behind them may be written to.
 */
ssize_t input_fill(struct input *input, size_t wanted);
/* The bytes that are available. */
static inline char *input_bytes(const struct input *input)
{
    return input->data + input->start;
}
/* Takes so many of them. */
static inline void input_consume(struct input *input, size_t length)
{
    input->start += length;
}
