#pragma once
/*
 * Sockets that were seen twice. The kernel hands them out in batches and lets go of its tables in between; one that
 * changes its place meanwhile (a connection that becomes a TIME_WAIT mini-socket, say) may come again.
 */
#include "model/snapshot.h"

/*
 * Keeps one of each connection from index `first` on, the sight that came last: by cookie, or by both ends and inode
 * where the source knows no cookies. Returns 0 or -ENOMEM.
 */
int repeats_drop(struct snapshot *snapshot, size_t first);
