#pragma once
/*
 * Writes connections one by one: as a table, as JSON (tcpwhy.list/1), as CSV. Each row is written at once; memory is
 * needed only for their order.
 */
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
    /* The fields to show, in this order. If there are none, text shows the default ones, JSON and CSV show all. */
    const struct field *columns[FIELD_MAX];
    unsigned column_count;
    /*
     * The fields to sort by. If there are none, trouble comes first: default_weight(). Unknown values always come last.
     */
    struct list_sort_key sort[LIST_SORT_KEYS_MAX];
    unsigned sort_count;
    bool unsorted; /* keep the order of the source */
    bool no_header;
    uint64_t limit;        /* the most rows to show; 0: all */
    size_t terminal_width; /* rows are made to fit this; 0: not a terminal, nothing is cut */
    bool utf8;
    bool colour; /* the titles, and connections with a cause, stand out */
};

/* Write the connections of the selection (NULL: all). Return 0 or the first write error as a negative errno. */
int list_text(const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options,
    FILE *out);
int list_json(const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options,
    FILE *out);
int list_csv(const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options,
    FILE *out);
