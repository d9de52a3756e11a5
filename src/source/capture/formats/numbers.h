#pragma once
/* Reads the lines that numbers_found.h describes. */
#include <stdbool.h>

#include "source/capture/format.h"

/* LINE_ROW if it is one of these lines, else LINE_OTHER. Adds totals to the snapshot and stores the rest. */
enum line_kind numbers_line(struct capture *capture, const struct line *line);
/* Sets the system that a line shows, unless an earlier line has set it. */
void numbers_note_os(struct capture *capture, const char *os);
/* Call it when all lines are read. Stores counters and settings in the snapshot. */
void numbers_settle(struct capture *capture);

/* One function for each kind of line, each in a file of its own. True if the line is of that kind. */
bool state_counts_line(struct capture *capture, const struct line *line);
bool counter_line(struct capture *capture, const struct line *line);
bool log_line(struct capture *capture, const struct line *line);
bool setting_line(struct capture *capture, const struct line *line);
bool ended_line(struct capture *capture, const struct line *line);
/* Reads a line about the descriptors of a process. */
bool descriptor_line(struct capture *capture, const struct line *line);
/* Call it when all lines are read. Assigns the descriptors, and their limit, to processes. */
void descriptors_settle(struct capture *capture);
/* Reads a line that is a date and a time, as Get-Date prints it. */
bool moment_line(struct capture *capture, const struct line *line);
/*
 * Call it when all lines are read. Where the text tells when it was made, the connections whose CreationTime was read
 * get the time since then.
 */
void moments_settle(struct capture *capture);
/* Call it when all lines and any list of processes are read. Marks the processes that have ended. */
void ended_settle(struct capture *capture);

/* The score of these lines for a text. It is always lower than that of rows. */
unsigned numbers_recognise(const struct format *self, const char *bytes, size_t length, bool repairs);
