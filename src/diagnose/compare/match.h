#pragma once
/* Finds the same connections in two snapshots. */
#include "model/snapshot.h"

/*
 * Returns an array with an element for each connection of `now`: the index of the same connection in `then`, or
 * NO_INDEX. Two connections are the same if both ends are equal, and also namespace and cookie if both snapshots have
 * them. The caller frees the array.
 */
uint32_t *diff_match(const struct snapshot *then, const struct snapshot *now);
