#pragma once
/*
 * Repairs lines that are not understood as they are: mails, chats, terminals and log programs have changed them. Lines
 * that are understood as they are cost no time here.
 */
#include "source/capture/input/lines.h"
#include "source/capture/state_names.h"

/*
 * Removes what only affects the display: colours of a terminal, no-break spaces, characters without width, "&gt; ".
 * True if the line was changed.
 */
bool line_repair(struct line *line);

/* The number of endpoints in the line, with anything between them; 2 means two or more. */
unsigned line_count_ends(const struct line *line);
/* True if the first word is a state in capital letters. */
bool line_has_state(const struct line *line, struct state_words *words);
/* True for the end of a row that was wrapped: only digits, "_WAIT", "234,fd=100))". */
bool line_is_leftover(const struct line *line);

/* Goes through the positions in a line after which a row may begin. */
struct prefix {
    const struct line *line;
    unsigned step;
};
/* Returns the rest of the line after the next position; false if there are no more. */
bool prefix_next(struct prefix *prefix, struct line *ret_rest);

/* The host name before all rows, as some log programs write it. */
struct host_prefix {
    char name[64];
    bool is_set;
};
/* False if the line begins with another word than an earlier one: rows of two hosts do not make one snapshot. */
bool prefix_is_of_same_host(struct host_prefix *host, const struct line *line);
