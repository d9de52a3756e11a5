#pragma once
/* Tells the reader what was read from a capture, what was not, and what to ask for instead. */
#include "source/capture/format.h"

/*
 * Notes the gaps and the origin of the snapshot. Returns 0, or -EBADMSG with err filled if more rows were damaged than
 * understood.
 */
int capture_report(struct capture *capture, const char *path, struct error *err);
/* Notes only the lines that were not understood. */
void capture_report_lines(struct capture *capture);
