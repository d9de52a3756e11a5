#pragma once
/*
 * Options of the commands. One table of rows drives the parser and --help. A long option is written --name VALUE or
 * --name=VALUE. Letters can be joined (-46). "--" ends the options.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "model/select.h"
#include "source/source.h"

enum { INSPECT_FROM_MAX = 64 };

/* The options of every command that reads connections. */
struct inspect_options {
    struct source_options source;
    struct selection selection;
    uint64_t confirm_ms; /* read a second snapshot after this time, to confirm the first one; 0: read only one */
    bool json;
    bool causes_only;     /* only the cause of each connection is needed, no findings: these need more connections */
    bool owners_if_stuck; /* find the owners of sockets only if something is stuck */
    const char *from[INSPECT_FROM_MAX]; /* captures to read instead of this host; "-": standard input */
    unsigned from_count;
    const char *tasks; /* a list of processes, which gives the PIDs of the capture their names; or NULL */
    bool names_source; /* --source was given */
    bool needs_rows;   /* the command shows single connections: a capture that has only counts is refused */
    /*
     * Called before this host's connections are diagnosed. It fills snapshot.stayed_ms with what earlier runs have
     * stored. NULL: nothing was stored.
     */
    void (*recall)(struct snapshot *snapshot, void *data);
    void *recall_data;
    const char *config; /* the configuration file to read instead of the usual ones, or NULL */
    /* If not NULL: the options are added here that select the same connections again: " --netns web --port 80". */
    struct buf *again;
};

struct option_row {
    char letter;       /* or 0 */
    const char *name;  /* without the dashes */
    const char *value; /* the name of its argument in --help, or NULL: it takes none */
    const char *help;
    /* `value` is NULL if the option takes none. Returns 0 or a negative errno with err filled. */
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

/* The rows of struct inspect_options. */
extern const struct option_row inspect_option_rows[];
/* The same rows without --json, for commands that have output formats of their own. */
enum { INSPECT_ROWS_MAX = 64 };
void inspect_rows_but_json(struct option_row ret_rows[INSPECT_ROWS_MAX]);
/* True if the row selects connections; false if it says how they are read. A copy of a row of this table will do. */
bool cmd_option_selects(const struct option_row *row);

/*
 * Copies the rows with these names to ret_rows, in the order of `rows`. `names` ends with NULL. ret_rows has room for
 * `most` rows; the last one written has no name.
 */
void options_pick(const struct option_row *rows, const char *const *names, struct option_row *ret_rows, size_t most);

struct command {
    const char *name;
    const char *summary;                                           /* one line for `tcpwhy help` */
    const char *synopsis;                                          /* "tcpwhy list [OPTIONS]" */
    const char *details;                                           /* paragraphs for --help, or NULL */
    const char *examples;                                          /* lines "command\n    what it does", or NULL */
    int (*run)(const struct command *self, int argc, char **argv); /* argv[0] is the command's name; exit status */
};

enum { STATUS_HEALTHY = 0, STATUS_WARNING = 1, STATUS_CRITICAL = 2, STATUS_FAILED = 3 };

enum parse_result {
    PARSE_OK = 0,
    PARSE_HELP, /* --help was given, and the help has been printed; the command returns STATUS_HEALTHY */
};

/*
 * Parses argv[1…] by the groups; the last group has `rows` NULL. Operands are moved to the front of argv + 1 and
 * counted in *ret_operands. Returns a parse_result, or a negative errno with err filled.
 */
int options_parse(const struct command *command, const struct option_group *groups, int argc, char **argv,
    int *ret_operands, struct error *err);

/* The index in argv of the first operand; 0 if there is none, or if an option is unknown. */
int options_first_operand(const struct option_group *groups, int argc, char **argv);
/* Adds a capture, as --from does. Returns 0, or a negative errno with err filled. */
int options_add_from(struct inspect_options *options, const char *path, struct error *err);

/* As options_parse(), for a command that takes no operands. If there is one, the error ends with the hint. */
int options_parse_only(const struct command *command, const struct option_group *groups, int argc, char **argv,
    const char *hint, struct error *err);

/* Parses "10", "10s" or "5m" as the time between two snapshots. It must be from min_ms to one day. */
int cmd_set_interval(const char *value, uint64_t min_ms, uint64_t *ret_ms, struct error *err);

/* Prints the error on stderr: "tcpwhy list: --pid: …". Returns STATUS_FAILED, so that a command can return it. */
int cmd_fail(const struct command *command, const struct error *err);

/* As cmd_fail(), for standard output that cannot be written; `result` is a negative errno. */
int cmd_fail_to_write(const struct command *command, int result);
