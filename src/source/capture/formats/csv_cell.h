#pragma once
/* Reads CSV (RFC 4180). */
#include "source/text/tokens.h"

/*
 * Reads one cell without its quotes; doubled quotes inside remain doubled. Returns where the next cell begins, or NULL.
 */
const char *csv_scan_cell(const char *text, char separator, struct token *ret_cell);
