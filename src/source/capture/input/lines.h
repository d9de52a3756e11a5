#pragma once
/* Reads the lines of an input. A line ends with LF, CRLF or CR. */
#include "source/capture/input/input.h"

enum { LINE_MAX = 128 * 1024 }; /* longer lines are cut, and the line says so */

struct line {
    char *text; /* ends with NUL; may be changed until the next line is read */
    size_t length;
    uint64_t number; /* counts from 1 */
    bool was_cut;
};

struct lines_reader {
    struct input *input;
    size_t most; /* the longest line in bytes; 0: LINE_MAX */
    uint64_t number;
    bool skip; /* the line before was cut: its rest is to be skipped */
};

/* Returns 1 and a line, 0 at the end, or a negative errno. */
int lines_next(struct lines_reader *reader, struct line *ret_line);
/* Removes quotation marks: "> > text" of mail programs, "| text" of some ticket systems. */
void line_remove_quotes(struct line *line);
