#pragma once
/*
 * Lines that are no rows as they stand, because of what they came through: mails, chats, terminals, programs that put
 * something before each line. None of this costs anything where rows are understood.
 */
#include "source/capture/input/lines.h"
#include "source/capture/state_names.h"

/*
 * Takes out what only shows: colours of a terminal, blanks that do not break, characters without a width, "&gt; ". True
 * where it changed something.
 */
bool line_repair(struct line *line);

/* The ends of connections in it, whatever stands between them: 2 where there are more. */
unsigned line_count_ends(const struct line *line);
/* Whether its first word is a state, in capital letters. */
bool line_has_state(const struct line *line, struct state_words *words);
/* What a wrap has left of the end of a row: digits alone, "_WAIT", "234,fd=100))". */
bool line_is_leftover(const struct line *line);

/* The places in a line behind which a row may begin. */
struct prefix {
    const struct line *line;
    unsigned step;
};
/* The rest of the line behind the next place; false: no more. */
bool prefix_next(struct prefix *prefix, struct line *ret_rest);

/* The name of a host that all rows begin with. */
struct host_prefix {
    char name[64];
    bool is_set;
};
/* False where a line begins with a word that another did not begin with: rows of two hosts are not one look. */
bool prefix_is_of_same_host(struct host_prefix *host, const struct line *line);
