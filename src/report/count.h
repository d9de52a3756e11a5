#pragma once
/* Writes groups of connections, largest first: as a table, as JSON (tcpwhy.count/1), as CSV. */
#include "query/group_by.h"
#include "report/report.h"

struct count_options {
    const char *tool_version;
    uint64_t top; /* the most groups to show; one row sums up the rest; 0: all */
    bool no_header;
    size_t terminal_width; /* the last column is cut here; 0: not a terminal, nothing is cut */
    bool utf8;
};

/* Each returns 0 or the first write error as a negative errno. */
int count_text(struct groups *groups, const struct count_options *options, FILE *out);
int count_json(struct groups *groups, const struct count_options *options, FILE *out);
int count_csv(struct groups *groups, const struct count_options *options, FILE *out);
