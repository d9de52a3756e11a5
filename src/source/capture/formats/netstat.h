#pragma once
/* What the rows of the different netstats remember of the lines before. */
#include "source/capture/format.h"

struct windows_netstat {
    bool has_pids;
    bool after_other; /* the last row was none of TCP: what is said below it is about that */
};
enum line_kind windows_netstat_row(struct capture *capture, const struct line *line);

enum line_kind linux_netstat_row(struct capture *capture, const struct line *line);

enum line_kind plain_table_row(struct capture *capture, const struct line *line);

struct bsd_netstat {
    unsigned pid_column; /* words behind the state, from 1; 0: there is none */
    bool pid_has_name;   /* "process:pid" */
};
enum line_kind bsd_netstat_row(struct capture *capture, const struct line *line);

struct solaris_netstat {
    bool is_other; /* below a heading of another protocol */
};
enum line_kind solaris_netstat_row(struct capture *capture, const struct line *line);
