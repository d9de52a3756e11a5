#pragma once
/* Reads the lines that numbers_found.h is about. */
#include <stdbool.h>

#include "source/capture/format.h"

/* LINE_ROW where it is one of these; else LINE_OTHER. Adds totals to the snapshot, and keeps the rest. */
enum line_kind numbers_line(struct capture *capture, const struct line *line);
/* What some line tells of the system; the first word counts. */
void numbers_note_os(struct capture *capture, const char *os);
/* When all lines are read: puts counters and settings where they belong. */
void numbers_settle(struct capture *capture);

/* The kinds, each in its file: whether the line is one. */
bool state_counts_line(struct capture *capture, const struct line *line);
bool counter_line(struct capture *capture, const struct line *line);
bool log_line(struct capture *capture, const struct line *line);
bool setting_line(struct capture *capture, const struct line *line);
bool ended_line(struct capture *capture, const struct line *line);
/* When all is read, a list of processes too: marks the processes that have ended. */
void ended_settle(struct capture *capture);

/* How sure it is that these lines are all that a text has: never as sure as of rows. */
unsigned numbers_recognise(const struct format *self, const char *bytes, size_t length, bool repairs);
