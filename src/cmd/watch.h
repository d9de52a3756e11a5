#pragma once
/* tcpwhy diagnose --watch: repeats the report. */
#include "cmd/inspect.h"
#include "report/report.h"

/*
 * Prints a report every interval_ms until SIGINT or SIGTERM. On a terminal each report replaces the one before; it is
 * cut to the height of the screen and printed again if the size changes. Elsewhere the reports follow one another; with
 * --json each is one line. Returns the last verdict as an exit status, or STATUS_FAILED after printing the reason.
 */
int cmd_watch(const struct command *command, const struct inspect_options *inspection,
    const struct report_options *report, uint64_t interval_ms);
