#pragma once
/*
 * lsof prints a row for each descriptor. What is remembered of each row, so that lsof_finish() can make one connection
 * of the rows of a socket.
 */
#include "source/capture/format.h"

struct seen;

struct lsof {
    struct seen *seen; /* one for each connection of the snapshot */
    size_t count, capacity;
    size_t start, start_before; /* where the last two snapshots of lsof -r begin: indexes of connections */
    int snapshots;              /* number of snapshots before the last one */
    bool is_certain;            /* they are known to be snapshots of the same sockets */
};

enum line_kind lsof_row(struct capture *capture, const struct line *line);
void lsof_finish(struct capture *capture);
