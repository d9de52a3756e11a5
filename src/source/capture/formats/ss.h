#pragma once
/* Shared by ss.c and ss_details.c. */
#include "source/capture/format.h"

/* What only the whole capture shows. ss does not print a value of zero, so a missing value alone has no meaning. */
struct ss {
    bool shows_timers;  /* some row has timer:(…), or -e was given, which includes it */
    bool shows_snd_wnd; /* some row has snd_wnd:…: this ss and kernel print it */
    bool shows_bytes;   /* some row has bytes_acked:… or the like */
    size_t part;        /* index of the first connection of the current part; each part may have other options */
    bool without_state; /* the part has no column of states, */
    /* because the command asked for this one; STATE_UNKNOWN: the command is not in the text */
    enum conn_state filtered;
};

enum line_kind ss_row(struct capture *capture, const struct line *line);
/* Reads the text after the endpoints of a row, or a line of details. Returns the number of details understood. */
unsigned ss_read_details(struct capture *capture, const char *text, size_t length, struct conn *conn);
/* Ends a part: at a heading and at the end. */
void ss_end_part(struct capture *capture);
