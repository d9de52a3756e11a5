/*
 * One look tells how many connections there are; several tell whether they are the same ones. That separates a leak
 * from load. The judgement (classify.c), for each row, which is a process, a service and a state (rows.c):
 *
 *   1. A connection has settled where it was there in the looks before too. Where those that have settled become more,
 *      in the later looks as well, and hardly any of them goes, nobody ends them, however many others come and go.
 *   2. Two looks show only what becomes of the connections of the first. Where these are some, and hardly any went,
 *      those that came will not go either. Otherwise the number grows, and a third look must show whether it leaks.
 *   3. In CLOSE_WAIT, which only the process can end, that is a leak and deserves a warning. So does what has closed
 *      and does not end in the time that the kernel gives it. Open connections may well pile up: pools, more clients.
 *   4. Where all were replaced at once the process was started again: the looks before and after are judged apart.
 *   5. Descriptors count where they go on growing by what leaks or piles up, or by what is no connection. A limit that
 *      is reached counts in any case (descriptors.c).
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

/* --- looks and their times -------------------------------------------------------------------------------------- */

static void add_gap(struct diff *diff, const char *id, const char *text, const char *remedy)
{
    xvec_grow((void **)&diff->gaps, diff->gap_count, &diff->gap_capacity, sizeof *diff->gaps);
    diff->gaps[diff->gap_count++] = (struct gap){ .id = id, .text = text, .remedy = remedy };
}

static void note_gap(struct diff *diff, enum gap_kind kind, const char *text)
{
    add_gap(diff, gap_infos[kind].id, text, gap_infos[kind].remedy);
}

/* A text does not say when it was taken. */
static bool knows_its_time(const struct snapshot *look)
{
    return look->origin == NULL && look->taken_at_ms != 0;
}

/* By their times, where all know theirs; texts keep the order in which they were given. */
static bool sort_looks(struct diff_builder *builder)
{
    bool moved = false;
    for (size_t i = 0; i < builder->count; i++) {
        if (!knows_its_time(builder->snapshots[i]))
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

static void note_times(struct diff_builder *builder, uint64_t interval_ms)
{
    struct diff *diff = builder->diff;
    unsigned from_files = 0;
    for (size_t i = 0; i < builder->count; i++)
        from_files += builder->snapshots[i]->origin != NULL;
    if (diff->reordered)
        note_gap(diff, GAP_CAPTURES_REORDERED,
            interval_ms != 0
                ? "what they would show in the order in which they were given: by their own times it is another, which "
                  "was taken, with the times between them from --interval"
                : "what they would show in the order in which they were given: by their own times it is another, which "
                  "was taken");
    if (!diff->times_known)
        note_gap(diff, GAP_TIMES_UNKNOWN,
            "how fast anything grows: by their times the captures are not one after the other");
    else if (from_files > 0 && interval_ms == 0)
        note_gap(diff, GAP_TIMES_OF_FILES,
            "when the captures were taken: a text does not say it, and the times of its file were taken instead");
}

/* Files that were written at one go say nothing of when their text was. */
static bool is_after(const struct snapshot *look, const struct diff_snapshot *now, const struct diff_snapshot *then)
{
    enum { COPIED_MS = 1000 };
    uint64_t least = knows_its_time(look) ? 1 : COPIED_MS;
    return now->taken_at_ms >= then->taken_at_ms + least;
}

static void list_looks(struct diff_builder *builder, uint64_t interval_ms)
{
    struct diff *diff = builder->diff;
    struct diff_snapshot *snapshots = arena_alloc(&diff->arena, builder->count * sizeof *snapshots);
    diff->snapshots = snapshots;
    diff->snapshot_count = builder->count;
    diff->settle_snapshots = builder->count > 6 ? (unsigned)(builder->count - 1) / 3 : 1;
    diff->times_known = true;
    for (size_t i = 0; i < builder->count; i++) {
        const struct snapshot *look = builder->snapshots[i];
        snapshots[i] = (struct diff_snapshot){
            .from = look->from, .source = look->source, .taken_at_ms = look->taken_at_ms
        };
        if (interval_ms != 0 && i > 0)
            snapshots[i].taken_at_ms = snapshots[i - 1].taken_at_ms + interval_ms;
        diff->times_known &= i == 0 || interval_ms != 0 || is_after(look, &snapshots[i], &snapshots[i - 1]);
    }
    diff->apart_ms = diff->times_known ? snapshots[builder->count - 1].taken_at_ms - snapshots[0].taken_at_ms : 0;
    note_times(builder, interval_ms);
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

static bool has_gap(const struct snapshot *look, const struct hash_index *gaps, const struct gap *gap)
{
    struct hash_walk walk = hash_index_walk(gaps, hash_of_gap(gap));
    uint32_t number;
    while ((number = hash_walk_next(gaps, &walk)) != HASH_NONE) {
        if (strcmp(look->gaps[number].id, gap->id) == 0 && strcmp(look->gaps[number].text, gap->text) == 0)
            return true;
    }
    return false;
}

/* What one look could not see, the comparison cannot either; what not all of them lack is said with the file's name. */
static void take_gaps(struct diff_builder *builder)
{
    struct diff *diff = builder->diff;
    struct hash_index *indexes = xcalloc(builder->count, sizeof *indexes);
    for (size_t look = 0; look < builder->count; look++)
        index_gaps(&indexes[look], builder->snapshots[look]);
    for (size_t look = 0; look < builder->count; look++) {
        const struct snapshot *snapshot = builder->snapshots[look];
        for (size_t i = 0; i < snapshot->gap_count; i++) {
            const struct gap *gap = &snapshot->gaps[i];
            size_t in = 0;
            for (size_t other = 0; other < builder->count; other++)
                in += has_gap(builder->snapshots[other], &indexes[other], gap);
            const char *name = snapshot->from != NULL ? snapshot->from
                                                      : arena_printf(&diff->arena, "capture %zu", look + 1);
            if (in < builder->count)
                add_gap(diff, gap->id, arena_printf(&diff->arena, "%s: %s", name, gap->text), gap->remedy);
            else if (look == 0)
                add_gap(diff, gap->id, gap->text, gap->remedy);
        }
    }
    for (size_t look = 0; look < builder->count; look++)
        hash_index_deinit(&indexes[look]);
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

/* --- the whole -------------------------------------------------------------------------------------------------- */

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
    diff.reordered = sort_looks(&builder);
    diff.last = builder.snapshots[count - 1];
    list_looks(&builder, options->interval_ms);
    builder_init(&builder);
    diff_count_cross_table(&builder);
    diff_make_rows(&builder);
    diff_find_processes(&builder);
    diff_describe(&diff);
    take_gaps(&builder);
    *ret_diff = diff;
    builder_deinit(&builder);
    return 0;
}
