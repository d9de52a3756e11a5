#pragma once
/* Writes a diagnosis for people (text) and for programs (JSON). It makes no decisions about findings. */
#include <stdbool.h>
#include <stdio.h>

#include "model/diagnosis.h"

struct report_style {
    unsigned width; /* columns; at least 60 */
    bool colour;    /* ANSI colours */
    bool utf8;      /* bars and bullets beyond ASCII */
};

/* How much of the findings the text report tells. JSON tells everything. */
enum report_detail {
    REPORT_SHORT, /* the index, and short cards of the first REPORT_CARDS */
    REPORT_BRIEF, /* the index only */
    REPORT_WHOLE, /* whole cards of all */
};
enum { REPORT_CARDS = 3 };

struct report_options {
    const char *tool_version;
    struct report_style style; /* text only */
    enum report_detail detail; /* text only */
    unsigned only;             /* text only: the number of the one finding to be shown, whole; 0: see `detail` */
    /* Text only, each NULL or options for commands that are printed: " --netns web". */
    const char *arguments;      /* the same report again */
    const char *list_arguments; /* the same connections, but for their cause */
    const char *from_arguments; /* all connections of the same host or capture */
    size_t chosen;              /* text only: the number of the finding that is marked in the index; 0: none */
    bool all_connections;       /* list every connection of a finding, not a sample; shows whole cards */
    bool compact;               /* JSON on one line */
    /* Text only: the previous diagnosis, to show what has changed since; or NULL. */
    const struct diagnosis *previous;
};

/* The readable report. Returns 0 or the first write error as a negative errno. */
int report_text(const struct diagnosis *diagnosis, const struct report_options *options, FILE *out);
/* tcpwhy.diagnosis/1: docs/schema/diagnosis-1.json. Returns 0 or the first write error as a negative errno. */
int report_json(const struct diagnosis *diagnosis, const struct report_options *options, FILE *out);

/* How many connections of a finding JSON shows without all_connections. */
enum { REPORT_SAMPLE = 20 };
