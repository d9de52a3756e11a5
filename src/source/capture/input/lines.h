#pragma once
/* The lines of an input, one at a time, whatever ends them: LF, CRLF, or CR alone. */
#include "source/capture/input/input.h"

enum { LINE_MAX = 128 * 1024 }; /* the rest of a longer line is skipped; the line says that it was cut */

struct line {
    char *text; /* ends with a NUL; may be written to until the next one is read */
    size_t length;
    uint64_t number; /* from 1 */
    bool was_cut;
};

struct lines_reader {
    struct input *input;
    size_t most; /* bytes of a line; 0: LINE_MAX */
    uint64_t number;
    bool skip; /* what is left of the line before was cut off */
};

/* 1 with a line, 0 at the end, or a negative errno. */
int lines_next(struct lines_reader *reader, struct line *ret_line);
/* "> > text" as mail programs quote, "| text" as some ticket systems do. */
void line_take_off_quotes(struct line *line);
