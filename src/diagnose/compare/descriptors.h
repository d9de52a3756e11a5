#pragma once
/* Open descriptors of processes over the snapshots. */
#include "diagnose/compare/builder.h"

/* The processes of the last look that hold what was selected, and whose open descriptors every look knows. */
void diff_find_processes(struct diff_builder *builder);
