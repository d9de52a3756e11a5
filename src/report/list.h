#pragma once
/* Connections one by one: as a table, as JSON (tcpwhy.list/1), as CSV. Rows stream; only their order is kept. */
#include "query/column.h"
#include "model/select.h"
#include "report/report.h"

struct list_sort_key {
    const struct field *field;
    bool descending;
};

enum { LIST_SORT_KEYS_MAX = 8 };

struct list_options {
    const char *tool_version;
    /* Shown, in this order. None: text shows the default ones, JSON and CSV all. */
    const struct field *columns[FIELD_MAX];
    unsigned column_count;
    /* None: trouble first, see default_weight(). Unknown values come last either way. */
    struct list_sort_key sort[LIST_SORT_KEYS_MAX];
    unsigned sort_count;
    bool unsorted; /* as the source gave them */
    bool no_header;
    uint64_t limit;        /* rows at most; 0: all */
    size_t terminal_width; /* the last column is cut here; 0: not a terminal, nothing is cut */
    bool utf8;
};

/* The connections that the selection takes in (NULL: all). Each returns 0 or the first write error. */
int list_text(const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options,
    FILE *out);
int list_json(const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options,
    FILE *out);
int list_csv(const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options,
    FILE *out);
