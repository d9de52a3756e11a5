#pragma once
/*
 * The paper that the text report is written on: words flow from left to right, break at the width and go on at a
 * hanging indent. Everything that is written is escaped for the terminal (and for ASCII, where the style says so), so
 * that no caller can forget it; colours are the sheet's own business. Typographic characters (· • … §) may be used
 * freely: the sheet replaces them where the style is ASCII. A no-break space keeps words together.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "report/report.h"

enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_INFO, INK_WARNING, INK_CRITICAL, INK_HEALTHY, INK_COMMAND, INK_COUNT };

struct sheet {
    struct report_style style;
    FILE *out;
    int error; /* 0, or the negative errno of the first write that failed */

    struct buf text;     /* written and not yet handed to `out` */
    struct buf scratch;  /* for the escaped text of one call */
    size_t width;        /* lines keep to it */
    size_t indent;       /* where a broken line goes on */
    size_t column;       /* where the next character goes; 0: the line is empty */
    bool space;          /* a space is due before the next word, unless the line breaks there */
    size_t break_at;     /* of the last space that flowed: where in `text`, 0: nowhere on this line */
    size_t break_column; /* and the column behind it */
};

void sheet_init(struct sheet *sheet, const struct report_style *style, FILE *out);
/* Hands the rest out and flushes. Returns 0 or the first write error. */
int sheet_finish(struct sheet *sheet);

/* Flows words. Texts of several calls are one: a space between them is written at the end or start of either. */
void sheet_text(struct sheet *sheet, enum ink ink, const char *text);
void sheet_printf(struct sheet *sheet, enum ink ink, const char *format, ...) __attribute__((format(printf, 3, 4)));
/*
 * A value from outside of any length: cut to `columns` columns with an ellipsis, and broken inside a word where it
 * would not fit otherwise.
 */
void sheet_value(struct sheet *sheet, enum ink ink, const char *text, size_t columns);
/* On one line, however long: a command that somebody will copy. */
void sheet_verbatim(struct sheet *sheet, enum ink ink, const char *text);

/* Text that stays on one line if a line has room for it. */
void sheet_kept(struct sheet *sheet, enum ink ink, const char *text);
/* The same kinds of numbers as base/text.h, kept together on one line. */
void sheet_count(struct sheet *sheet, enum ink ink, uint64_t number);
void sheet_duration(struct sheet *sheet, enum ink ink, uint64_t milliseconds);

/* Ends the line; an empty line is written by a second call. */
void sheet_line(struct sheet *sheet);
/* Ends the line unless it is empty. */
void sheet_fresh_line(struct sheet *sheet);
/* Fills with spaces up to a column. */
void sheet_column(struct sheet *sheet, size_t column);
/* A bar of part/whole of `columns` columns; at least its thinnest where part > 0. */
void sheet_bar(struct sheet *sheet, enum ink ink, uint64_t part, uint64_t whole, size_t columns);
/* A thin line over the whole width. */
void sheet_rule(struct sheet *sheet);

/* Columns that a text will take once it is escaped. */
size_t sheet_width_of(struct sheet *sheet, const char *text);
