#pragma once
/* Describes the processes of a snapshot from /proc. */
#include "model/snapshot.h"

/*
 * Sets name, command, user, parent, state, age, descriptor limits, unit, container and cgroup of every process of the
 * snapshot. A process that has ended meanwhile gets the name "(gone)". walked_ms: the time when the walk over /proc
 * ended (CLOCK_BOOTTIME). A process that started later is another process with the same pid: it counts as gone.
 */
void processes_describe(struct snapshot *snapshot, uint64_t walked_ms);

/*
 * Finds where the threads wait (process->waits). It looks only at processes that hold a connection which may be stuck
 * because the process does nothing: a connection in CLOSE_WAIT, a listener with connections in its queue, or an
 * established connection whose data has not been read for 30 s.
 */
void processes_find_waits(struct snapshot *snapshot);

/*
 * Sets holder->close_on_exec for descriptors of connections in CLOSE_WAIT. It does so only for a process that runs
 * another program than its parent, if the parent is in the snapshot too.
 */
void processes_find_close_on_exec(struct snapshot *snapshot);

/* Returns the container that a process belongs to, in the snapshot's arena, or NULL. */
const char *processes_container_of(struct snapshot *snapshot, uint32_t pid);
