#pragma once
/* The common part of list, count, capture and metrics: each reads one snapshot and prints a part of it. */
#include <stdbool.h>

#include "cmd/inspect.h"
#include "report/report.h"

struct view {
    const struct option_group *groups;
    const char *hint; /* the end of the error message if there is an operand */
    /* Every member below may be NULL, except `print`. */
    void (*describe)(struct buf *out); /* the details of --help */
    /* --csv was given. A command with this member prints the gaps on stderr, unless --json was given. */
    const bool *csv;
    int (*complete)(void *arguments, struct error *err); /* sets what no option has set */
    /* Returns 0; or a negative errno, with err filled unless standard output could not be written. */
    int (*print)(
        void *arguments, const struct inspect_options *options, struct inspection *inspection, struct error *err);
    void *arguments;
    const char *const *file; /* where this is not NULL, `print` writes a file: within the deadline, too */
    enum place_link link;
    bool file_is_folder; /* it is written into that folder */
};

/* Runs the command. Returns the exit status. */
int cmd_view(
    const struct command *self, const struct view *view, struct inspect_options *options, int argc, char **argv);
/* As output_style() for standard output, but the width is 0 if it is not a terminal. */
struct report_style cmd_table_style(void);
