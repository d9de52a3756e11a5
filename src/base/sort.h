#pragma once
/*
 * Sorting of an array of indexes: stable, linear in memory, and the comparison gets its context (qsort() has none).
 */
#include <stddef.h>
#include <stdint.h>

typedef int (*sort_compare)(const void *context, uint32_t a, uint32_t b); /* <0, 0, >0 */

void sort_indexes(uint32_t *indexes, size_t count, sort_compare compare, const void *context);

/* The element that would stand at `rank` (below count) were the numbers sorted. Reorders them; linear on average. */
uint64_t sort_select(uint64_t *numbers, size_t count, size_t rank);
