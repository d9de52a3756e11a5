/*
 * One look tells how many connections there are; two tell whether they are the same ones. That separates a leak from
 * load: a busy server has others every time, and about as many; where they grow and those of the first look are all still
 * there, nobody ends them. A row is a process, a service and a state.
 */
#include "diagnose/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/diff_match.h"
#include "diagnose/rule.h"
#include "model/key.h"

enum {
    CHANGE_LEAST = 3, /* connections: fewer more or less are chance */
    CHANGE_LEAST_PERCENT = 5,
    SERVICES_MOST = 8,     /* of one process that are told one by one, where none has more than a connection or two */
    TURNOVER_PERCENT = 10, /* of those that were there, went from one look to the next: somebody ends them */
};

/* --- rows ------------------------------------------------------------------------------------------------------- */

struct builder {
    const struct snapshot *looks;
    size_t count;
    const struct selection *selection;
    struct key_source *sources; /* for each look */
    struct context *contexts;   /* likewise, of which only the listeners are needed */
    struct key_use process_key;
    struct diff *diff;
    size_t row_capacity;
    uint32_t *slots;
    size_t slot_count;
    uint32_t **rows_of; /* for each look, for each of its connections: its row, or NO_INDEX where it is not selected */
};

static uint64_t hash_row(const struct value *process, const struct value *service, enum conn_state state)
{
    return value_hash(service, value_hash(process, (uint64_t)state));
}

static bool is_row(
    const struct diff_row *row, const struct value *process, const struct value *service, enum conn_state state)
{
    return row->state == state && value_equal(&row->process, process) && value_equal(&row->service, service);
}

static uint32_t *row_slot(
    const struct builder *builder, const struct value *process, const struct value *service, enum conn_state state)
{
    size_t slot = hash_row(process, service, state) & (builder->slot_count - 1);
    while (builder->slots[slot] != NO_INDEX &&
        !is_row(&builder->diff->rows[builder->slots[slot]], process, service, state))
        slot = (slot + 1) & (builder->slot_count - 1);
    return &builder->slots[slot];
}

static void grow_slots(struct builder *builder)
{
    struct diff *diff = builder->diff;
    builder->slot_count = builder->slot_count ? builder->slot_count * 2 : 256;
    builder->slots = xrealloc_array(builder->slots, builder->slot_count, sizeof *builder->slots);
    memset(builder->slots, 0xff, builder->slot_count * sizeof *builder->slots); /* NO_INDEX */
    for (size_t i = 0; i < diff->row_count; i++)
        *row_slot(builder, &diff->rows[i].process, &diff->rows[i].service, diff->rows[i].state) = (uint32_t)i;
}

static struct value service_of(const struct context *context, const struct conn *conn)
{
    if (conn_is_listener(conn) || context_is_incoming(context, conn))
        return (struct value){ .kind = VALUE_SERVICE_IN, .port = conn->local_port };
    if (conn->remote_port == 0) /* bound or closed: goes nowhere */
        return value_unknown();
    return (struct value){ .kind = VALUE_SERVICE_OUT, .ip = conn->remote, .port = conn->remote_port };
}

static uint32_t row_number(struct builder *builder, struct value process, struct value service, enum conn_state state)
{
    struct diff *diff = builder->diff;
    if (diff->row_count * 2 >= builder->slot_count)
        grow_slots(builder);
    uint32_t *slot = row_slot(builder, &process, &service, state);
    if (*slot == NO_INDEX) {
        xvec_grow((void **)&diff->rows, diff->row_count, &builder->row_capacity, sizeof *diff->rows);
        diff->rows[diff->row_count] = (struct diff_row){ .process = process, .service = service, .state = state };
        diff->rows[diff->row_count].counts = arena_alloc(&diff->arena, builder->count * sizeof(uint64_t));
        *slot = (uint32_t)diff->row_count++;
    }
    return *slot;
}

static uint32_t row_of_conn(struct builder *builder, size_t look, uint32_t index)
{
    const struct conn *conn = &builder->looks[look].conns[index];
    return row_number(builder, key_value(&builder->process_key, &builder->sources[look], index),
        service_of(&builder->contexts[look], conn), (enum conn_state)conn->state);
}

/* Which row each connection of a look is in. Returns -ENOMEM or 0. */
static int count_look(struct builder *builder, size_t look)
{
    const struct snapshot *snapshot = &builder->looks[look];
    uint32_t *rows = malloc((snapshot->conn_count + 1) * sizeof *rows);
    builder->rows_of[look] = rows;
    if (rows == NULL)
        return -ENOMEM;
    uint64_t selected = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        bool taken = builder->selection == NULL || selection_is_empty(builder->selection) ||
            selection_matches(builder->selection, snapshot, &snapshot->conns[i]);
        rows[i] = taken ? row_of_conn(builder, look, (uint32_t)i) : NO_INDEX;
        if (taken)
            builder->diff->rows[rows[i]].counts[look]++;
        selected += taken;
    }
    builder->diff->looks[look].conns = selected;
    return 0;
}

