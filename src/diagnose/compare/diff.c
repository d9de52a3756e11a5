/*
 * One snapshot shows how many connections there are. Several snapshots show whether they are the same connections. This
 * tells a leak from load. classify.c judges each row. A row has a process, a service and a state (rows.c). The rules:
 *
 *   1. A connection has settled if it was in the snapshots before too. If the settled connections become more up to the
 *      last snapshot, and hardly any of them go, nothing closes them. It does not matter how many others come and go.
 *   2. Two snapshots show only what becomes of the connections of the first. If there are enough of these, and hardly
 *      any went, the new ones will not go either. Otherwise a third snapshot must show whether there is a leak.
 *   3. Only the process can end CLOSE_WAIT, so there it is a leak, with a warning. States that follow a close get a
 *      warning too, if they last longer than the kernel usually allows. Open connections may pile up without a fault: a
 *      pool, more clients.
 *   4. If all connections were replaced at once, the process was probably restarted. Then the snapshots before and
 *      after that moment are judged separately.
 *   5. A growing number of descriptors counts only if it will go on: connections leak or pile up, or other descriptors
 *      grow. A limit that is reached always counts (descriptors.c).
 */
#include "diagnose/compare/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "diagnose/compare/builder.h"
#include "diagnose/compare/cross_table.h"
#include "diagnose/compare/descriptors.h"
#include "diagnose/compare/rows.h"
#include "diagnose/compare/text.h"

/* --- the snapshots and their times ------------------------------------------------------------------------------ */

static void add_gap(struct diff *diff, const char *id, const char *text, const char *remedy)
{
    xvec_grow((void **)&diff->gaps, diff->gap_count, &diff->gap_capacity, sizeof *diff->gaps);
    diff->gaps[diff->gap_count++] = (struct gap){ .id = id, .text = text, .remedy = remedy };
}

static void add_known_gap(struct diff *diff, enum gap_kind kind, const char *text)
{
    add_gap(diff, gap_infos[kind].id, text, gap_infos[kind].remedy);
}

/* False for a capture as text: it does not contain its time, so taken_at_ms is the time of its file. */
static bool has_own_time(const struct snapshot *snapshot)
{
    return snapshot->origin == NULL && snapshot->taken_at_ms != 0;
}

/* Sorts the snapshots by time, if all know their time. Returns true if the order has changed. */
static bool sort_snapshots(struct diff_builder *builder)
{
    bool moved = false;
    for (size_t i = 0; i < builder->count; i++) {
        if (!has_own_time(builder->snapshots[i]))
            return false;
    }
    for (size_t i = 1; i < builder->count; i++) {
        for (size_t j = i; j > 0 && builder->snapshots[j - 1]->taken_at_ms > builder->snapshots[j]->taken_at_ms; j--) {
            const struct snapshot *previous = builder->snapshots[j];
            builder->snapshots[j] = builder->snapshots[j - 1];
            builder->snapshots[j - 1] = previous;
            moved = true;
        }
    }
    return moved;
}

static void add_time_gaps(struct diff_builder *builder, uint64_t interval_ms)
{
    struct diff *diff = builder->diff;
    unsigned from_files = 0;
    for (size_t i = 0; i < builder->count; i++)
        from_files += builder->snapshots[i]->origin != NULL;
    if (diff->reordered)
        add_known_gap(diff, GAP_CAPTURES_REORDERED,
            interval_ms != 0
                ? "what they would show in the order in which they were given: by their own times it is another, which "
                  "was taken, with the times between them from --interval"
                : "what they would show in the order in which they were given: by their own times it is another, which "
                  "was taken");
    if (!diff->times_known)
        add_known_gap(diff, GAP_TIMES_UNKNOWN,
            "how fast anything grows: by their times the captures are not one after the other");
    else if (from_files > 0 && interval_ms == 0)
        add_known_gap(diff, GAP_TIMES_OF_FILES,
            "when the captures were taken: a text does not say it, and the times of its file were taken instead");
}

/*
 * True if the snapshot `now` was taken after `then`. If their times are those of files, they must be a second apart:
 * files that were copied together have nearly the same time.
 */
static bool is_after(const struct snapshot *snapshot, const struct diff_snapshot *now, const struct diff_snapshot *then)
{
    enum { COPIED_MS = 1000 };
    uint64_t least = has_own_time(snapshot) ? 1 : COPIED_MS;
    return now->taken_at_ms >= then->taken_at_ms + least;
}

static void list_snapshots(struct diff_builder *builder, uint64_t interval_ms)
{
    struct diff *diff = builder->diff;
    struct diff_snapshot *snapshots = arena_alloc(&diff->arena, builder->count * sizeof *snapshots);
    diff->snapshots = snapshots;
    diff->snapshot_count = builder->count;
    diff->settle_snapshots = builder->count > 6 ? (unsigned)(builder->count - 1) / 3 : 1;
    diff->times_known = true;
    for (size_t i = 0; i < builder->count; i++) {
        const struct snapshot *snapshot = builder->snapshots[i];
        snapshots[i] = (struct diff_snapshot){
            .from = snapshot->from, .source = snapshot->source, .taken_at_ms = snapshot->taken_at_ms
        };
        if (interval_ms != 0 && i > 0)
            snapshots[i].taken_at_ms = snapshots[i - 1].taken_at_ms + interval_ms;
        diff->times_known &= i == 0 || interval_ms != 0 || is_after(snapshot, &snapshots[i], &snapshots[i - 1]);
    }
    diff->apart_ms = diff->times_known ? snapshots[builder->count - 1].taken_at_ms - snapshots[0].taken_at_ms : 0;
    add_time_gaps(builder, interval_ms);
}

