#pragma once
/* What a person has to know of a capture: what was read, what was not, what to ask for instead. */
#include "source/capture/format.h"

/*
 * Notes the gaps, and where the snapshot comes from. Returns 0, or -EBADMSG with err filled: fewer rows were understood
 * than not.
 */
int capture_report(struct capture *capture, const char *path, struct error *err);
/* Notes only the lines that were not understood. */
void capture_report_lines(struct capture *capture);
/* Says what the bytes look like and what is accepted. Returns -EBADMSG. */
int capture_refuse(const char *path, const char *bytes, size_t length, struct error *err);
