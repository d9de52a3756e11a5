#pragma once
/* The parts of the text report, from top to bottom. Each begins and ends on an empty line. */
#include "report/terminal/flow.h"

/* The columns of labels, of the text beside them, and of the values in the block of processes. */
enum { LABEL_COLUMN = 2, BODY_COLUMN = 14, VALUE_COLUMN = 27 };

enum style text_severity_style(enum severity severity);
/* Starts a block: writes the label. The text begins at BODY_COLUMN and continues there. */
void text_label(struct flow *flow, const char *label);
/* Writes a block of the first `most` lines, with bullets if there are several; writes nothing if there are none. */
void text_lines(struct flow *flow, const char *label, const struct lines *lines, size_t most);

/* Writes the lines about the host and the snapshot. */
void text_headline(struct flow *flow, const struct diagnosis *diagnosis, const char *version);
/* Writes the verdict, with the title of the worst finding and how many there are. */
void text_whole_verdict(struct flow *flow, const struct diagnosis *diagnosis);
/* Starts the line of the verdict. The text begins after the word and continues there. */
void text_verdict(struct flow *flow, enum verdict verdict);
/* Writes the gaps and their remedies; writes nothing if there are no gaps. */
void text_gaps(struct flow *flow, const struct gap *gaps, size_t count);

/* Writes the number of connections in each state, with bars, and its change since `previous` (or NULL). */
void text_states(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous);
/* One line for each finding, so that twenty fit on a screen; nothing if there is none. */
void text_index(struct flow *flow, const struct diagnosis *diagnosis, const struct report_options *options);
/* The card of a finding: all that is known, or the short form that fits on a screen. `number` counts from 1. */
void text_finding(struct flow *flow, const struct diagnosis *diagnosis, size_t number,
    const struct report_options *options, bool is_short);
/* The short card with who has to do what first, then why: for a screen of 24 rows. */
void text_finding_steps(
    struct flow *flow, const struct diagnosis *diagnosis, size_t number, const struct report_options *options);
/* The block of processes, service and peers. */
void text_who(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding, bool is_short);
/* Writes the block of single connections. Without `all`, it is written only if there are few. */
void text_conns(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding, bool all);
