#pragma once
/*
 * Lays out the text report: it breaks lines at the width and continues them at a hanging indent. It escapes everything
 * that is written, so that no caller can forget it. It writes the colours. Callers may use typographic characters
 * (· • … §); it replaces them if the style is ASCII. A no-break space keeps words together.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "report/report.h"

enum style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_INFO,
    STYLE_WARNING,
    STYLE_CRITICAL,
    STYLE_HEALTHY,
    STYLE_COMMAND,
    STYLE_COUNT
};

struct flow {
    struct report_style style;
    FILE *out;
    int error; /* 0, or the negative errno of the first write that failed */

    struct buf text;    /* text that is not yet written to `out` */
    struct buf scratch; /* for the escaped text of one call */
    size_t width;       /* the most columns of a line */
    size_t indent;      /* the column where a continued line begins */
    size_t column;      /* where the next character goes; 0: the line is empty */
    bool space;         /* a space is due before the next word, unless a new line begins there */
    size_t break_at; /* the offset in `text` of the last space at which the line may be broken; 0: none on this line */
    size_t break_column; /* the column after that space */
};

void flow_init(struct flow *flow, const struct report_style *style, FILE *out);
/* Writes the rest and flushes. Returns 0 or the first write error. */
int flow_finish(struct flow *flow);

/*
 * Appends words. Texts of several calls flow together. Words are separated by a space at the end of the first text or
 * at the start of the second.
 */
void flow_text(struct flow *flow, enum style style, const char *text);
void flow_printf(struct flow *flow, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
/*
 * Writes a value from outside, of any length. It is cut to `columns` columns with an ellipsis. A word that is too long
 * for a line is broken.
 */
void flow_value(struct flow *flow, enum style style, const char *text, size_t columns);
/* Writes a command that the user will copy, on one line of any length. */
void flow_verbatim(struct flow *flow, enum style style, const char *text);

/* Appends text that stays on one line, if a line has room for it. */
void flow_unbroken(struct flow *flow, enum style style, const char *text);
/* Numbers as base/text.h formats them. Number and unit stay on one line. */
void flow_count(struct flow *flow, enum style style, uint64_t number);
void flow_duration(struct flow *flow, enum style style, uint64_t milliseconds);

/* Ends the line. A second call writes an empty line. */
void flow_line(struct flow *flow);
/* Ends the line unless it is empty. */
void flow_fresh_line(struct flow *flow);
/* Appends spaces up to a column. */
void flow_column(struct flow *flow, size_t column);
/* Appends a bar of part/whole, `columns` wide. If `part` is not 0, at least the thinnest bar is drawn. */
void flow_bar(struct flow *flow, enum style style, uint64_t part, uint64_t whole, size_t columns);
/* Writes a thin line over the whole width. */
void flow_rule(struct flow *flow);

/* The columns of a text after escaping. */
size_t flow_width_of(struct flow *flow, const char *text);
