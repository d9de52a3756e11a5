#pragma once
/* State that the rows of the different netstats need from the lines before. */
#include "source/capture/format.h"

struct windows_netstat {
    bool has_pids;
    bool has_time;       /* netstat -i: the rows have the time in the state, and, with -o, the PID: */
    bool has_pid_column; /* as the heading or the options of the command tell */
    bool pid_is_last;
    uint32_t unit_ms; /* of the time, if it is a plain number */
    bool after_other; /* the last row was not TCP; the lines after it belong to it */
};
enum line_kind windows_netstat_row(struct capture *capture, const struct line *line);

enum line_kind linux_netstat_row(struct capture *capture, const struct line *line);

enum line_kind plain_table_row(struct capture *capture, const struct line *line);

struct bsd_netstat {
    unsigned pid_column; /* position of the PID after the state, counted in words from 1; 0: no such column */
    bool pid_has_name;   /* "process:pid" */
};
enum line_kind bsd_netstat_row(struct capture *capture, const struct line *line);

struct solaris_netstat {
    bool is_other; /* the rows follow a heading of another protocol */
};
enum line_kind solaris_netstat_row(struct capture *capture, const struct line *line);
