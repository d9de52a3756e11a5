#pragma once
/*
 * Text with emphasis: its storage, wrapping and output to a terminal.
 *
 * The text is printable UTF-8. Single control bytes begin and end a style. Text from outside cannot contain such bytes,
 * because styled_text() makes control characters visible.
 */
#include <stddef.h>

#include "base/buf.h"
#include "report/report.h"

enum styled_mark {
    STYLED_STRONG = 1,
    STYLED_EMPHASIS,
    STYLED_CODE,
    STYLED_LINK,
    STYLED_END,   /* ends the style that was opened last */
    STYLED_SPACE, /* in code: the line is broken here only if the code does not fit, so that it can be copied */
    STYLED_BREAK = '\n'
};

/* Appends text, escaped. Without style->utf8 it is converted to ASCII. */
void styled_text(struct buf *out, const char *text, size_t length, const struct report_style *style);
/* As styled_text(), for code within a line of text. */
void styled_code(struct buf *out, const char *text, size_t length, const struct report_style *style);
/* Begin a style, or end the last one. Without colours, code is put in backquotes and other styles are not shown. */
void styled_open(struct buf *out, enum styled_mark mark, const struct report_style *style);
void styled_close(struct buf *out, enum styled_mark mark, const struct report_style *style);

/* The columns of the text on one line, and of its longest word. */
size_t styled_width(const char *text);
size_t styled_longest_word(const char *text);

enum { STYLED_DEPTH = 8 }; /* nested styles; deeper ones are not shown */

/* Reads a styled text line by line. */
struct styled_lines {
    const char *at;
    unsigned depth;
    char open[STYLED_DEPTH];
};

/*
 * Appends the next line of at most `width` columns, without a newline. A longer word is cut. Returns the columns of the
 * line. The text has more lines until lines->at is at its end.
 */
size_t styled_line(struct styled_lines *lines, size_t width, struct buf *out);
