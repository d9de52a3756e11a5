#include "diagnose/compare/rows.h"

#include "diagnose/compare/classify.h"
/*
 * A row usually has a process name, a service and a state. Such rows may hide a leak: one of several processes with the
 * same name leaks while the others lose connections, or the leak is spread over so many services or processes that no
 * row grows. So the cells of the cross table are added up in other ways too. A row of another view is shown only if it
 * is bad and most of its growth is in no row that is equally bad.
 */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Which parts of a cell's key make different rows. The state always does. */
struct view {
    bool by_name, by_pid, by_service;
};

enum { VIEW_ROWS = 0 }; /* the view whose rows are always shown */
static const struct view views[] = {
    [VIEW_ROWS] = { .by_name = true, .by_service = true },
    { .by_name = true, .by_pid = true, .by_service = true },
    { .by_name = true, .by_pid = true },
    { .by_name = true },
    { .by_service = true },
};

struct rows {
    struct diff_builder *builder;
    const bool *persists; /* for each cell: its process is in the first and in the last snapshot */
    bool *is_first;       /* for each cell: it is the first cell of its row in VIEW_ROWS */
    unsigned *ranks;      /* for each cell: rank_of() the worst shown row that contains it */
    size_t capacity;
};

/* The rows of one view. */
struct counted {
    const struct view *view;
    struct diff_table table;
    uint32_t *row_of; /* for each cell: index of its row, or NO_INDEX */
    struct diff_row *rows;
};

/* --- counting ---------------------------------------------------------------------------------------------------- */

/* Makes the key of the row that the cell belongs to. False if the view leaves the cell out: another view has it. */
static bool make_row_key(const struct view *view, const struct diff_key *cell, bool persists, struct diff_key *ret_key)
{
    if (view->by_pid && !persists)
        return false;
    if (!view->by_name && cell->service.kind == VALUE_UNKNOWN)
        return false;
    *ret_key = *cell;
    if (!view->by_name)
        ret_key->process = value_unknown();
    if (!view->by_service)
        ret_key->service = value_unknown();
    /* If only the PID is known, it stands for the name. */
    if (!view->by_pid && (!view->by_name || cell->process.kind != VALUE_UNKNOWN))
        ret_key->pid = 0;
    return true;
}

static void add_tallies(const struct diff_table *cross_table, uint32_t cell, struct diff_table *table, uint32_t row)
{
    const uint32_t *from = diff_table_tally(cross_table, cell, TALLY_COUNT);
    uint32_t *to = diff_table_tally(table, row, TALLY_COUNT);
    for (size_t i = 0; i < TALLY_KINDS * cross_table->snapshots; i++)
        to[i] += from[i];
}

static void count_view(const struct rows *rows, const struct view *view, struct counted *ret_counted)
{
    const struct diff_table *cross_table = &rows->builder->cross_table;
    struct counted counted = { .view = view, .row_of = xcalloc(cross_table->count + 1, sizeof *counted.row_of) };
    diff_table_init(&counted.table, cross_table->snapshots);
    for (uint32_t i = 0; i < cross_table->count; i++) {
        struct diff_key key;
        counted.row_of[i] = NO_INDEX;
        if (!make_row_key(view, &cross_table->keys[i], rows->persists[i], &key))
            continue;
        counted.row_of[i] = diff_table_index(&counted.table, &key);
        add_tallies(cross_table, i, &counted.table, counted.row_of[i]);
    }
    counted.rows = xcalloc(counted.table.count + 1, sizeof *counted.rows);
    *ret_counted = counted;
}

