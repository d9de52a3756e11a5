#pragma once
/*
 * Cells of a CSV table (RFC 4180) that is safe to open in a spreadsheet. Control characters are escaped as by
 * text_escape(), so each record is one line. Text that a spreadsheet would take for a formula (it starts with = + - @)
 * gets an apostrophe before it.
 */
#include "base/buf.h"

/* Appends one cell. `text` may come from outside. */
void csv_text(struct buf *out, const char *text);
/* Appends CRLF. */
void csv_end_record(struct buf *out);
