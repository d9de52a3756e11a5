#pragma once
/* Counts connections of one process, service and state in each snapshot. */
#include "diagnose/compare/builder.h"

void diff_count_cross_table(struct diff_builder *builder);
