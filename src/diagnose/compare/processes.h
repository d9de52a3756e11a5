#pragma once
/* The same process in two snapshots. */
#include "base/hash_index.h"
#include "model/snapshot.h"

/* A snapshot, and its processes by their PIDs. */
struct diff_processes {
    const struct snapshot *snapshot;
    struct hash_index table;
};

void diff_processes_init(struct diff_processes *pids, const struct snapshot *snapshot);
void diff_processes_deinit(struct diff_processes *pids);
const struct process *diff_processes_find(const struct diff_processes *pids, uint32_t pid);
/* What this process of another look was then; NULL: it was not there, or has been started again since. */
const struct process *diff_same_process(
    const struct diff_processes *then, const struct snapshot *now, const struct process *process);
