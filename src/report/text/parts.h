#pragma once
/* The parts of the text report, top to bottom. Each starts and ends on an empty line. */
#include "report/terminal/flow.h"

/* Columns that labels start at, and what stands beside them. */
enum { LABEL_COLUMN = 2, BODY_COLUMN = 14, VALUE_COLUMN = 27 };

enum style text_severity_style(enum severity severity);
/* Starts a block: the label, and the sheet at BODY_COLUMN, where broken lines go on. */
void text_label(struct flow *flow, const char *label);
/* Writes a block of lines, with bullets if there are several; writes nothing if there are none. */
void text_lines(struct flow *flow, const char *label, const struct lines *lines);

/* Starts the line of the verdict: its word, and the sheet behind it, where broken lines go on. */
void text_verdict(struct flow *flow, enum verdict verdict);
/* Writes the gaps and their remedies; writes nothing if there are no gaps. */
void text_gaps(struct flow *flow, const struct gap *gaps, size_t count);

/*
 * How many connections there are in each state, with bars; and by how many more or fewer than in `previous` (or NULL).
 */
void text_states(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous);
/* A finding with all its blocks. `number` counts from 1. */
void text_finding(
    struct flow *flow, const struct diagnosis *diagnosis, size_t number, const struct report_options *options);
/* The block of processes, service and peers. */
void text_who(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding);
/* The block of single connections: all, or the oldest few where there are only few. */
void text_conns(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding, bool all);