/* --- rows of many services --------------------------------------------------------------------------------------- */

/*
 * One process, with a connection or two to each of many services: none of these rows can tell anything, as so few more or
 * less are chance, and together they may be a leak. Data connections of FTP or RPC, a peer-to-peer program.
 */
static bool is_crumb(const struct diff_row *row, size_t looks)
{
    bool has_service = row->service.kind == VALUE_SERVICE_IN || row->service.kind == VALUE_SERVICE_OUT;
    if (!has_service || row->state == STATE_LISTEN)
        return false;
    for (size_t i = 0; i < looks; i++) {
        if (row->counts[i] >= CHANGE_LEAST)
            return false;
    }
    return true;
}

/* For each row the one of many services that it may go into, made behind them, and how many would; else itself. */
static uint32_t *find_wide_rows(struct builder *builder, uint32_t *services)
{
    struct diff *diff = builder->diff;
    size_t count = diff->row_count;
    uint32_t *wide = xcalloc(count + 1, sizeof *wide);
    for (size_t i = 0; i < count; i++) {
        const struct diff_row row = diff->rows[i];
        wide[i] = (uint32_t)i;
        if (!is_crumb(&row, builder->count))
            continue;
        bool incoming = row.service.kind == VALUE_SERVICE_IN;
        struct value service = { .kind = incoming ? VALUE_PORTS_IN : VALUE_ENDS_OUT };
        wide[i] = row_number(builder, row.process, service, row.state);
        services[wide[i] - count]++;
    }
    return wide;
}

static void fold_rows(struct builder *builder)
{
    struct diff *diff = builder->diff;
    size_t count = diff->row_count, kept = 0;
    uint32_t *services = xcalloc(count + 1, sizeof *services);
    uint32_t *wide = find_wide_rows(builder, services);
    uint32_t *number = xcalloc(diff->row_count + 1, sizeof *number);
    for (size_t i = 0; i < count; i++) {
        if (wide[i] != i && services[wide[i] - count] <= SERVICES_MOST)
            wide[i] = (uint32_t)i;
        for (size_t look = 0; look < builder->count && wide[i] != i; look++)
            diff->rows[wide[i]].counts[look] += diff->rows[i].counts[look];
    }
    for (size_t i = 0; i < diff->row_count; i++) {
        if (i < count ? wide[i] != i : services[i - count] <= SERVICES_MOST)
            continue;
        number[i] = (uint32_t)kept;
        diff->rows[kept] = diff->rows[i];
        if (i >= count)
            diff->rows[kept].service.number = services[i - count];
        kept++;
    }
    for (size_t look = 0; look < builder->count; look++) {
        for (size_t i = 0; i < builder->looks[look].conn_count; i++) {
            uint32_t *row = &builder->rows_of[look][i];
            *row = *row == NO_INDEX ? NO_INDEX : number[wide[*row]];
        }
    }
    diff->row_count = kept;
    free(number);
    free(wide);
    free(services);
}

/* --- steps ------------------------------------------------------------------------------------------------------ */

/* From one look to another: how many of each row are in the same row still. */
static int count_steps(struct builder *builder, size_t then, size_t now)
{
    struct diff *diff = builder->diff;
    bool whole = then == 0 && now == builder->count - 1, step = now == then + 1;
    uint32_t *matches = diff_match(&builder->looks[then], &builder->looks[now]);
    if (matches == NULL)
        return -ENOMEM;
    uint64_t *stayed = xcalloc(diff->row_count + 1, sizeof *stayed);
    for (size_t i = 0; i < builder->looks[now].conn_count; i++) {
        uint32_t row = builder->rows_of[now][i];
        uint32_t before = matches[i] == NO_INDEX ? NO_INDEX : builder->rows_of[then][matches[i]];
        if (row == NO_INDEX)
            continue;
        stayed[row] += before == row;
        if (whole)
            *(before == NO_INDEX ? &diff->came : &diff->stayed) += 1;
    }
    for (size_t i = 0; i < diff->row_count; i++) {
        struct diff_row *row = &diff->rows[i];
        if (step) {
            row->were += row->counts[then];
            row->went_between += row->counts[then] - stayed[i];
        }
        if (!whole)
            continue;
        row->stayed = stayed[i];
        row->came = row->counts[now] - stayed[i];
        row->went = row->counts[then] - stayed[i];
        row->first = row->counts[then];
        row->last = row->counts[now];
    }
    free(stayed);
    free(matches);
    return 0;
}

