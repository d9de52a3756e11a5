#include "diagnose/compare/descriptors.h"

#include "diagnose/compare/classify.h"
/*
 * Computes how fast a process opens descriptors, and when it will reach its limit. A busy server opens and closes many.
 * So growth is extrapolated only under two conditions: it goes on in the second half of the time, and what grows will
 * stay. That is: connections that leak or pile up, or descriptors that are not TCP sockets.
 */

#include <stdlib.h>

#include "base/memory.h"

#include "model/holders.h"

enum {
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    CERTAIN_SPAN_MS = 30 * 1000, /* CRITICAL needs at least this time … */
    CERTAIN_GROWTH = 10,         /* … and this growth … */
    NEAR_PERCENT = 90,           /* … unless this share of the limit is in use */
};

/* The numbers of one process in all snapshots. */
struct course {
    const struct process *process; /* in the last snapshot */
    uint32_t open[DIFF_SNAPSHOTS_MAX];
    uint32_t other[DIFF_SNAPSHOTS_MAX]; /* descriptors that are not TCP sockets */
    bool leaks;                         /* some of its connections leak or pile up */
};

/* Counts the descriptors for TCP sockets of each process. The caller frees the array. */
static uint32_t *count_held(const struct snapshot *snapshot)
{
    uint32_t *held = xcalloc(snapshot->process_count + 1, sizeof *held);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        for (const struct holder *h = holders_first(snapshot, &snapshot->conns[i]); h != NULL;
             h = holders_next(snapshot, h))
            held[h->process]++;
    }
    return held;
}

/* Fills in the numbers. False if the process, or its number of descriptors, is missing in one of the snapshots. */
static bool fill_course(const struct diff_builder *builder, uint32_t *const *held, struct course *course)
{
    for (size_t i = 0; i < builder->count; i++) {
        const struct process *then = diff_same_process(&builder->pids[i], builder->diff->last, course->process);
        if (then == NULL || then->fds_open == 0)
            return false;
        uint32_t sockets = held[i][then - builder->snapshots[i]->processes];
        course->open[i] = then->fds_open;
        course->other[i] = then->fds_open > sockets ? then->fds_open - sockets : 0;
    }
    return true;
}

/* True if the growth will stay: connections leak, or at least half of it is other descriptors, which go on growing. */
static bool is_lasting(const struct diff *diff, const struct course *course, uint32_t growth)
{
    unsigned last = (unsigned)diff->snapshot_count - 1;
    uint32_t first_other = course->other[0], last_other = course->other[last];
    if (course->leaks)
        return true;
    return last_other > first_other && (last_other - first_other) * 2 >= growth &&
        diff_goes_on(diff, course->other, 0, last);
}

static enum verdict verdict_of(const struct diff *diff, const struct diff_process *process)
{
    uint32_t limit = process->process->fds_limit;
    bool certain = diff->snapshot_count > 2 && diff->apart_ms >= CERTAIN_SPAN_MS &&
        process->fds_last - process->fds_first >= CERTAIN_GROWTH;
    bool near = (uint64_t)process->fds_last * 100 >= (uint64_t)limit * NEAR_PERCENT;
    if (process->ends_ms < HOUR_MS)
        return certain || near ? VERDICT_CRITICAL : VERDICT_WARNING;
    return certain && process->ends_ms < DAY_MS ? VERDICT_WARNING : VERDICT_HEALTHY;
}

static struct diff_process assess_process(const struct diff *diff, const struct course *course)
{
    const struct process *process = course->process;
    unsigned last = (unsigned)diff->snapshot_count - 1;
    struct diff_process result = {
        .process = process,
        .fds_first = course->open[0],
        .fds_last = process->fds_open,
        .millis_per_minute = diff_slope(diff, course->open, 0, last),
    };
    if (process_has_limit(process) && process->fds_open >= process->fds_limit) {
        result.ends = true;
        result.verdict = VERDICT_CRITICAL;
        return result;
    }
    uint32_t growth = result.fds_last > result.fds_first ? result.fds_last - result.fds_first : 0;
    result.ends = process_has_limit(process) && result.millis_per_minute > 0 && growth >= DIFF_CHANGE_MIN &&
        diff_goes_on(diff, course->open, 0, last) && diff_is_enough(diff, growth, 0, last) &&
        is_lasting(diff, course, growth);
    if (result.ends) {
        result.ends_ms = (uint64_t)(process->fds_limit - process->fds_open) * 1000 * MINUTE_MS /
            (uint64_t)result.millis_per_minute;
        result.verdict = verdict_of(diff, &result);
    }
    return result;
}

/*
 * Marks the processes of the last snapshot that hold selected connections, and those whose connections leak or pile up.
 */
static void mark_processes(const struct diff_builder *builder, bool *concerned, bool *leaks)
{
    size_t number = builder->count - 1;
    const struct snapshot *last = builder->snapshots[number];
    for (size_t i = 0; i < last->conn_count; i++) {
        const struct diff_track *track = &builder->tracks.items[builder->tracks.of[number][i]];
        if (track->seen_snapshot != number)
            continue;
        const struct holder *holder = holders_first(last, &last->conns[i]);
        for (; holder != NULL; holder = holders_next_process(last, holder)) {
            concerned[holder->process] = true;
            leaks[holder->process] |= builder->leaks[track->seen_cell];
        }
    }
}

static int worst_first(const void *a, const void *b)
{
    const struct diff_process *one = a, *other = b;
    if (one->verdict != other->verdict)
        return one->verdict > other->verdict ? -1 : 1;
    if (one->ends != other->ends)
        return one->ends ? -1 : 1;
    if (one->ends && one->ends_ms != other->ends_ms)
        return one->ends_ms < other->ends_ms ? -1 : 1;
    if (one->millis_per_minute != other->millis_per_minute)
        return one->millis_per_minute > other->millis_per_minute ? -1 : 1;
    return one->process->pid < other->process->pid ? -1 : one->process->pid > other->process->pid;
}

void diff_find_processes(struct diff_builder *builder)
{
    struct diff *diff = builder->diff;
    const struct snapshot *last = diff->last;
    uint32_t *held[DIFF_SNAPSHOTS_MAX];
    bool *concerned = xcalloc(last->process_count + 1, sizeof *concerned);
    bool *leaks = xcalloc(last->process_count + 1, sizeof *leaks);
    mark_processes(builder, concerned, leaks);
    for (size_t i = 0; i < builder->count; i++)
        held[i] = count_held(builder->snapshots[i]);
    diff->processes = arena_alloc(&diff->arena, (last->process_count + 1) * sizeof *diff->processes);
    for (size_t i = 0; i < last->process_count; i++) {
        struct course course = { .process = &last->processes[i], .leaks = leaks[i] };
        if (concerned[i] && fill_course(builder, held, &course))
            diff->processes[diff->process_count++] = assess_process(diff, &course);
    }
    for (size_t i = 0; i < builder->count; i++)
        free(held[i]);
    free(leaks);
    free(concerned);
    if (diff->process_count > 1)
        qsort(diff->processes, diff->process_count, sizeof *diff->processes, worst_first);
}
