#pragma once
/* The same process in two snapshots. */
#include "base/hash_index.h"
#include "model/snapshot.h"

/* A snapshot, and its processes by their PIDs. */
struct diff_pids {
    const struct snapshot *snapshot;
    struct index_table table;
};

/* Returns 0 or -ENOMEM. */
int diff_pids_init(struct diff_pids *pids, const struct snapshot *snapshot);
void diff_pids_deinit(struct diff_pids *pids);
const struct process *diff_pids_find(const struct diff_pids *pids, uint32_t pid);
/* What this process of another look was then; NULL: it was not there, or has been started again since. */
const struct process *diff_same_process(
    const struct diff_pids *then, const struct snapshot *now, const struct process *process);
