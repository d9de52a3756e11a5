#pragma once
/* How the number of open descriptors of each process changes over the snapshots. */
#include "diagnose/compare/builder.h"

/*
 * Fills in diff->processes: the processes of the last snapshot that hold selected connections and whose number of open
 * descriptors is known from every snapshot. Needs the cross table and the rows.
 */
void diff_find_processes(struct diff_builder *builder);