/* --- what it means ---------------------------------------------------------------------------------------------- */

static bool is_worth(uint64_t change, uint64_t of)
{
    return change >= CHANGE_LEAST && change * 100 >= of * CHANGE_LEAST_PERCENT;
}

/* States that the kernel ends by itself before long, or that are a step on the way. */
static bool is_passing(enum conn_state state)
{
    static const uint32_t passing = STATE_BIT(STATE_TIME_WAIT) | STATE_BIT(STATE_SYN_SENT) |
        STATE_BIT(STATE_SYN_RECEIVED) | STATE_BIT(STATE_CLOSED);
    return (passing & STATE_BIT(state)) != 0;
}

/* It was there in most looks, and hardly any that was there in one has left by the next. */
static bool is_kept(const struct diff_row *row)
{
    return row->were >= CHANGE_LEAST && row->went_between * 100 <= row->were * TURNOVER_PERCENT;
}

static enum diff_kind kind_of(const struct diff_row *row)
{
    if (row->last > row->first && is_worth(row->last - row->first, row->first)) {
        if (!is_kept(row) || is_passing(row->state))
            return DIFF_GROWS;
        return row->state == STATE_CLOSE_WAIT ? DIFF_LEAKS : DIFF_PILES_UP;
    }
    if (row->first > row->last && is_worth(row->first - row->last, row->first))
        return DIFF_SHRINKS;
    uint64_t moved = row->came + row->went;
    return moved >= CHANGE_LEAST && moved * 100 >= (row->first + row->last) * TURNOVER_PERCENT ? DIFF_BUSY
                                                                                               : DIFF_STEADY;
}

static int64_t absolute(int64_t number)
{
    return number < 0 ? -number : number;
}

static int worst_first(const void *a, const void *b)
{
    const struct diff_row *one = a, *other = b;
    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
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
    return order != 0 ? order : (int)one->state - (int)other->state;
}

/* --- processes ----------------------------------------------------------------------------------------------------- */

/* The processes that hold what was selected. */
static bool *concerned_processes(const struct builder *builder, const struct snapshot *last)
{
    bool *concerned = xcalloc(last->process_count + 1, sizeof *concerned);
    for (size_t i = 0; i < last->conn_count; i++) {
        if (builder->rows_of[builder->count - 1][i] == NO_INDEX)
            continue;
        for (uint32_t h = last->conns[i].holder; h != NO_INDEX; h = last->holders[h].next)
            concerned[last->holders[h].process] = true;
    }
    return concerned;
}

static int find_processes(struct builder *builder)
{
    bool *concerned = concerned_processes(builder, &builder->looks[builder->count - 1]);
    int result = diff_find_processes(builder->looks, builder->count, concerned, builder->diff);
    free(concerned);
    return result;
}

/* --- looks and their times -------------------------------------------------------------------------------------- */

static void add_gap(struct diff *diff, const char *id, const char *text, const char *remedy)
{
    xvec_grow((void **)&diff->gaps, diff->gap_count, &diff->gap_capacity, sizeof *diff->gaps);
    diff->gaps[diff->gap_count++] = (struct gap){ .id = id, .text = text, .remedy = remedy };
}

static void note_times(struct builder *builder, const struct diff_options *options)
{
    struct diff *diff = builder->diff;
    unsigned from_files = 0;
    for (size_t i = 0; i < builder->count; i++)
        from_files += builder->looks[i].origin != NULL;
    if (!diff->times_known)
        add_gap(diff, "times-unknown",
            "how fast anything grows: by their times the captures are not one after the other",
            "give them in order, earliest first; --interval SECS says how far apart they are");
    else if (from_files > 0 && options->interval_ms == 0)
        add_gap(diff, "times-of-files",
            "when the captures were taken: a text does not say it, and the times of its file were taken instead",
            "--interval SECS, if they are wrong: the time from one capture to the next");
}

static void list_looks(struct builder *builder, const struct diff_options *options)
{
    struct diff *diff = builder->diff;
    struct diff_look *looks = arena_alloc(&diff->arena, builder->count * sizeof *looks);
    diff->looks = looks;
    diff->look_count = builder->count;
    diff->times_known = true;
    for (size_t i = 0; i < builder->count; i++) {
        const struct snapshot *look = &builder->looks[i];
        looks[i] = (struct diff_look){ .from = look->from, .source = look->source, .taken_at_ms = look->taken_at_ms };
        if (options->interval_ms != 0 && i > 0)
            looks[i].taken_at_ms = looks[i - 1].taken_at_ms + options->interval_ms;
        diff->times_known &= i == 0 || looks[i].taken_at_ms > looks[i - 1].taken_at_ms;
    }
    diff->apart_ms = diff->times_known ? looks[builder->count - 1].taken_at_ms - looks[0].taken_at_ms : 0;
    note_times(builder, options);
}