static uint64_t hash_of_gap(const struct gap *gap)
{
    return hash_bytes(hash_bytes(0, gap->id, strlen(gap->id)), gap->text, strlen(gap->text));
}

static void index_gaps(struct hash_index *index, const struct snapshot *snapshot)
{
    hash_index_init(index, snapshot->gap_count);
    for (size_t i = 0; i < snapshot->gap_count; i++)
        hash_index_add(index, hash_of_gap(&snapshot->gaps[i]), (uint32_t)i);
}

static bool has_gap(const struct snapshot *snapshot, const struct hash_index *gaps, const struct gap *gap)
{
    struct hash_walk walk = hash_index_walk(gaps, hash_of_gap(gap));
    uint32_t number;
    while ((number = hash_walk_next(gaps, &walk)) != HASH_NONE) {
        if (strcmp(snapshot->gaps[number].id, gap->id) == 0 && strcmp(snapshot->gaps[number].text, gap->text) == 0)
            return true;
    }
    return false;
}

/* Adds the gaps of all snapshots. If not all snapshots have a gap, its text names the file. */
static void merge_gaps(struct diff_builder *builder)
{
    struct diff *diff = builder->diff;
    struct hash_index *indexes = xcalloc(builder->count, sizeof *indexes);
    for (size_t number = 0; number < builder->count; number++)
        index_gaps(&indexes[number], builder->snapshots[number]);
    for (size_t number = 0; number < builder->count; number++) {
        const struct snapshot *snapshot = builder->snapshots[number];
        for (size_t i = 0; i < snapshot->gap_count; i++) {
            const struct gap *gap = &snapshot->gaps[i];
            size_t in = 0;
            for (size_t other = 0; other < builder->count; other++)
                in += has_gap(builder->snapshots[other], &indexes[other], gap);
            const char *name = snapshot->from != NULL ? snapshot->from
                                                      : arena_printf(&diff->arena, "capture %zu", number + 1);
            if (in < builder->count)
                add_gap(diff, gap->id, arena_printf(&diff->arena, "%s: %s", name, gap->text), gap->remedy);
            else if (number == 0)
                add_gap(diff, gap->id, gap->text, gap->remedy);
        }
    }
    for (size_t number = 0; number < builder->count; number++)
        hash_index_deinit(&indexes[number]);
    free(indexes);
}

static int check_hosts(const struct snapshot *snapshots, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (snapshots[i].redacted)
            return error_set(err, -EINVAL, snapshots[i].from,
                "was redacted: its names and addresses were made up for it alone, and nothing of it is found again in "
                "another file; compare the files as they were before that");
    }
    for (size_t i = 1; i < count; i++) {
        const char *one = snapshots[0].host_name, *other = snapshots[i].host_name;
        if (one != NULL && other != NULL && strcmp(one, other) != 0)
            return error_set(err, -EINVAL, snapshots[i].from,
                "is of the host '%s', %s of '%s'; the two ends of connections are looked at with --from A --from B",
                other, snapshots[0].from != NULL ? snapshots[0].from : "the first one", one);
    }
    return 0;
}

/* --- the comparison --------------------------------------------------------------------------------------------- */

static void builder_init(struct diff_builder *builder)
{
    size_t count = builder->count;
    builder->contexts = xcalloc(count, sizeof *builder->contexts);
    builder->pids = xcalloc(count, sizeof *builder->pids);
    for (size_t i = 0; i < count; i++) {
        builder->contexts[i].snapshot = builder->snapshots[i];
        listeners_init(&builder->contexts[i].listeners, builder->snapshots[i]);
        diff_processes_init(&builder->pids[i], builder->snapshots[i]);
    }
    diff_tracks_init(&builder->tracks, builder->snapshots, builder->contexts, count);
}

static void builder_deinit(struct diff_builder *builder)
{
    for (size_t i = 0; i < builder->count; i++) {
        listeners_deinit(&builder->contexts[i].listeners);
        diff_processes_deinit(&builder->pids[i]);
    }
    diff_tracks_deinit(&builder->tracks);
    diff_table_deinit(&builder->cross_table);
    free(builder->contexts);
    free(builder->pids);
    free(builder->leaks);
}

int diff_make(const struct snapshot *snapshots, size_t count, const struct diff_options *options, struct diff *ret_diff,
    struct error *err)
{
    int result = check_hosts(snapshots, count, err);
    if (result < 0)
        return result;
    struct diff diff = { 0 };
    struct diff_builder builder = { .count = count, .selection = options->selection, .diff = &diff };
    arena_init(&diff.arena);
    for (size_t i = 0; i < count; i++)
        builder.snapshots[i] = &snapshots[i];
    diff.reordered = sort_snapshots(&builder);
    diff.last = builder.snapshots[count - 1];
    list_snapshots(&builder, options->interval_ms);
    builder_init(&builder);
    diff_count_cross_table(&builder);
    diff_make_rows(&builder);
    diff_find_processes(&builder);
    diff_describe(&diff);
    merge_gaps(&builder);
    *ret_diff = diff;
    builder_deinit(&builder);
    return 0;
}
