#pragma once
/*
 * The lines that the format of a capture did not understand. People paste a session: ss, then netstat, then a list of
 * processes. What is left over of one table may be another, which tells more about the same connections.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "source/capture/input/lines.h"

struct leftover {
    size_t start;    /* in the text */
    uint64_t number; /* of the line in the input */
    uint8_t kind;    /* enum line_kind that it was counted as */
    bool is_blank;   /* not counted, but it ends a record of a list */
    bool is_read;    /* another format has understood it */
};

struct leftovers {
    struct buf text;
    struct leftover *lines;
    size_t count, capacity;
};

void leftovers_deinit(struct leftovers *leftovers);
/* Keeps a line, of the first few MiB of them. */
void leftovers_keep(struct leftovers *leftovers, const struct line *line, uint8_t kind, bool is_blank);
