#pragma once
/* lsof has a row for each descriptor: the sockets that were seen, by their device. */
#include "source/capture/format.h"

struct seen;

struct lsof {
    struct seen *slots;
    size_t slot_count, used;
};

enum line_kind lsof_row(struct capture *capture, const struct line *line);
void lsof_finish(struct capture *capture);
