#pragma once
/* The verdict of a comparison, and the sentence about it. */
#include "model/diff.h"

/* Fills in diff->verdict and diff->title. Rows and processes must be filled in before. */
void diff_describe(struct diff *diff);
