#pragma once
/* CSV (RFC 4180) as it is read. */
#include "source/text/tokens.h"

/* One cell; quotes are taken off, doubled ones within are left. Returns where the next one begins, or NULL. */
const char *csv_scan_cell(const char *text, char separator, struct token *ret_cell);
