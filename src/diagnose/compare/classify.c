#include "diagnose/compare/classify.h"

#include "diagnose/compare/builder.h"

enum {
    CHANGE_PERCENT = 5,    /* a smaller change of a number of connections may be chance, if others also went */
    TURNOVER_PERCENT = 10, /* if more of the connections go from one snapshot to the next, something closes them */
    ALL_PERCENT = 90,      /* if so many go, the new ones will go too */
    CORE_MIN = 10,         /* if so many stayed between two snapshots, the new ones will stay too */
    AMOUNT_MIN = 10,       /* so much growth counts, however short the time */
    SPAN_MIN_MS = 10000,   /* after this time, less growth counts too: a program may need a few seconds to close */
    /*
     * Usually the kernel ends a connection sooner after this side has closed it: after 60 s in FIN_WAIT_2
     * (tcp_fin_timeout), after 102 s without an answer (8 retries from 200 ms on: tcp_orphan_retries()).
     */
    CLOSING_MS = 120000,
    MINUTE_MS = 60 * 1000,
};

/* The counts of a row in each snapshot, and the run of snapshots by which the row is judged. */
struct series {
    const uint32_t *counts, *stayed, *settled, *remained;
    unsigned since, until; /* first and last snapshot of the run */
    uint64_t were;         /* connections in all snapshots of the run except the last */
    uint64_t went;         /* how many of them are not in the next snapshot */
    bool can_settle;       /* the run is long enough to see whether the settled connections become more */
};

/* The line through the points by least squares. */
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

/* The last snapshot in the first half of the time; never `until`. */
static unsigned middle(const struct diff *diff, unsigned since, unsigned until)
{
    unsigned number = since;
    if (!diff->times_known)
        return since + (until - since) / 2;
    uint64_t start = diff->snapshots[since].taken_at_ms, apart = diff->snapshots[until].taken_at_ms - start;
    while (number + 1 < until && (diff->snapshots[number + 1].taken_at_ms - start) * 2 <= apart)
        number++;
    return number;
}

bool diff_goes_on(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until)
{
    enum { SHARE = 4 }; /* even growth would give a half */
    int64_t last = values[until], later = last - values[middle(diff, since, until)];
    return later > 0 && later * SHARE >= last - (int64_t)values[since];
}

static uint64_t span_ms(const struct diff *diff, unsigned since, unsigned until)
{
    return diff->snapshots[until].taken_at_ms - diff->snapshots[since].taken_at_ms;
}

bool diff_is_enough(const struct diff *diff, uint64_t growth, unsigned since, unsigned until)
{
    return growth >= AMOUNT_MIN || !diff->times_known || span_ms(diff, since, until) >= SPAN_MIN_MS;
}

/* --- the run of snapshots --------------------------------------------------------------------------------------- */

/*
 * If none of the connections of a snapshot is in the next one, the process was restarted, or all of it is load. Earlier
 * snapshots then say nothing about later ones. So this chooses the last run of at least two snapshots in which some
 * connections stayed at each step. If there is no such run, it chooses all snapshots.
 */
static void choose_run(struct series *series, unsigned last)
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
    choose_run(&series, (unsigned)diff->snapshot_count - 1);
    for (unsigned i = series.since + 1; i <= series.until; i++) {
        series.were += series.counts[i - 1];
        series.went += series.counts[i - 1] - series.stayed[i];
    }
    series.can_settle = series.until - series.since > diff->settle_snapshots;
    return series;
}

/* --- states ----------------------------------------------------------------------------------------------------- */

/* The kernel soon ends or changes these states by itself, or the connection has ended already (CLOSED). */
static bool is_passing(enum conn_state state)
{
    static const uint32_t passing = STATE_BIT(STATE_TIME_WAIT) | STATE_BIT(STATE_SYN_SENT) |
        STATE_BIT(STATE_SYN_RECEIVED) | STATE_BIT(STATE_CLOSED);
    return (passing & STATE_BIT(state)) != 0;
}

