#include "diagnose/compare/text.h"
#include <inttypes.h>

#include "base/text.h"
#include "diagnose/phrases.h"

/* "12.3", "0.4" */
static const char *phrase_pace(struct arena *arena, int64_t millis)
{
    uint64_t tenths = ((uint64_t)(millis < 0 ? -millis : millis) + 50) / 100;
    if (tenths >= 1000)
        return phrases_count(arena, (tenths + 5) / 10);
    return arena_printf(arena, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
}

static const char *phrase_name(struct arena *arena, const struct diff_row *row)
{
    if (row->process.kind != VALUE_TEXT)
        return row->pid != 0 ? arena_printf(arena, "Process %" PRIu32, row->pid) : NULL;
    return row->pid == 0 ? arena_strdup(arena, row->process.text)
                         : arena_printf(arena, "%s (pid %" PRIu32 ")", row->process.text, row->pid);
}

/* Who leaks: a process, or how many processes. NULL: not known. */
static const char *phrase_whose(struct arena *arena, const struct diff_row *row)
{
    const char *name = phrase_name(arena, row);
    if (name == NULL && row->processes > 1 && row->seen_process == NULL)
        return arena_printf(arena, "%s processes", phrases_count(arena, row->processes));
    return name;
}

/* The state, and the service or how many of them. */
static const char *phrase_what(struct arena *arena, const struct diff_row *row)
{
    const char *state = state_name(row->state);
    if (row->services > 1)
        return arena_printf(arena, "connections in %s with %s services", state, phrases_count(arena, row->services));
    if (row->service.kind == VALUE_SERVICE_IN)
        return arena_printf(arena, "connections in %s on port %u", state, row->service.port);
    if (row->service.kind != VALUE_SERVICE_OUT)
        return arena_printf(arena, "connections in %s", state);
    struct buf text = { 0 };
    ip_port_format(&text, &row->service.ip, row->service.port);
    const char *words = arena_printf(arena, "connections in %s to %s", state, buf_text(&text));
    buf_deinit(&text);
    return words;
}

/* "100 to 200 in 6 min, 16.7 a minute" */
static const char *phrase_growth(struct diff *diff, const struct diff_row *row)
{
    struct arena *arena = &diff->arena;
    const uint64_t *values = row->by_settled ? row->settled : row->counts;
    unsigned since = row->by_settled ? row->since + diff->settle_snapshots : row->since;
    const char *what = arena_printf(
        arena, "%s to %s", phrases_count(arena, values[since]), phrases_count(arena, values[row->until]));
    if (diff->times_known)
        what = arena_printf(arena, "%s in %s, %s a minute", what,
            phrases_duration(arena, diff->snapshots[row->until].taken_at_ms - diff->snapshots[since].taken_at_ms),
            phrase_pace(arena, row->run_millis_per_minute));
    if (row->until + 1 < diff->snapshot_count)
        return arena_printf(arena, "%s, until all of them went at once after capture %u", what, row->until + 1);
    if (row->since > 0)
        return arena_printf(arena, "%s, since all of them went at once before capture %u", what, row->since + 1);
    return what;
}

/* What became of the connections that were there before. */
static const char *phrase_went(struct diff *diff, const struct diff_row *row)
{
    struct arena *arena = &diff->arena;
    uint64_t first = row->counts[row->since];
    if (row->by_settled)
        return "; others come and go";
    if (row->went_between > 0)
        return arena_printf(arena, ", and hardly any went");
    if (first == 0)
        return ", and none went";
    return arena_printf(arena, ", and none of the first %s went", phrases_count(arena, first));
}

/* Who holds some of them, or "". */
static const char *phrase_seen(struct arena *arena, const struct diff_row *row)
{
    return row->seen_process == NULL ? ""
                                     : arena_printf(arena, "; %s holds those whose owner was seen", row->seen_process);
}

/* True if the row is about this process only. */
static bool is_of(const struct diff_process *process, const struct diff_row *row)
{
    return row->pid != 0 && row->pid == process->process->pid;
}

static const char *phrase_limit(struct diff *diff, const struct diff_process *process, const char *who)
{
    struct arena *arena = &diff->arena;
    if (process->ends_ms == 0)
        return arena_printf(arena, "%s has reached its limit of %s descriptors", who,
            phrases_count(arena, process->process->fds_limit));
    return arena_printf(arena, "at this pace %s comes to its limit of %s descriptors in %s", who,
        phrases_count(arena, process->process->fds_limit), phrases_duration(arena, process->ends_ms));
}

/* --- sentences --------------------------------------------------------------------------------------------------- */

static const char *title_of_process(struct diff *diff, const struct diff_process *process)
{
    struct arena *arena = &diff->arena;
    const char *who = phrases_process(arena, process->process);
    if (process->ends_ms == 0)
        return phrase_limit(diff, process, who);
    return arena_printf(arena, "%s opens ever more descriptors; %s", who, phrase_limit(diff, process, "it"));
}

/*
 * "app (pid 812) has ever more connections in …". If nobody is known to hold them, "Connections in … grow". The name of
 * a process keeps its lower case at the beginning of a sentence.
 */
static const char *phrase_that(
    struct arena *arena, const struct diff_row *row, const char *somebody_does, const char *they_do, bool begins)
{
    const char *who = phrase_whose(arena, row), *what = phrase_what(arena, row);
    if (who != NULL)
        return arena_printf(arena, "%s %s %s", who, somebody_does, what);
    return arena_printf(arena, "%c%s%s %s", begins ? 'C' : what[0], what + 1,
        row->seen_process != NULL ? "" : " that no process was seen to hold", they_do);
}

/* The title about a row that leaks or piles up. */
static const char *title_of_leak(struct diff *diff, const struct diff_row *row, const char *until)
{
    struct arena *arena = &diff->arena;
    bool several = row->processes > 1;
    const char *what = row->kind == DIFF_LEAKS
        ? phrase_that(arena, row, several ? "leak" : "leaks", "leak", true)
        : phrase_that(arena, row, several ? "pile up" : "piles up", "pile up", true);
    return arena_printf(arena, "%s: %s%s%s%s%s", what,
        row->by_settled ? "those that stay from one capture to the next grew from " : "", phrase_growth(diff, row),
        phrase_went(diff, row), phrase_seen(arena, row), until);
}

/* The title about a row that grows or grew. `begins`: it begins the sentence. */
static const char *title_of_growth(struct diff *diff, const struct diff_row *row, bool begins, const char *until)
{
    struct arena *arena = &diff->arena;
    bool several = row->processes > 1;
    if (row->kind == DIFF_GREW)
        return arena_printf(arena, "%s: %s to %s, and no more since; nobody closes them%s",
            phrase_that(arena, row, several ? "keep" : "keeps", "stay", begins),
            phrases_count(arena, row->counts[row->since]), phrases_count(arena, row->counts[row->until]), until);
    return arena_printf(arena, "%s: %s%s%s; these captures cannot show whether that is a leak: take another one",
        phrase_that(arena, row, several ? "have ever more" : "has ever more", "grow", begins), phrase_growth(diff, row),
        row->went_between == 0 ? phrase_went(diff, row) : "", until);
}

/* The title if nothing is known to be wrong. */
static const char *title_of_health(struct diff *diff, const struct diff_row *worst)
{
    struct arena *arena = &diff->arena;
    bool selected = false;
    for (size_t i = 0; i < diff->snapshot_count; i++)
        selected |= diff->snapshots[i].conns > 0;
    if (!selected)
        return "Nothing to compare: no connection of these captures was selected.";
    if (worst != NULL && worst->kind == DIFF_PILES_UP)
        return arena_printf(arena,
            "No leak is certain, but %s, which stay: %s%s; a pool that fills or more clients look the same as a leak",
            phrase_that(arena, worst, worst->processes > 1 ? "have ever more" : "has ever more", "grow", false),
            phrase_growth(diff, worst), phrase_went(diff, worst));
    if (worst != NULL && worst->unsure)
        return arena_printf(arena, "No leak is certain, but %s", title_of_growth(diff, worst, false, ""));
    return worst != NULL && (worst->kind == DIFF_GROWS || worst->kind == DIFF_GREW)
        ? "Nothing leaks: some are more than at first, but what comes goes again, or grows no longer."
        : "Nothing leaks: what comes goes again, or stays without growing.";
}

static const char *title_of(struct diff *diff)
{
    const struct diff_row *worst = diff->row_count > 0 ? &diff->rows[0] : NULL;
    const struct diff_process *process = diff->process_count > 0 ? &diff->processes[0] : NULL;
    enum verdict ends = process != NULL ? process->verdict : VERDICT_HEALTHY;
    bool one = process != NULL && worst != NULL && is_of(process, worst) && process->ends;
    if (ends == VERDICT_HEALTHY && (worst == NULL || !worst->warns))
        return title_of_health(diff, worst);
    const char *until = one && ends != VERDICT_HEALTHY
        ? arena_printf(&diff->arena, "; %s", phrase_limit(diff, process, "it"))
        : "";
    /* The title is about one process. If row and descriptors are of two processes, the worse of the two is taken. */
    if (worst == NULL || (!one && ends > (worst->warns ? VERDICT_WARNING : VERDICT_HEALTHY)))
        return title_of_process(diff, process);
    if (worst->kind <= DIFF_PILES_UP)
        return title_of_leak(diff, worst, until);
    return worst->warns ? title_of_growth(diff, worst, true, until) : title_of_process(diff, process);
}

static void raise_to(struct diff *diff, enum verdict verdict)
{
    if (verdict > diff->verdict)
        diff->verdict = verdict;
}

void diff_describe(struct diff *diff)
{
    for (size_t i = 0; i < diff->row_count; i++)
        raise_to(diff, diff->rows[i].warns ? VERDICT_WARNING : VERDICT_HEALTHY);
    for (size_t i = 0; i < diff->process_count; i++)
        raise_to(diff, diff->processes[i].verdict);
    diff->title = title_of(diff);
}
