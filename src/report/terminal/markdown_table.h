#pragma once
/* A table whose cells are wrapped so that it fits a width. */
#include <stdbool.h>

#include "base/buf.h"
#include "report/report.h"

struct markdown_table_cell {
    struct buf text; /* styled: report/terminal/styled.h */
    bool right;      /* aligned to the right */
};

/* Cells row by row. The first row is the heading. */
struct markdown_table {
    size_t columns;
    struct markdown_table_cell *cells;
    size_t count, capacity;
};

/* Adds a cell at the end. It is valid until the next call. */
struct markdown_table_cell *markdown_table_add(struct markdown_table *table);
/* Appends lines of at most `width` columns. Each begins with `prefix`, whose columns are not counted. */
void markdown_table_print(const struct markdown_table *table, const char *prefix, size_t width,
    const struct report_style *style, struct buf *out);
void markdown_table_deinit(struct markdown_table *table);
