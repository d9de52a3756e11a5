#pragma once
/*
 * The lines that the format of a capture did not understand. People paste a whole session: ss, then netstat, then a
 * list of processes. The lines that are left after the first table may be another table, with more about the same
 * connections.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "source/capture/input/lines.h"

struct leftover {
    size_t start;    /* offset in `text` */
    uint64_t number; /* of the line in the input */
    uint8_t kind;    /* enum line_kind as it was counted */
    bool is_blank;   /* not counted, but it ends a record of a list */
    bool is_read;    /* another format has understood it */
};

struct leftovers {
    struct buf text;
    struct leftover *lines;
    size_t count, capacity;
};

void leftovers_deinit(struct leftovers *leftovers);
/* Adds a line. The number of lines and bytes is limited. */
void leftovers_keep(struct leftovers *leftovers, const struct line *line, uint8_t kind, bool is_blank);
