/* How bad a difference is, and the one sentence about it. */
#include <inttypes.h>

#include "base/text.h"
#include "diagnose/diff.h"
#include "diagnose/rule.h"

enum { HOUR_MS = 60 * 60 * 1000, DAY_MS = 24 * HOUR_MS };

/* "12.3", "0.4" */
static const char *words_pace(struct arena *arena, int64_t millis)
{
    uint64_t tenths = ((uint64_t)(millis < 0 ? -millis : millis) + 50) / 100;
    if (tenths >= 1000)
        return words_count(arena, (tenths + 5) / 10);
    return arena_printf(arena, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
}

static const char *words_whose(struct arena *arena, const struct diff_row *row)
{
    if (row->process.kind != VALUE_TEXT)
        return row->state == STATE_CLOSE_WAIT ? "A process that could not be seen" : "Nobody";
    return arena_strdup(arena, row->process.text);
}

static const char *words_of_service(struct arena *arena, const struct diff_row *row)
{
    if (row->service.kind == VALUE_SERVICE_IN)
        return arena_printf(arena, " on port %u", row->service.port);
    if (row->service.kind == VALUE_PORTS_IN)
        return arena_printf(arena, " on %s local ports", words_count(arena, row->service.number));
    if (row->service.kind == VALUE_ENDS_OUT)
        return arena_printf(arena, " to %s different ends", words_count(arena, row->service.number));
    if (row->service.kind != VALUE_SERVICE_OUT)
        return "";
    struct buf text = { 0 };
    buf_str(&text, " to ");
    ip_port_format(&text, &row->service.ip, row->service.port);
    const char *copy = arena_strdup(arena, buf_text(&text));
    buf_deinit(&text);
    return copy;
}

static const char *words_growth(struct diff *diff, const struct diff_row *row)
{
    struct arena *arena = &diff->arena;
    const char *what = arena_printf(arena, "%s to %s", words_count(arena, row->first), words_count(arena, row->last));
    if (diff->times_known)
        what = arena_printf(arena, "%s in %s, %s a minute", what, words_duration(arena, diff->apart_ms),
            words_pace(arena, row->millis_per_minute));
    return what;
}

static void raise_to(struct diff *diff, enum verdict verdict)
{
    if (verdict > diff->verdict)
        diff->verdict = verdict;
}

/* The process whose descriptors end first, if that is within the time. */
static const struct diff_process *ends_within(const struct diff *diff, uint64_t ms)
{
    return diff->process_count > 0 && diff->processes[0].ends && diff->processes[0].ends_ms < ms ? &diff->processes[0]
                                                                                                 : NULL;
}

static const char *title_of(struct diff *diff)
{
    struct arena *arena = &diff->arena;
    const struct diff_process *ends = ends_within(diff, DAY_MS);
    const struct diff_row *worst = diff->row_count > 0 ? &diff->rows[0] : NULL;
    const char *until = ends == NULL
        ? ""
        : arena_printf(arena, "; at this pace %s comes to its limit of %s descriptors in %s",
              words_process(arena, ends->process), words_count(arena, ends->process->fds_limit),
              words_duration(arena, ends->ends_ms));
    if (worst != NULL && worst->kind == DIFF_LEAKS)
        return arena_printf(arena, "%s leaks connections in CLOSE_WAIT%s: %s, and %s of the first %s went%s",
            words_whose(arena, worst), words_of_service(arena, worst), words_growth(diff, worst),
            worst->went == 0 ? "none" : words_count(arena, worst->went), words_count(arena, worst->first), until);
    if (worst != NULL && worst->kind == DIFF_PILES_UP)
        return arena_printf(arena, "%s connections in %s%s pile up: %s, and %s of the first %s went%s",
            arena_printf(arena, "%s’s", words_whose(arena, worst)), state_name(worst->state),
            words_of_service(arena, worst), words_growth(diff, worst),
            worst->went == 0 ? "none" : words_count(arena, worst->went), words_count(arena, worst->first), until);
    if (ends != NULL)
        return arena_printf(arena, "%s opens ever more descriptors; at this pace it comes to its limit of %s in %s",
            words_process(arena, ends->process), words_count(arena, ends->process->fds_limit),
            words_duration(arena, ends->ends_ms));
    return "Nothing leaks: what comes goes again, or stays without growing.";
}

void diff_judge(struct diff *diff)
{
    for (size_t i = 0; i < diff->row_count; i++) {
        if (diff->rows[i].kind == DIFF_LEAKS)
            raise_to(diff, VERDICT_WARNING);
    }
    if (ends_within(diff, DAY_MS) != NULL)
        raise_to(diff, VERDICT_WARNING);
    if (ends_within(diff, HOUR_MS) != NULL)
        raise_to(diff, VERDICT_CRITICAL);
    diff->title = title_of(diff);
}
