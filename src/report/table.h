#pragma once
/* A table of wrapped cells, fitted to a width. */
#include <stdbool.h>

#include "base/buf.h"
#include "report/report.h"

struct table_cell {
    struct buf text; /* styled: report/styled.h */
    bool right;      /* aligned to the right */
};

/* Cells row by row; the first row is the heading. */
struct table {
    size_t columns;
    struct table_cell *cells;
    size_t count, capacity;
};

/* A new cell at the end; valid until the next one. */
struct table_cell *table_add(struct table *table);
/* Appends lines of at most `width` columns, each beginning with `prefix`, whose columns are not counted. */
void table_print(const struct table *table, const char *prefix, size_t width,
    const struct report_style *style, struct buf *out);
void table_deinit(struct table *table);
