#pragma once
/* Between ss.c and ss_details.c. */
#include "source/capture/format.h"

/* What only the whole capture tells: a value of zero is not printed, so that its absence says nothing by itself. */
struct ss {
    bool shows_timers;        /* timer:(…), or -e was given, which brings it along */
    bool shows_snd_wnd;       /* snd_wnd:…: this ss and this kernel know it */
    bool shows_bytes;         /* bytes_acked:… and the like */
    size_t part;              /* the connection that the present part begins with: each has options of its own */
    bool without_state;       /* it has no column of states, */
    enum conn_state filtered; /* because this one was asked for; STATE_UNKNOWN: the command was not pasted along */
};

enum line_kind ss_row(struct capture *capture, const struct line *line);
/* Reads what stands behind the ends of a row, or on a line of its own. Returns how much of it was understood. */
unsigned ss_read_details(struct capture *capture, const char *text, size_t length, struct conn *conn);
/* At a heading, and at the end. */
void ss_end_part(struct capture *capture);
