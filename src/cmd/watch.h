#pragma once
/* The report again and again: tcpwhy diagnose --watch. */
#include "cmd/inspect.h"
#include "report/report.h"

/*
 * Reports every interval_ms until it is interrupted (SIGINT, SIGTERM): on a terminal on one screen, cut to its height
 * and made anew when its size changes; otherwise one report after another, in JSON a document a line. Returns the last
 * verdict as an exit status, or STATUS_FAILED after saying why.
 */
int cmd_watch(const struct command *command, const struct inspect_options *inspection,
    const struct report_options *report, uint64_t interval_ms);
