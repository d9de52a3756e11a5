#pragma once
/* Makes the rows of a comparison from the cross table. */
#include "diagnose/compare/builder.h"

/* Fills in diff->rows, worst first, and builder->leaks. Needs the cross table. */
void diff_make_rows(struct diff_builder *builder);
