#pragma once
/*
 * Options of the commands: one table of rows drives parsing and --help. Long options may be written --name VALUE or
 * --name=VALUE; letters may be joined (-46); "--" ends them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "model/select.h"
#include "source/source.h"

enum { INSPECT_FROM_MAX = 64 };

/* What every command that looks at connections understands. */
struct inspect_options {
    struct source_options source;
    struct selection selection;
    uint64_t confirm_ms; /* look a second time so long after; 0: once is enough */
    bool json;
    bool causes_only;     /* no findings are wanted, which look at more than the connections that were asked for */
    bool owners_if_stuck; /* where all is well, nobody wants to know who holds it */
    const char *from[INSPECT_FROM_MAX]; /* captures to look at instead of this host; "-": standard input */
    unsigned from_count;
    const char *tasks;  /* a list of processes that names the PIDs of such a capture, or NULL */
    bool names_source;  /* --source was given */
    bool needs_rows;    /* the command is about single connections: their numbers alone do not do */
    const char *config; /* the file to be judged by instead of the usual ones, or NULL */
};

struct option_row {
    char letter;       /* or 0 */
    const char *name;  /* without the dashes */
    const char *value; /* what its argument is called, or NULL: it takes none */
    const char *help;
    /* value is NULL for an option without one. Returns 0 or a negative errno with err filled. */
    int (*set)(void *target, const char *value, struct error *err);
    size_t flag; /* where there is no `set`: the offset of a bool in the target, which becomes true */
};

/* A part of a command's options: rows up to one without a name, and the struct that their setters get. */
struct option_group {
    const char *title; /* of the paragraph in --help */
    const struct option_row *rows;
    void *target;
    /* Where the target depends on what came before: the one for this row, or NULL with err filled. NULL: `target`. */
    void *(*choose)(void *target, const struct option_row *row, const char *value, struct error *err);
};

/* The rows of struct inspect_options: the selection, --source, --json. */
extern const struct option_row inspect_option_rows[];
/* The same but for --json: for output that has a form of its own, which monitoring systems read. */
enum { INSPECT_ROWS_MAX = 64 };
void inspect_rows_but_json(struct option_row ret_rows[INSPECT_ROWS_MAX]);
/* Whether one of these, or a copy of it, says which connections are meant, not how they are looked at. */
bool cmd_option_selects(const struct option_row *row);

/* Those of the rows that are named (up to NULL), in the rows' order, for a command that understands only some. */
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
    PARSE_HELP, /* --help was asked for and has been printed: the command returns STATUS_HEALTHY */
};

/*
 * Parses argv[1…] by the groups (up to one with rows NULL). What is not an option is moved to the front of argv + 1
 * and counted in *ret_operands. Returns a parse_result, or a negative errno with err filled.
 */
int options_parse(const struct command *command, const struct option_group *groups, int argc, char **argv,
    int *ret_operands, struct error *err);

/* The same for a command that takes nothing but options; the hint tells who gives it more what to do instead. */
int options_parse_only(const struct command *command, const struct option_group *groups, int argc, char **argv,
    const char *hint, struct error *err);

/* "10", "10s", "5m" as a time between two looks, at least that long. */
int cmd_set_interval(const char *value, uint64_t min_ms, uint64_t *ret_ms, struct error *err);

/* "tcpwhy: --pid: …" on stderr. Returns STATUS_FAILED, so that a command can return it. */
int cmd_fail(const struct command *command, const struct error *err);

/* The same about standard output, which could not be written to: a negative errno. */
int cmd_fail_to_write(const struct command *command, int result);

/* How to print on this stdout: terminal width (COLUMNS, the terminal, else 80), colour (NO_COLOR), UTF-8. */
struct report_style;
struct report_style cmd_style(FILE *out);
