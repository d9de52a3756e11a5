#pragma once
/*
 * Parses the options of the commands. One table of rows drives the parser and --help. A long option is written --name
 * VALUE or --name=VALUE. Letters can be joined (-46). "--" ends the options.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cmd/inspect_options.h"
#include "cmd/option.h"

struct command {
    const char *name;
    const char *summary;                                           /* one line for `tcpwhy help` */
    const char *synopsis;                                          /* "tcpwhy list [OPTIONS]" */
    const char *details;                                           /* paragraphs for --help, or NULL */
    const char *examples;                                          /* lines "command\n    what it does", or NULL */
    int (*run)(const struct command *self, int argc, char **argv); /* argv[0] is the command's name; exit status */
};

enum { STATUS_HEALTHY = 0, STATUS_WARNING = 1, STATUS_CRITICAL = 2, STATUS_FAILED = 3 };

/*
 * Parses argv[1…] by the groups; the last group has `rows` NULL. Operands are moved to the front of argv + 1 and
 * counted in *ret_operands. Returns a parse_result, or a negative errno with err filled.
 */
int options_parse(const struct command *command, const struct option_group *groups, int argc, char **argv,
    int *ret_operands, struct error *err);

/*
 * As options_parse(), for a command that takes no operands, but for a filter of ss if the command selects connections.
 * If there is another one, the error ends with the hint.
 */
int options_parse_only(const struct command *command, const struct option_group *groups, int argc, char **argv,
    const char *hint, struct error *err);

/* Prints the error on stderr: "tcpwhy list: --pid: …". Returns STATUS_FAILED, so that a command can return it. */
int cmd_fail(const struct command *command, const struct error *err);

/* As cmd_fail(), for standard output that cannot be written; `result` is a negative errno. */
int cmd_fail_to_write(const struct command *command, int result);
