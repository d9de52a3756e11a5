#pragma once
/* The cross table: how many connections each process has with each service in each state, in each snapshot. */
#include "diagnose/compare/builder.h"

/* Fills builder->cross_table with the selected connections, and the totals of builder->diff. */
void diff_count_cross_table(struct diff_builder *builder);
