#pragma once
/*
 * Filters as ss(8) reads them, for hands that are used to it: state close-wait, sport = :443, dst 10.0.0.0/8, and, or.
 * A filter is turned into the options that select the same connections.
 */
#include <stdbool.h>

#include "base/error.h"
#include "cmd/option.h"

/* True if a filter begins with this word: "state", "sport", "( dport = :ssh or sport = :ssh )". */
bool ss_filter_begins(const char *word);
/* Applies the words as options of the groups. Returns 0, or a negative errno with err filled. */
int ss_filter_apply(const struct option_group *groups, int count, char **words, struct error *err);

enum { SS_HINT_MAX = 96 };
/*
 * What to say of a word that is no filter: "--state CLOSE_WAIT selects that" of a state, something similar of a port
 * and an address, else `otherwise`. Returns ret_hint.
 */
const char *ss_filter_hint(const char *word, const char *otherwise, char ret_hint[SS_HINT_MAX]);
