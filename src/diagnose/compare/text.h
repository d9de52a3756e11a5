#pragma once
/* The verdict of a comparison in words. */
#include "model/diff.h"

/* The verdict and the title, when all else is filled in. */
void diff_describe(struct diff *diff);