/* What one look could not see, the comparison cannot either. */
static void take_gaps(struct builder *builder)
{
    struct diff *diff = builder->diff;
    for (size_t look = 0; look < builder->count; look++) {
        for (size_t i = 0; i < builder->looks[look].gap_count; i++) {
            const struct gap *gap = &builder->looks[look].gaps[i];
            bool known = false;
            for (size_t j = 0; j < diff->gap_count && !known; j++)
                known = strcmp(diff->gaps[j].id, gap->id) == 0;
            if (!known)
                add_gap(diff, gap->id, gap->text, gap->remedy);
        }
    }
}

static int check_hosts(const struct snapshot *looks, size_t count, struct error *err)
{
    for (size_t i = 1; i < count; i++) {
        const char *one = looks[0].host_name, *other = looks[i].host_name;
        if (one != NULL && other != NULL && strcmp(one, other) != 0)
            return error_set(err, -EINVAL, looks[i].from,
                "is of the host '%s', %s of '%s'; the two ends of connections are looked at with --from A --from B",
                other, looks[0].from != NULL ? looks[0].from : "the first one", one);
    }
    return 0;
}

/* --- the whole -------------------------------------------------------------------------------------------------- */

static void builder_init(struct builder *builder, const struct snapshot *looks, size_t count, struct diff *diff)
{
    *builder = (struct builder){ .looks = looks, .count = count, .diff = diff };
    builder->sources = xcalloc(count, sizeof *builder->sources);
    builder->contexts = xcalloc(count, sizeof *builder->contexts);
    builder->rows_of = xcalloc(count, sizeof *builder->rows_of);
    for (size_t i = 0; i < count; i++) {
        builder->sources[i].fields.snapshot = &looks[i];
        builder->contexts[i].snapshot = &looks[i];
        listeners_init(&builder->contexts[i].listeners, &looks[i]);
    }
    key_find("process", &builder->process_key);
}

static void builder_deinit(struct builder *builder)
{
    for (size_t i = 0; i < builder->count; i++) {
        listeners_deinit(&builder->contexts[i].listeners);
        free(builder->rows_of[i]);
    }
    free(builder->sources);
    free(builder->contexts);
    free(builder->rows_of);
    free(builder->slots);
}

/* What was built in a growing array lives with the rest. */
static void keep_rows(struct diff *diff)
{
    struct diff_row *rows = arena_alloc(&diff->arena, diff->row_count * sizeof *rows);
    if (diff->row_count > 0)
        memcpy(rows, diff->rows, diff->row_count * sizeof *rows);
    free(diff->rows);
    diff->rows = rows;
}

static int compare_looks(struct builder *builder)
{
    struct diff *diff = builder->diff;
    size_t count = builder->count;
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = count_look(builder, i);
    if (result == 0)
        fold_rows(builder);
    for (size_t i = 1; i < count && result == 0; i++)
        result = count_steps(builder, i - 1, i);
    if (count > 2 && result == 0)
        result = count_steps(builder, 0, count - 1);
    keep_rows(diff);
    if (result < 0)
        return result;
    diff->went = diff->looks[0].conns > diff->stayed ? diff->looks[0].conns - diff->stayed : 0;
    for (size_t i = 0; i < diff->row_count; i++) {
        diff->rows[i].kind = kind_of(&diff->rows[i]);
        diff->rows[i].millis_per_minute = diff_slope(diff, diff->rows[i].counts);
    }
    if (diff->row_count > 1)
        qsort(diff->rows, diff->row_count, sizeof *diff->rows, worst_first);
    return 0;
}

int diff_make(const struct snapshot *looks, size_t count, const struct diff_options *options, struct diff *ret_diff,
    struct error *err)
{
    int result = check_hosts(looks, count, err);
    if (result < 0)
        return result;
    struct diff diff = { .last = &looks[count - 1] };
    arena_init(&diff.arena);
    struct builder builder;
    builder_init(&builder, looks, count, &diff);
    builder.selection = options->selection;
    list_looks(&builder, options);
    result = compare_looks(&builder);
    if (result == 0)
        result = find_processes(&builder);
    if (result == 0) {
        diff_judge(&diff);
        take_gaps(&builder);
        *ret_diff = diff;
    } else {
        diff_deinit(&diff);
        error_set(err, result, NULL, "not enough memory");
    }
    builder_deinit(&builder);
    return result;
}