/* This side has sent its FIN. If no process holds the connection, the kernel limits the time in these states. */
static bool is_closing(enum conn_state state)
{
    static const uint32_t closing = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_FIN_WAIT_2) |
        STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK);
    return (closing & STATE_BIT(state)) != 0;
}

/* --- growth ----------------------------------------------------------------------------------------------------- */

static bool is_notable(uint64_t change, uint64_t of)
{
    return change >= DIFF_CHANGE_MIN && change * 100 >= of * CHANGE_PERCENT;
}

static bool few_went(const struct series *series)
{
    return series->went * 100 <= series->were * TURNOVER_PERCENT;
}

/* True if there are more connections than at first. If none went, a small share of new ones is enough. */
static bool is_rising(const struct series *series)
{
    uint64_t first = series->counts[series->since], last = series->counts[series->until];
    return last >= first + DIFF_CHANGE_MIN && (last - first >= series->went || is_notable(last - first, first));
}

/*
 * True if the settled connections become more up to the end of the run. They must grow by at least twice the number of
 * settled ones that went. Connections that have not settled do not matter, except that there must be some: otherwise
 * nothing new has come.
 */
static bool are_settled_growing(const struct diff *diff, const struct series *series)
{
    if (!series->can_settle)
        return false;
    unsigned since = series->since + diff->settle_snapshots, until = series->until;
    uint64_t first = series->settled[since], last = series->settled[until], gone = 0;
    for (unsigned i = since + 1; i <= until; i++)
        gone += series->settled[i - 1] - series->remained[i];
    bool more_come = series->counts[until] > last; /* some have not settled yet */
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

/*
 * Judges a growing row whose settled connections do not grow, or cannot be counted because the snapshots are too few.
 * Only the connections that were there before show whether any go.
 */
static void assess_by_earlier(const struct diff *diff, const struct series *series, struct diff_row *row)
{
    uint64_t first = series->counts[series->since], last = series->counts[series->until];
    bool enough = diff_is_enough(diff, last - first, series->since, series->until);
    bool stayed = few_went(series);
    if (stayed && enough && first >= CORE_MIN) {
        assess_accumulation(diff, series, row);
        return;
    }
    row->kind = DIFF_GROWS;
    row->unsure = series->were == 0 || series->went * 100 < series->were * ALL_PERCENT;
    row->warns = row->unsure && row->state == STATE_CLOSE_WAIT && stayed && enough;
}

static void assess_rising(const struct diff *diff, const struct series *series, struct diff_row *row)
{
    unsigned since = series->since, until = series->until;
    bool stayed = few_went(series);
    row->kind = DIFF_GROWS;
    if (is_passing(row->state))
        return;
    if (until - since > 1 && !diff_goes_on(diff, series->counts, since, until)) {
        row->kind = DIFF_GREW;
        row->warns = row->state == STATE_CLOSE_WAIT && stayed &&
            diff_is_enough(diff, series->counts[until] - series->counts[since], since, until);
    } else if (stayed || !series->can_settle)
        assess_by_earlier(diff, series, row);
}

static enum diff_kind kind_by_totals(const struct diff_row *row)
{
    uint64_t moved = row->came + row->went;
    if (row->last > row->first && is_notable(row->last - row->first, row->first))
        return DIFF_GROWS;
    if (row->first > row->last && is_notable(row->first - row->last, row->first))
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
    if (!is_passing(row->state) && are_settled_growing(diff, &series)) {
        assess_accumulation(diff, &series, row);
        row->by_settled = !few_went(&series);
        if (row->by_settled)
            row->run_millis_per_minute = diff_slope(
                diff, series.settled, series.since + diff->settle_snapshots, series.until);
    } else if (is_rising(&series))
        assess_rising(diff, &series, row);
    else
        row->kind = kind_by_totals(row);
}
