#pragma once
/*
 * Cells of a CSV table (RFC 4180) that is safe to open: control characters are escaped as text_escape() does, so that
 * a record is one line, and text that a spreadsheet would take for a formula (it starts with = + - @) gets an
 * apostrophe before it. Records end with CRLF: csv_end_record().
 */
#include "base/buf.h"

/* Words from outside: escaped, made harmless, quoted where RFC 4180 wants it. */
void csv_text(struct buf *out, const char *text);
void csv_end_record(struct buf *out);
