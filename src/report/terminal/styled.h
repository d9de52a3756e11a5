#pragma once
/*
 * Text with emphasis: how it is stored, wrapped and written to a terminal.
 *
 * It is a buffer of printable UTF-8 in which single control bytes open and close a style; text from outside
 * cannot hold any, because styled_text() makes control characters visible.
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
    STYLED_SPACE, /* in code: a line ends here only if the code does not fit on one, so that it can be copied */
    STYLED_BREAK = '\n'
};

/* Appends text, escaped; without style->utf8 in ASCII, as near as that goes. */
void styled_text(struct buf *out, const char *text, size_t length, const struct report_style *style);
/* The same for code within a line of text. */
void styled_code(struct buf *out, const char *text, size_t length, const struct report_style *style);
/*
 * Opens a style, or closes the last. Without colours, code is put in backquotes instead; the rest is not
 * shown.
 */
void styled_open(struct buf *out, enum styled_mark mark, const struct report_style *style);
void styled_close(struct buf *out, enum styled_mark mark, const struct report_style *style);

/* Columns of the text on one line, and of its longest word. */
size_t styled_width(const char *text);
size_t styled_longest_word(const char *text);

enum { STYLED_DEPTH = 8 }; /* styles within each other; deeper ones are not shown */

/* Goes through a styled text line by line. */
struct styled_lines {
    const char *at;
    unsigned depth;
    char open[STYLED_DEPTH];
};

/*
 * Writes the next line of at most `width` columns, without its newline; a word that is longer is cut. Returns
 * the columns written. There are lines as long as lines->at is not at the end of the text.
 */
size_t styled_line(struct styled_lines *lines, size_t width, struct buf *out);
