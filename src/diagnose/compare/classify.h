#pragma once
/* Classifies the rows of a comparison: a leak, a pile, load, or no change. diff.c explains the rules. */
#include "diagnose/compare/table.h"
#include "model/diff.h"

/* Fills in kind, slopes and warning of a row. `index` is the row's place in the table; its counts are the input. */
void diff_classify_row(const struct diff *diff, const struct diff_table *table, uint32_t index, struct diff_row *row);
/* True if at least a quarter of the growth between these two snapshots happened in the second half of the time. */
bool diff_goes_on(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until);
/* True if the growth is large enough, or the time between these snapshots long enough, to be more than chance. */
bool diff_is_enough(const struct diff *diff, uint64_t growth, unsigned since, unsigned until);
/* The slope of the values between these snapshots, in thousandths a minute. 0 if the times are not known. */
int64_t diff_slope(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until);
