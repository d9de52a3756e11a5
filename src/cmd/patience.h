#pragma once
/* The deadline of commands that read connections: --timeout. The monitoring plugin has its own. */
#include "cmd/deadline.h"
#include "cmd/inspect_options.h"
#include "cmd/options.h"

/*
 * Starts the clock. With a capture from standard input it starts when the first byte comes, because somebody may have
 * to type a password before (`ssh host tcpwhy capture | tcpwhy -`); with a terminal there, where somebody pastes, it
 * does not start at all. Returns 0, or a negative errno with err filled. The caller calls deadline_answer() when it has
 * read everything.
 */
int cmd_begin_deadline(
    const struct command *command, const struct inspect_options *options, struct deadline *deadline, struct error *err);
