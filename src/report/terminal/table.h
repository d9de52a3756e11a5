#pragma once
/*
 * A table of text whose columns are as wide as their content. The caller builds each row twice: first to measure it,
 * then to print it. One buffer is reused for all rows, so a million rows need the memory of one.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

enum { TABLE_COLUMNS_MAX = 64 };

struct table {
    unsigned column_count;
    bool right[TABLE_COLUMNS_MAX];
    size_t widths[TABLE_COLUMNS_MAX];
    bool hidden[TABLE_COLUMNS_MAX]; /* by table_hide() */
    size_t cut_at;                  /* the terminal's columns, where the last cell is cut; 0: never */
    bool utf8;                      /* cut with "…", not "..." */
    const char *style;              /* the terminal's sequence that begins the style of the next row; NULL: none */

    struct buf cells; /* the cells of this row, separated by NUL */
    size_t starts[TABLE_COLUMNS_MAX];
    unsigned filled;
};

void table_init(struct table *table);
void table_deinit(struct table *table);
void table_add_column(struct table *table, bool right);
/* Begins the next cell of the row. The caller appends its text, already escaped, to the returned buffer. */
struct buf *table_cell(struct table *table);
/* Adds a cell with the column's name as its title: "recv_q" becomes "RECV-Q". */
void table_title(struct table *table, const char *name);
/* The columns of the terminal that a row takes. */
size_t table_width(const struct table *table);
/* Leaves out a column. */
void table_hide(struct table *table, unsigned column);
/* Makes a column narrower, but not below `least`, so that rows fit at cut_at. Its longer cells are cut. */
void table_shrink(struct table *table, unsigned column, size_t least);
/* End the row. table_measure() widens the columns to hold it; table_print() prints it. */
void table_measure(struct table *table);
void table_print(struct table *table, FILE *out);
