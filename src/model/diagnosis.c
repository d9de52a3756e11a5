#include "model/diagnosis.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const char *severity_name(enum severity severity)
{
    static const char *const names[] = { "info", "warning", "critical" };
    return names[severity];
}

const char *confidence_name(enum confidence confidence)
{
    static const char *const names[] = { "possible", "likely", "certain" };
    return names[confidence];
}

const char *fault_name(enum fault fault)
{
    static const char *const names[] = { "none", "local-application", "peer-application", "peer-or-path",
        "host-settings" };
    return names[fault];
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = { "healthy", "warning", "critical" };
    return names[verdict];
}

/* Returns a larger copy of an array, in the arena. The old array remains until the arena is released. */
static void *grown(struct arena *arena, const void *items, size_t count, size_t *capacity, size_t size)
{
    *capacity = *capacity ? *capacity * 2 : 4;
    void *copy = arena_alloc(arena, *capacity * size);
    if (count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

void lines_add(struct lines *lines, struct arena *arena, const char *format, ...)
{
    if (lines->count == lines->capacity)
        lines->items = grown(arena, lines->items, lines->count, &lines->capacity, sizeof *lines->items);
    va_list args;
    va_start(args, format);
    lines->items[lines->count++] = arena_vprintf(arena, format, args);
    va_end(args);
}

void fixes_add(struct fixes *fixes, struct arena *arena, const char *text, const char *command)
{
    if (fixes->count == fixes->capacity)
        fixes->items = grown(arena, fixes->items, fixes->count, &fixes->capacity, sizeof *fixes->items);
    fixes->items[fixes->count++] = (struct fix){ .text = arena_strdup(arena, text),
        .command = command ? arena_strdup(arena, command) : NULL };
}

const char *diagnosis_cause(const struct diagnosis *diagnosis, size_t conn_index)
{
    return diagnosis->cause_ids[diagnosis->causes[conn_index]];
}

void diagnosis_add_gap(struct diagnosis *diagnosis, enum gap_kind kind, const char *text, const char *remedy)
{
    struct gap *gaps = arena_alloc(&diagnosis->arena, (diagnosis->gap_count + 1) * sizeof *gaps);
    for (size_t i = 0; i < diagnosis->gap_count; i++)
        gaps[i] = diagnosis->gaps[i];
    gaps[diagnosis->gap_count++] = (struct gap){
        .id = gap_infos[kind].id, .text = text, .remedy = remedy != NULL ? remedy : gap_infos[kind].remedy
    };
    diagnosis->gaps = gaps;
}

struct gap *diagnosis_all_gaps(const struct diagnosis *diagnosis, size_t *ret_count)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    struct gap *gaps = xrealloc_array(NULL, snapshot->gap_count + diagnosis->gap_count + 1, sizeof *gaps);
    size_t count = 0;
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        enum gap_kind kind = gap_find(snapshot->gaps[i].id);
        if (!diagnosis->recounts_owners || !gap_is_about_owners(kind))
            gaps[count++] = snapshot->gaps[i];
    }
    for (size_t i = 0; i < diagnosis->gap_count; i++)
        gaps[count++] = diagnosis->gaps[i];
    *ret_count = count;
    return gaps;
}

size_t diagnosis_count_gaps(const struct diagnosis *diagnosis)
{
    size_t count;
    free(diagnosis_all_gaps(diagnosis, &count));
    return count;
}

void diagnosis_deinit(struct diagnosis *diagnosis)
{
    arena_deinit(&diagnosis->arena);
    *diagnosis = (struct diagnosis){ 0 };
}