static void counted_deinit(struct counted *counted)
{
    diff_table_deinit(&counted->table);
    free(counted->row_of);
    free(counted->rows);
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

/* Fills in what the cells of each row have in common, and how many processes and services were added up in it. */
static void fill_common(const struct rows *rows, struct counted *counted)
{
    const struct diff_table *cross_table = &rows->builder->cross_table;
    const struct view *view = counted->view;
    bool *begun = xcalloc(counted->table.count + 1, sizeof *begun);
    for (uint32_t i = 0; i < cross_table->count; i++) {
        if (counted->row_of[i] == NO_INDEX)
            continue;
        struct diff_row *row = &counted->rows[counted->row_of[i]];
        const struct diff_key *cell = &cross_table->keys[i];
        bool is_part = view->by_pid || rows->is_first[i];
        row->pid = !begun[counted->row_of[i]] || row->pid == cell->pid ? cell->pid : 0;
        row->processes += !view->by_name && is_part;
        row->services += !view->by_service && is_part;
        if (!view->by_name && cell->process.kind == VALUE_TEXT) {
            bool other = row->seen_process != NULL && strcmp(row->seen_process, cell->process.text) != 0;
            row->seen_process = other ? "" : cell->process.text;
        }
        begun[counted->row_of[i]] = true;
    }
    free(begun);
}

static void fill_row(const struct rows *rows, const struct counted *counted, uint32_t index)
{
    const struct diff *diff = rows->builder->diff;
    const struct diff_key *key = &counted->table.keys[index];
    struct diff_row *row = &counted->rows[index];
    const uint32_t *counts = diff_table_tally(&counted->table, index, TALLY_COUNT);
    size_t last = diff->snapshot_count - 1;
    row->process = key->process;
    row->service = key->service;
    row->state = key->state;
    row->processes += counted->view->by_name;
    row->services += counted->view->by_service;
    row->one_of_several = counted->view->by_pid;
    if (row->seen_process != NULL && row->seen_process[0] == '\0')
        row->seen_process = NULL;
    row->first = counts[0];
    row->last = counts[last];
    row->stayed = diff_table_tally(&counted->table, index, TALLY_CORE)[last];
    row->came = row->last - row->stayed;
    row->went = row->first - row->stayed;
    diff_classify_row(diff, &counted->table, index, row);
}

static uint64_t *copy_tally(struct diff *diff, const struct diff_table *table, uint32_t index, enum diff_tally tally)
{
    uint64_t *copy = arena_alloc(&diff->arena, table->snapshots * sizeof *copy);
    for (size_t i = 0; i < table->snapshots; i++)
        copy[i] = diff_table_tally(table, index, tally)[i];
    return copy;
}

/* The worst row has the lowest rank. */
static unsigned rank_of(const struct diff_row *row)
{
    return (row->warns ? 0U : 2U * DIFF_KINDS) + 2U * row->kind + (row->unsure ? 0U : 1U);
}

static bool is_bad(const struct diff_row *row)
{
    return row->warns || row->unsure || row->kind <= DIFF_PILES_UP;
}

/* --- choosing ---------------------------------------------------------------------------------------------------- */

/* The growth of the cells of a row, and how much of it is in cells of other rows that are shown and equally bad. */
struct shown {
    uint64_t grown, covered;
};

static struct shown *count_shown(const struct rows *rows, const struct counted *counted)
{
    const struct diff_table *cross_table = &rows->builder->cross_table;
    struct shown *shown = xcalloc(counted->table.count + 1, sizeof *shown);
    for (uint32_t i = 0; i < cross_table->count; i++) {
        uint32_t row = counted->row_of[i];
        if (row == NO_INDEX)
            continue;
        const uint32_t *counts = diff_table_tally(cross_table, i, TALLY_COUNT);
        uint64_t first = counts[0], last = counts[cross_table->snapshots - 1];
        uint64_t grown = last > first ? last - first : 0;
        shown[row].grown += grown;
        shown[row].covered += rows->ranks[i] <= rank_of(&counted->rows[row]) ? grown : 0;
    }
    return shown;
}

static void show_row(struct rows *rows, const struct counted *counted, uint32_t index)
{
    struct diff *diff = rows->builder->diff;
    struct diff_row *row = &counted->rows[index];
    row->counts = copy_tally(diff, &counted->table, index, TALLY_COUNT);
    row->settled = copy_tally(diff, &counted->table, index, TALLY_SETTLED);
    xvec_grow((void **)&diff->rows, diff->row_count, &rows->capacity, sizeof *diff->rows);
    diff->rows[diff->row_count++] = *row;
}

static void add_view(struct rows *rows, const struct view *view)
{
    struct diff_builder *builder = rows->builder;
    struct counted counted;
    count_view(rows, view, &counted);
    fill_common(rows, &counted);
    for (uint32_t i = 0; i < counted.table.count; i++)
        fill_row(rows, &counted, i);
    struct shown *shown = count_shown(rows, &counted);
    bool *chosen = xcalloc(counted.table.count + 1, sizeof *chosen);
    for (uint32_t i = 0; i < counted.table.count; i++) {
        chosen[i] = view == &views[VIEW_ROWS] || (is_bad(&counted.rows[i]) && shown[i].covered * 2 < shown[i].grown);
        if (chosen[i])
            show_row(rows, &counted, i);
    }
    for (uint32_t i = 0; i < builder->cross_table.count; i++) {
        uint32_t row = counted.row_of[i];
        if (row == NO_INDEX)
            continue;
        unsigned rank = rank_of(&counted.rows[row]);
        rows->ranks[i] = chosen[row] && rank < rows->ranks[i] ? rank : rows->ranks[i];
        builder->leaks[i] |= counted.rows[row].kind <= DIFF_PILES_UP;
    }
    free(chosen);
    free(shown);
    counted_deinit(&counted);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

static int64_t absolute(int64_t number)
{
    return number < 0 ? -number : number;
}

static int worst_first(const void *a, const void *b)
{
    const struct diff_row *one = a, *other = b;
    unsigned rank = rank_of(one), other_rank = rank_of(other);
    if (rank != other_rank)
        return rank < other_rank ? -1 : 1;
    int64_t pace = absolute(one->millis_per_minute), other_pace = absolute(other->millis_per_minute);
    if (pace != other_pace)
        return pace > other_pace ? -1 : 1;
    uint64_t moved = one->came + one->went, other_moved = other->came + other->went;
    if (moved != other_moved)
        return moved > other_moved ? -1 : 1;
    if (one->last != other->last)
        return one->last > other->last ? -1 : 1;
    int order = value_compare(&one->process, &other->process);
    if (order == 0)
        order = value_compare(&one->service, &other->service);
    if (order == 0)
        order = (int)one->state - (int)other->state;
    return order != 0 ? order : (one->pid > other->pid) - (one->pid < other->pid);
}

static bool *find_persisting(const struct diff_builder *builder)
{
    bool *persists = xcalloc(builder->cross_table.count + 1, sizeof *persists);
    for (size_t i = 0; i < builder->cross_table.count; i++) {
        const struct process *process = diff_processes_find(
            &builder->pids[builder->count - 1], builder->cross_table.keys[i].pid);
        persists[i] = process != NULL && diff_same_process(&builder->pids[0], builder->diff->last, process) != NULL;
    }
    return persists;
}

/* Marks the first cell of each row of VIEW_ROWS. The caller frees the array. */
static bool *find_firsts(struct rows *rows)
{
    struct counted counted;
    size_t cell_count = rows->builder->cross_table.count;
    bool *is_first = xcalloc(cell_count + 1, sizeof *is_first);
    count_view(rows, &views[VIEW_ROWS], &counted);
    bool *seen = xcalloc(counted.table.count + 1, sizeof *seen);
    for (size_t i = 0; i < cell_count; i++) {
        is_first[i] = !seen[counted.row_of[i]];
        seen[counted.row_of[i]] = true;
    }
    free(seen);
    counted_deinit(&counted);
    return is_first;
}

/* Moves the rows from the growing array into the arena, and sorts them. */
static void finish_rows(struct diff *diff)
{
    struct diff_row *rows = arena_alloc(&diff->arena, diff->row_count * sizeof *rows);
    if (diff->row_count > 0)
        memcpy(rows, diff->rows, diff->row_count * sizeof *rows);
    free(diff->rows);
    diff->rows = rows;
    if (diff->row_count > 1)
        qsort(diff->rows, diff->row_count, sizeof *diff->rows, worst_first);
}

void diff_make_rows(struct diff_builder *builder)
{
    size_t cell_count = builder->cross_table.count;
    bool *persists = find_persisting(builder);
    struct rows rows = { .builder = builder, .persists = persists };
    rows.is_first = find_firsts(&rows);
    rows.ranks = xcalloc(cell_count + 1, sizeof *rows.ranks);
    memset(rows.ranks, 0xff, cell_count * sizeof *rows.ranks);
    builder->leaks = xcalloc(cell_count + 1, sizeof *builder->leaks);
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        add_view(&rows, &views[i]);
    finish_rows(builder->diff);
    free(rows.ranks);
    free(rows.is_first);
    free(persists);
}
