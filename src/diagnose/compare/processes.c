#include "diagnose/compare/processes.h"

#include <string.h>

#include "base/hash.h"

void diff_processes_init(struct diff_processes *pids, const struct snapshot *snapshot)
{
    pids->snapshot = snapshot;
    hash_index_init(&pids->table, snapshot->process_count);
    for (size_t i = 0; i < snapshot->process_count; i++)
        hash_index_add(&pids->table, hash_number(snapshot->processes[i].pid), (uint32_t)i);
}

void diff_processes_deinit(struct diff_processes *pids)
{
    hash_index_deinit(&pids->table);
}

const struct process *diff_processes_find(const struct diff_processes *pids, uint32_t pid)
{
    struct hash_walk walk = hash_index_walk(&pids->table, hash_number(pid));
    uint32_t index;
    while (pid != 0 && (index = hash_walk_next(&pids->table, &walk)) != HASH_NONE) {
        if (pids->snapshot->processes[index].pid == pid)
            return &pids->snapshot->processes[index];
    }
    return NULL;
}

static bool differ(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) != 0;
}

/*
 * True if the two snapshots show two processes that had the same PID one after the other. The first process of a
 * container, for example, always has PID 1. The start times decide: the time of the snapshot minus the running time.
 * The tolerance allows for rounding and small corrections of the clock. Command lines are compared only if a start time
 * is not known, because a program may change its command line while it runs, as PostgreSQL does.
 */
static bool was_restarted(
    const struct snapshot *then, const struct process *before, const struct snapshot *now, const struct process *after)
{
    enum { TOLERANCE_MS = 5000 };
    if (before->running_ms == 0 || after->running_ms == 0)
        return differ(before->command, after->command);
    if (then->origin != NULL || now->origin != NULL) /* a capture as text does not contain its time */
        return after->running_ms < before->running_ms;
    int64_t moved = (int64_t)(now->taken_at_ms - after->running_ms) - (int64_t)(then->taken_at_ms - before->running_ms);
    return moved > TOLERANCE_MS || moved < -TOLERANCE_MS;
}

const struct process *diff_same_process(
    const struct diff_processes *then, const struct snapshot *now, const struct process *process)
{
    const struct process *before = diff_processes_find(then, process->pid);
    if (before == NULL || differ(before->name, process->name))
        return NULL;
    return was_restarted(then->snapshot, before, now, process) ? NULL : before;
}
