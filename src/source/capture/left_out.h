#pragma once
/*
 * What tells that a text has been shortened: "...", "[very long list]", "<snip>", and "| head" of the command above it.
 */
#include <stdint.h>

#include "source/capture/input/lines.h"

struct left_out {
    uint64_t marks, line; /* how many, and the first */
    char first[40];
    uint64_t rows_max; /* that the command let through; 0: all */
};

/* Notes what the line, which is no row, tells. */
void left_out_note(struct left_out *left_out, const struct line *line);
