#pragma once
/*
 * Options that hands type which are used to ss and netstat: -tanp, -ano, --numeric. Most ask for what is always so:
 * TCP, numbers, owners, timers. An option of the command itself comes first.
 */
#include <stdbool.h>

#include "base/error.h"
#include "cmd/option.h"

/* True if the letters can only be meant as those of ss and netstat. `next` is the next argument, or NULL. */
bool ss_letters_meant(const struct option_group *groups, const char *letters, const char *next);
/* Applies them. Returns 0, or a negative errno with err filled. */
int ss_letters_apply(const struct option_group *groups, const char *letters, struct error *err);
/* The same for a long option that the command does not have. Returns 1 if ss and netstat do not have it either. */
int ss_long_apply(const struct option_group *groups, const char *name, struct error *err);
