#pragma once
/* What list, count, capture and metrics have in common: they inspect once, and print what they want of it. */
#include <stdbool.h>

#include "cmd/inspect.h"
#include "report/report.h"

struct view {
    const struct option_group *groups;
    const char *hint; /* for who gives it something else than options */
    /* The rest may be NULL but for `print`. */
    void (*describe)(struct buf *out); /* the details of --help */
    const bool *csv;                   /* of a table: whether --csv was given. It then says on stderr what it lacks */
    int (*complete)(void *arguments, struct error *err); /* what was not given */
    /* Returns 0; or a negative errno, with err filled unless standard output could not be written. */
    int (*print)(
        void *arguments, const struct inspect_options *options, struct inspection *inspection, struct error *err);
    void *arguments;
};

/* Returns the exit status. */
int cmd_view(
    const struct command *self, const struct view *view, struct inspect_options *options, int argc, char **argv);
/* How tables go to standard output: a width of 0 where it is no terminal. */
struct report_style cmd_table_style(void);
