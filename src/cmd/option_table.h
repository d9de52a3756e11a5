#pragma once
/* Finds and applies options by the tables of a command: its own groups, and the options that every command has. */
#include <stdbool.h>

#include "cmd/option.h"

/* The groups of a command, followed by the group that all commands have. NULL after that. */
const struct option_group *option_first_group(const struct option_group *groups);
const struct option_group *option_next_group(const struct option_group *group);

/*
 * The row with this letter; or, if `name` is not NULL, with this name, which may end at "=". NULL if there is none.
 * ret_group may be NULL.
 */
const struct option_row *option_find(
    const struct option_group *groups, char letter, const char *name, const struct option_group **ret_group);
/*
 * Sets the option. Returns 0; or a negative errno, with an error that names the option, also if the setter named only
 * the value; or PARSE_HELP.
 */
int option_apply(const struct option_group *group, const struct option_row *row, const char *value, struct error *err);
/* Applies the option with this name, as if it stood on the command line. Returns what option_apply() does. */
int option_set(const struct option_group *groups, const char *name, const char *value, struct error *err);
/* True if the command has all options that select connections, as diagnose, list and count do. */
bool options_select_connections(const struct option_group *groups);
