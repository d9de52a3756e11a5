#pragma once
/* Writes the comparison of several snapshots of one host: as text and as JSON (tcpwhy.diff/1). */
#include "model/diff.h"
#include "report/report.h"

struct diff_report_options {
    const char *tool_version;
    struct report_style style; /* text only */
    bool all;                  /* text: all rows; if false, only the first rows that change */
};

/* Each returns 0 or the first write error as a negative errno. */
int diff_text(const struct diff *diff, const struct diff_report_options *options, FILE *out);
/* docs/schema/diff-1.json */
int diff_json(const struct diff *diff, const struct diff_report_options *options, FILE *out);
