#pragma once
/* Finds the same process in two snapshots. */
#include "base/hash_index.h"
#include "model/snapshot.h"

/* The processes of a snapshot, by PID. The snapshot must outlive it. */
struct diff_processes {
    const struct snapshot *snapshot;
    struct hash_index table;
};

void diff_processes_init(struct diff_processes *pids, const struct snapshot *snapshot);
void diff_processes_deinit(struct diff_processes *pids);
/* NULL if there is none. PID 0 stands for an unknown PID. */
const struct process *diff_processes_find(const struct diff_processes *pids, uint32_t pid);
/*
 * Finds a process of the snapshot `now` in the snapshot `then`. NULL if `then` has no process with its PID, or if that
 * was another process: the name differs, or the process was restarted in between.
 */
const struct process *diff_same_process(
    const struct diff_processes *then, const struct snapshot *now, const struct process *process);
