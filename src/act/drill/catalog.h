#pragma once
/* Which drills there are: the sides of each, and what a person is told of it. */
#include "act/drill/drill.h"

/* The drills, in the order of the catalogue of findings. */
const struct drill *drill_table(unsigned *ret_count);
/* NULL where there is none for that finding. */
const struct drill *drill_find(const char *finding);
