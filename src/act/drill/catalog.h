#pragma once
/* The table of drills: for each drill its two sides, and the texts that describe it to the user. */
#include "act/drill/drill.h"

/* Returns all drills, in the order of the catalogue of findings. */
const struct drill *drill_table(unsigned *ret_count);
/* Returns the drill of a finding, or NULL. */
const struct drill *drill_find(const char *finding);
