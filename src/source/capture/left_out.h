#pragma once
/*
 * Recognises that a text was shortened: by "...", "[very long list]" or "<snip>", or by "| head" in the command above
 * it.
 */
#include <stdint.h>

#include "source/capture/input/lines.h"

struct left_out {
    uint64_t marks, line; /* the number of marks, and the line of the first */
    char first[40];
    uint64_t rows_max; /* the most rows that the command lets through; 0: no limit */
};

/* Examines a line that is not a row. */
void left_out_note(struct left_out *left_out, const struct line *line);
