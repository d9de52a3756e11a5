#pragma once
/* What became of a row: a leak, a pile, load, or nothing. */
#include "diagnose/compare/table.h"
#include "model/diff.h"

/* Fills in what becomes of the row, from what the table counts of it. */
void diff_classify_row(const struct diff *diff, const struct diff_table *table, uint32_t index, struct diff_row *row);
/* The values, which grow, of the looks from `since` to `until` do so in the later half of the time too. */
bool diff_goes_on(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until);
/* Enough growth, or enough time, to be more than a moment's chance. */
bool diff_is_enough(const struct diff *diff, uint64_t growth, unsigned since, unsigned until);
/* Thousandths a minute over these looks, by least squares; 0 without times. */
int64_t diff_slope(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until);
