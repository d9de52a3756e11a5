#include "diagnose/compare/classify.h"

#include "diagnose/compare/builder.h"
/* What becomes of the connections of one row: the judgement that diff.c explains. */

enum {
    CHANGE_PERCENT = 5,    /* where others went: less more or less of them is chance */
    TURNOVER_PERCENT = 10, /* of those that were there, went from one look to the next: somebody ends them */
    ALL_PERCENT = 90,      /* went: what comes goes again */
    CORE_MIN = 10,         /* so many that stayed tell of others, where there are only two looks */
    AMOUNT_MIN = 10,       /* so much growth counts whatever the time, … */
    SPAN_LEAST_MS = 10000, /* … and less in so long: a program may take a second or two to close */
    CLOSING_MS = 120000,   /* the kernel ends what is closed before that: 60 s of FIN_WAIT_2, 102 s without answers */
    MINUTE_MS = 60 * 1000,
};

/* The looks by which a row is judged, and what it is made of. */
struct series {
    const uint32_t *counts, *stayed, *settled, *remained;
    unsigned since, until;
    uint64_t were, went;
    bool can_settle; /* the looks are enough to see whether those that have settled become more */
};

/* The line through the points that is nearest to them: least squares. */
int64_t diff_slope(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until)
{
    if (!diff->times_known)
        return 0;
    double count = (double)(until - since + 1), time_sum = 0, value_sum = 0, above = 0, below = 0;
    uint64_t start = diff->snapshots[since].taken_at_ms;
    for (unsigned i = since; i <= until; i++) {
        time_sum += (double)(diff->snapshots[i].taken_at_ms - start) / MINUTE_MS;
        value_sum += (double)values[i];
    }
    for (unsigned i = since; i <= until; i++) {
        double time = (double)(diff->snapshots[i].taken_at_ms - start) / MINUTE_MS - time_sum / count;
        above += time * ((double)values[i] - value_sum / count);
        below += time * time;
    }
    double per_minute = below > 0 ? above / below * 1000 : 0;
    return (int64_t)(per_minute < 0 ? per_minute - 0.5 : per_minute + 0.5);
}

/* The last look in the first half of the time. */
static unsigned middle(const struct diff *diff, unsigned since, unsigned until)
{
    unsigned look = since;
    if (!diff->times_known)
        return since + (until - since) / 2;
    uint64_t start = diff->snapshots[since].taken_at_ms, apart = diff->snapshots[until].taken_at_ms - start;
    while (look + 1 < until && (diff->snapshots[look + 1].taken_at_ms - start) * 2 <= apart)
        look++;
    return look;
}

bool diff_goes_on(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until)
{
    enum { SHARE = 4 }; /* of what is even, a half would be there */
    int64_t last = values[until], later = last - values[middle(diff, since, until)];
    return later > 0 && later * SHARE >= last - (int64_t)values[since];
}

static uint64_t span_ms(const struct diff *diff, unsigned since, unsigned until)
{
    return diff->snapshots[until].taken_at_ms - diff->snapshots[since].taken_at_ms;
}

bool diff_is_enough(const struct diff *diff, uint64_t growth, unsigned since, unsigned until)
{
    return growth >= AMOUNT_MIN || !diff->times_known || span_ms(diff, since, until) >= SPAN_LEAST_MS;
}

/* --- looks that belong together --------------------------------------------------------------------------------- */

/*
 * Where none of those that were there is left, the process was started again, or this is load: what was before says
 * nothing of what comes after. The last looks between which something stayed; all of them where there are none such.
 */
static void choose_looks(struct series *series, unsigned last)
{
    series->since = 0;
    series->until = last;
    unsigned start = 0;
    for (unsigned i = 1; i <= last + 1; i++) {
        bool ends = i > last || (series->counts[i - 1] > 0 && series->stayed[i] == 0);
        if (!ends)
            continue;
        if (i - 1 > start && series->counts[i - 1] > 0) {
            series->since = start;
            series->until = i - 1;
        }
        start = i;
    }
}

static struct series series_of(const struct diff *diff, const struct diff_table *table, uint32_t index)
{
    struct series series = {
        .counts = diff_table_tally(table, index, TALLY_COUNT),
        .stayed = diff_table_tally(table, index, TALLY_STAYED),
        .settled = diff_table_tally(table, index, TALLY_SETTLED),
        .remained = diff_table_tally(table, index, TALLY_REMAINED),
    };
    choose_looks(&series, (unsigned)diff->snapshot_count - 1);
    for (unsigned i = series.since + 1; i <= series.until; i++) {
        series.were += series.counts[i - 1];
        series.went += series.counts[i - 1] - series.stayed[i];
    }
    series.can_settle = series.until - series.since > diff->settle_snapshots;
    return series;
}

/* --- states ----------------------------------------------------------------------------------------------------- */

/* The kernel ends them by itself before long, or they are a step on the way. */
static bool is_passing(enum conn_state state)
{
    static const uint32_t passing = STATE_BIT(STATE_TIME_WAIT) | STATE_BIT(STATE_SYN_SENT) |
        STATE_BIT(STATE_SYN_RECEIVED) | STATE_BIT(STATE_CLOSED);
    return (passing & STATE_BIT(state)) != 0;
}

