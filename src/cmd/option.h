#pragma once
/* What an option is. A table of rows drives the parser, --help and the completion of shells. */
#include <stddef.h>

#include "base/error.h"

enum parse_result {
    PARSE_OK = 0,
    PARSE_HELP, /* --help was given, and the help has been printed; the command returns STATUS_HEALTHY */
};

struct option_row {
    char letter;       /* or 0 */
    const char *name;  /* without the dashes */
    const char *value; /* the name of its argument in --help, or NULL: it takes none */
    const char *help;
    /*
     * `value` is NULL if the option takes none. Returns 0; or a negative errno with err filled; or PARSE_HELP if it has
     * printed what values there are.
     */
    int (*set)(void *target, const char *value, struct error *err);
    size_t flag; /* used if `set` is NULL: the offset of a bool in the target, which becomes true */
};

/* A part of a command's options. The last of `rows` has no name. The setters get `target`. */
struct option_group {
    const char *title; /* of the paragraph in --help */
    const struct option_row *rows;
    void *target;
    /*
     * Returns the target for this row, which may depend on earlier options; or NULL with err filled. `choose` may be
     * NULL: then every row sets `target`.
     */
    void *(*choose)(void *target, const struct option_row *row, const char *value, struct error *err);
};
