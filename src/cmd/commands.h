#pragma once
/* The commands, one file each. */
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

/* NULL where there is none of that name. */
const struct command *command_find(const char *name);
/* Says so on stderr, with the nearest names. Returns STATUS_FAILED. */
int command_unknown(const char *name);
