#pragma once
/* The same connections in two looks. */
#include "model/snapshot.h"

/*
 * For each connection of `now` the index of the same one in `then`, or NO_INDEX: both ends are the same, and so is the
 * cookie where both looks have it. The caller frees the array; NULL without memory.
 */
uint32_t *diff_match(const struct snapshot *then, const struct snapshot *now);
