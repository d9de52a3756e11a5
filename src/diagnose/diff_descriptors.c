/* How fast processes take descriptors, and when that comes to their limit. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/index_table.h"
#include "diagnose/diff.h"

enum { MINUTE_MS = 60 * 1000 };

/* The line through the points that is nearest to them: least squares. */
int64_t diff_slope(const struct diff *diff, const uint64_t *values)
{
    if (!diff->times_known)
        return 0;
    double count = (double)diff->look_count, time_sum = 0, value_sum = 0, above = 0, below = 0;
    uint64_t start = diff->looks[0].taken_at_ms;
    for (size_t i = 0; i < diff->look_count; i++) {
        time_sum += (double)(diff->looks[i].taken_at_ms - start) / MINUTE_MS;
        value_sum += (double)values[i];
    }
    for (size_t i = 0; i < diff->look_count; i++) {
        double time = (double)(diff->looks[i].taken_at_ms - start) / MINUTE_MS - time_sum / count;
        above += time * ((double)values[i] - value_sum / count);
        below += time * time;
    }
    double per_minute = below > 0 ? above / below * 1000 : 0;
    return (int64_t)(per_minute < 0 ? per_minute - 0.5 : per_minute + 0.5);
}

/* A snapshot, and its processes by their PIDs. */
struct look {
    const struct snapshot *snapshot;
    struct index_table pids;
};

static int look_init(struct look *look, const struct snapshot *snapshot)
{
    look->snapshot = snapshot;
    int result = index_table_init(&look->pids, snapshot->process_count);
    for (size_t i = 0; result == 0 && i < snapshot->process_count; i++)
        index_table_add(&look->pids, hash_mix(snapshot->processes[i].pid), (uint32_t)i);
    return result;
}

static const struct process *by_pid(const struct look *look, uint32_t pid)
{
    struct index_walk walk = index_table_walk(&look->pids, hash_mix(pid));
    uint32_t index;
    while ((index = index_walk_next(&look->pids, &walk)) != INDEX_NONE) {
        if (look->snapshot->processes[index].pid == pid)
            return &look->snapshot->processes[index];
    }
    return NULL;
}

/* The process of another look that this one was; a PID may have been given to another since. */
static const struct process *same_process(const struct look *look, const struct process *process)
{
    const struct process *then = process->pid != 0 ? by_pid(look, process->pid) : NULL;
    if (then == NULL || (then->name == NULL) != (process->name == NULL))
        return NULL;
    bool renamed = then->name != NULL && strcmp(then->name, process->name) != 0;
    bool restarted = then->running_ms != 0 && process->running_ms != 0 && process->running_ms < then->running_ms;
    return renamed || restarted ? NULL : then;
}

static bool look_at_process(const struct diff *diff, const struct look *looks, size_t count,
    const struct process *process, struct diff_process *ret_process)
{
    uint64_t open[DIFF_LOOKS_MOST] = { 0 };
    for (size_t i = 0; i < count; i++) {
        const struct process *then = same_process(&looks[i], process);
        if (then == NULL || then->fds_open == 0)
            return false;
        open[i] = then->fds_open;
    }
    int64_t pace = diff_slope(diff, open);
    struct diff_process result = {
        .process = process,
        .fds_first = (uint32_t)open[0],
        .fds_last = process->fds_open,
        .millis_per_minute = pace,
    };
    bool limited = process->fds_limit != 0 && process->fds_limit != UINT32_MAX &&
        process->fds_limit > process->fds_open;
    result.ends = limited && pace > 0 && process->fds_open > open[0];
    if (result.ends)
        result.ends_ms = (uint64_t)(process->fds_limit - process->fds_open) * 1000 * MINUTE_MS / (uint64_t)pace;
    *ret_process = result;
    return true;
}

static int soonest_first(const void *a, const void *b)
{
    const struct diff_process *one = a, *other = b;
    if (one->ends != other->ends)
        return one->ends ? -1 : 1;
    if (one->ends && one->ends_ms != other->ends_ms)
        return one->ends_ms < other->ends_ms ? -1 : 1;
    if (one->millis_per_minute != other->millis_per_minute)
        return one->millis_per_minute > other->millis_per_minute ? -1 : 1;
    return one->process->pid < other->process->pid ? -1 : one->process->pid > other->process->pid;
}

int diff_find_processes(const struct snapshot *looks, size_t count, const bool *concerned, struct diff *diff)
{
    const struct snapshot *last = &looks[count - 1];
    struct look by_pids[DIFF_LOOKS_MOST] = { 0 };
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = look_init(&by_pids[i], &looks[i]);
    diff->processes = arena_alloc(&diff->arena, last->process_count * sizeof *diff->processes);
    for (size_t i = 0; i < last->process_count && result == 0; i++)
        diff->process_count += concerned[i] &&
            look_at_process(diff, by_pids, count, &last->processes[i], &diff->processes[diff->process_count]);
    for (size_t i = 0; i < count; i++)
        index_table_deinit(&by_pids[i].pids);
    if (diff->process_count > 1)
        qsort(diff->processes, diff->process_count, sizeof *diff->processes, soonest_first);
    return result;
}
