#pragma once
/* Groups of connections, most first: as a table, as JSON (tcpwhy.count/1), as CSV. */
#include "query/group_by.h"
#include "report/report.h"

struct count_options {
    const char *tool_version;
    uint64_t top; /* groups at most, the rest as one row; 0: all */
    bool no_header;
    size_t terminal_width; /* the last column is cut here; 0: not a terminal, nothing is cut */
    bool utf8;
};

/* Each returns 0 or the first write error. */
int count_text(struct groups *groups, const struct count_options *options, FILE *out);
int count_json(struct groups *groups, const struct count_options *options, FILE *out);
int count_csv(struct groups *groups, const struct count_options *options, FILE *out);
