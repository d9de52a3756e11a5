#pragma once
/* What /proc tells of the processes that hold TCP sockets. */
#include "model/snapshot.h"

/*
 * Fills in name, command, user, parent, state, age, descriptor limit, unit, container and cgroup of every process of
 * the snapshot. One that has gone meanwhile is called "(gone)". walked_ms: when the walk over /proc ended
 * (CLOCK_BOOTTIME); a process that started later is another one with the same number.
 */
void processes_describe(struct snapshot *snapshot, uint64_t walked_ms);

/*
 * Notes where the threads of those processes wait that hold connections which may be stuck because nobody acts:
 * closed by the peer, or a listener with connections waiting.
 */
void processes_find_waits(struct snapshot *snapshot);

/*
 * Notes which descriptors of connections in CLOSE_WAIT are closed on exec, for processes that run another program than
 * the parent that has TCP sockets too.
 */
void processes_find_close_on_exec(struct snapshot *snapshot);

/* The container that a process belongs to, in the snapshot's arena, or NULL. */
const char *processes_container_of(struct snapshot *snapshot, uint32_t pid);
