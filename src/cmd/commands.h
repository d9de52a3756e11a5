#pragma once
/* The commands. Each has a file of its own. */
#include <stdbool.h>

#include "cmd/options.h"

extern const struct command command_diagnose;
extern const struct command command_list;
extern const struct command command_count;
extern const struct command command_metrics;
extern const struct command command_check;
extern const struct command command_config;
extern const struct command command_capture;
extern const struct command command_diff;
extern const struct command command_explain;
extern const struct command command_drill;
extern const struct command command_help;
extern const struct command command_version;

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);
/* True if the word of "tcpwhy WORD" is the number of a finding, a file or "-". */
bool command_diagnose_takes(const char *word);
/* Prints on stderr that the command does not exist, and the most similar names. Returns STATUS_FAILED. */
int command_unknown(const char *name);
