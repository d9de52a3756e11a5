#pragma once
/*
 * A table of text in columns as wide as their content. Each row is built twice, first to measure and then to print,
 * in one buffer that is used again and again: a table of a million rows needs the memory of one.
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

enum { TABLE_COLUMNS_MAX = 64 };

struct table {
    unsigned column_count;
    bool right[TABLE_COLUMNS_MAX];
    size_t widths[TABLE_COLUMNS_MAX];
    size_t cut_at; /* columns of the terminal, at which the last cell is cut; 0: never */
    bool utf8;     /* cut with "…", not "..." */

    struct buf cells; /* of this row, NUL between them */
    size_t starts[TABLE_COLUMNS_MAX];
    unsigned filled;
};

void table_init(struct table *table);
void table_deinit(struct table *table);
void table_add_column(struct table *table, bool right);
/* Begins the next cell of the row: what is added to the buffer is in it, and has to be escaped already. */
struct buf *table_cell(struct table *table);
/* A column's name as its title: "recv_q" as "RECV-Q". */
void table_title(struct table *table, const char *name);
/* End the row: the columns grow to hold it, or it is printed. */
void table_measure(struct table *table);
void table_print(struct table *table, FILE *out);