/* This side has closed, and the kernel does not wait for ever. */
static bool is_closing(enum conn_state state)
{
    static const uint32_t closing = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_FIN_WAIT_2) |
        STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK);
    return (closing & STATE_BIT(state)) != 0;
}

/* --- growth ----------------------------------------------------------------------------------------------------- */

static bool is_worth(uint64_t change, uint64_t of)
{
    return change >= DIFF_CHANGE_MIN && change * 100 >= of * CHANGE_PERCENT;
}

static bool hardly_any_went(const struct series *series)
{
    return series->went * 100 <= series->were * TURNOVER_PERCENT;
}

/* More than at first: where nothing went, a few of many are enough. */
static bool is_rising(const struct series *series)
{
    uint64_t first = series->counts[series->since], last = series->counts[series->until];
    return last >= first + DIFF_CHANGE_MIN && (last - first >= series->went || is_worth(last - first, first));
}

/*
 * Those that have settled become more, to the last, and by more than chance makes of it that some of them went:
 * whatever else comes and goes.
 */
static bool does_settle(const struct diff *diff, const struct series *series)
{
    if (!series->can_settle)
        return false;
    unsigned since = series->since + diff->settle_snapshots, until = series->until;
    uint64_t first = series->settled[since], last = series->settled[until], gone = 0;
    for (unsigned i = since + 1; i <= until; i++)
        gone += series->settled[i - 1] - series->remained[i];
    bool more_come = series->counts[until] > last; /* that have not settled yet */
    return last >= first + DIFF_CHANGE_MIN && last - first >= gone * 2 && more_come &&
        diff_goes_on(diff, series->settled, since, until) && diff_is_enough(diff, last - first, series->since, until);
}

static void assess_accumulation(const struct diff *diff, const struct series *series, struct diff_row *row)
{
    row->kind = row->state == STATE_CLOSE_WAIT ? DIFF_LEAKS : DIFF_PILES_UP;
    bool closing_lasts = is_closing(row->state) && diff->times_known &&
        span_ms(diff, series->since, series->until) >= CLOSING_MS;
    row->warns = row->state == STATE_CLOSE_WAIT || closing_lasts;
}

/* Two looks, or no more that tell: only those of the first show whether any go. */
static void assess_by_the_first(const struct diff *diff, const struct series *series, struct diff_row *row)
{
    uint64_t first = series->counts[series->since], last = series->counts[series->until];
    bool enough = diff_is_enough(diff, last - first, series->since, series->until);
    bool kept = hardly_any_went(series);
    if (kept && enough && first >= CORE_MIN) {
        assess_accumulation(diff, series, row);
        return;
    }
    row->kind = DIFF_GROWS;
    row->unsure = series->were == 0 || series->went * 100 < series->were * ALL_PERCENT;
    row->warns = row->unsure && row->state == STATE_CLOSE_WAIT && kept && enough;
}

static void assess_rising(const struct diff *diff, const struct series *series, struct diff_row *row)
{
    unsigned since = series->since, until = series->until;
    bool kept = hardly_any_went(series);
    row->kind = DIFF_GROWS;
    if (is_passing(row->state))
        return;
    if (until - since > 1 && !diff_goes_on(diff, series->counts, since, until)) {
        row->kind = DIFF_GREW;
        row->warns = row->state == STATE_CLOSE_WAIT && kept &&
            diff_is_enough(diff, series->counts[until] - series->counts[since], since, until);
    } else if (kept || !series->can_settle)
        assess_by_the_first(diff, series, row);
}

static enum diff_kind kind_of_whole(const struct diff_row *row)
{
    uint64_t moved = row->came + row->went;
    if (row->last > row->first && is_worth(row->last - row->first, row->first))
        return DIFF_GROWS;
    if (row->first > row->last && is_worth(row->first - row->last, row->first))
        return DIFF_SHRINKS;
    return moved >= DIFF_CHANGE_MIN && moved * 100 >= (row->first + row->last) * TURNOVER_PERCENT ? DIFF_BUSY
                                                                                                  : DIFF_STEADY;
}

void diff_classify_row(const struct diff *diff, const struct diff_table *table, uint32_t index, struct diff_row *row)
{
    struct series series = series_of(diff, table, index);
    row->since = series.since;
    row->until = series.until;
    row->were = series.were;
    row->went_between = series.went;
    row->millis_per_minute = diff_slope(diff, series.counts, 0, (unsigned)diff->snapshot_count - 1);
    row->run_millis_per_minute = diff_slope(diff, series.counts, series.since, series.until);
    if (!is_passing(row->state) && does_settle(diff, &series)) {
        assess_accumulation(diff, &series, row);
        row->by_settled = !hardly_any_went(&series);
        if (row->by_settled)
            row->run_millis_per_minute = diff_slope(
                diff, series.settled, series.since + diff->settle_snapshots, series.until);
    } else if (is_rising(&series))
        assess_rising(diff, &series, row);
    else
        row->kind = kind_of_whole(row);
}
