#pragma once
/*
 * Sorts an array of indexes. The sort is stable and needs memory for a copy of the array. Unlike qsort(), it passes a
 * context to the comparison.
 */
#include <stddef.h>
#include <stdint.h>

typedef int (*sort_compare)(const void *context, uint32_t a, uint32_t b); /* <0, 0, >0 */

void sort_indexes(uint32_t *indexes, size_t count, sort_compare compare, const void *context);

/* Returns the number at index `rank` (below count) of the sorted order. Reorders the numbers; linear on average. */
uint64_t sort_select(uint64_t *numbers, size_t count, size_t rank);
