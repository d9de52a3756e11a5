#include "report/list.h"

#include <errno.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/sort.h"
#include "model/age.h"
#include "report/json/document.h"
#include "report/terminal/table.h"

/* What all three formats share: the connections in their order, and the columns. */
struct rows {
    struct field_source source;
    const struct list_options *options;
    uint32_t *indexes;
    uint64_t *weights; /* only while sorting: a number for each connection, the smallest first */
    size_t count;      /* rows to show */
    const struct field *columns[FIELD_MAX];
    unsigned column_count;
};

/* --- order ---------------------------------------------------------------------------------------------------- */

/*
 * The default order. Connections with a cause other than normal come first. Then they are sorted by state: those that
 * are being closed before open ones, listeners after them. Then by age, the oldest first and unknown ages last; then by
 * local port. All this is one number.
 */
static uint64_t default_weight(const struct field_source *source, uint32_t index)
{
    static const uint8_t ranks[STATE_COUNT] = {
        [STATE_CLOSE_WAIT] = 1,
        [STATE_LAST_ACK] = 2,
        [STATE_FIN_WAIT_1] = 3,
        [STATE_CLOSING] = 4,
        [STATE_FIN_WAIT_2] = 5,
        [STATE_SYN_SENT] = 6,
        [STATE_SYN_RECEIVED] = 7,
        [STATE_ESTABLISHED] = 8,
        [STATE_TIME_WAIT] = 9,
        [STATE_LISTEN] = 10,
        [STATE_BOUND] = 11,
        [STATE_CLOSED] = 12,
        [STATE_UNKNOWN] = 13,
    };
    enum { PORT_BITS = 16, AGE_BITS = 43, RANK_BITS = 4 }; /* 43 bits of milliseconds are 278 years */
    const uint64_t max_ms = (1ULL << AGE_BITS) - 1;
    const struct conn *conn = &source->snapshot->conns[index];
    struct age age = conn_age(source->snapshot, conn);
    uint64_t youth = max_ms;
    if (age.kind != AGE_UNKNOWN)
        youth -= age.ms < max_ms ? age.ms + 1 : max_ms;
    uint64_t is_normal = source->diagnosis->causes[index] == 0; /* cause 0 is "normal" */
    return ((is_normal << RANK_BITS | ranks[conn->state]) << AGE_BITS | youth) << PORT_BITS | conn->local_port;
}

/* The weight by the first sort column. Unknown values come last. */
static uint64_t column_weight(const struct list_sort_key *key, struct field_source *source, uint32_t index)
{
    struct value value = field_value(key->field, source, index);
    if (value.kind == VALUE_UNKNOWN)
        return UINT64_MAX;
    uint64_t number = value.number < UINT64_MAX ? value.number : UINT64_MAX - 1;
    return key->descending ? UINT64_MAX - 1 - number : number;
}

static int compare_columns(struct rows *rows, uint32_t a, uint32_t b)
{
    for (unsigned i = 0; i < rows->options->sort_count; i++) {
        const struct list_sort_key *key = &rows->options->sort[i];
        struct value x = field_value(key->field, &rows->source, a), y = field_value(key->field, &rows->source, b);
        int order = value_compare(&x, &y);
        if (order != 0) {
            bool unknown = x.kind == VALUE_UNKNOWN || y.kind == VALUE_UNKNOWN;
            return key->descending && !unknown ? -order : order;
        }
    }
    return 0;
}

static int compare_weights(struct rows *rows, uint32_t a, uint32_t b)
{
    if (rows->weights[a] != rows->weights[b])
        return rows->weights[a] < rows->weights[b] ? -1 : 1;
    if (rows->options->sort_count > 0)
        return compare_columns(rows, a, b);
    return 0;
}

/* So that two runs list the same connections in the same order. */
static int compare_ends(const struct conn *a, const struct conn *b)
{
    int order = ip_compare(&a->local, &b->local);
    if (order == 0)
        order = (int)a->local_port - (int)b->local_port;
    if (order == 0)
        order = ip_compare(&a->remote, &b->remote);
    return order != 0 ? order : (int)a->remote_port - (int)b->remote_port;
}

static int compare_rows(const void *context, uint32_t a, uint32_t b)
{
    struct rows *rows = *(struct rows *const *)context;
    const struct conn *conns = rows->source.snapshot->conns;
    int order = compare_weights(rows, a, b);
    return order != 0 ? order : compare_ends(&conns[a], &conns[b]);
}

/* The first sort value of each row is computed only once. It decides most comparisons. */
static void sort_rows(struct rows *rows)
{
    rows->weights = xrealloc_array(NULL, rows->source.snapshot->conn_count, sizeof *rows->weights);
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t index = rows->indexes[i];
        rows->weights[index] = rows->options->sort_count == 0
            ? default_weight(&rows->source, index)
            : column_weight(&rows->options->sort[0], &rows->source, index);
    }
    sort_indexes(rows->indexes, rows->count, compare_rows, &rows);
    free(rows->weights);
    rows->weights = NULL;
}

/* --- rows and columns ----------------------------------------------------------------------------------------- */

static bool several_netns(const struct rows *rows)
{
    const struct conn *conns = rows->source.snapshot->conns;
    for (size_t i = 1; i < rows->count; i++) {
        if (conns[rows->indexes[i]].netns != conns[rows->indexes[0]].netns)
            return true;
    }
    return false;
}

/*
 * True for a column that is shown only if rows differ in it: the same address in another namespace may be another host.
 */
static bool tells_apart(const struct rows *rows, const struct field *field)
{
    if (field == field_find("netns"))
        return several_netns(rows);
    return field == field_find("host") && rows->source.snapshot->host_count > 0;
}

static void choose_columns(struct rows *rows, bool all)
{
    const struct list_options *options = rows->options;
    if (options->column_count > 0) {
        for (unsigned i = 0; i < options->column_count; i++)
            rows->columns[rows->column_count++] = options->columns[i];
        return;
    }
    const struct field *field;
    for (size_t i = 0; (field = field_at(i)) != NULL; i++) {
        if (all || field->shown || tells_apart(rows, field))
            rows->columns[rows->column_count++] = field;
    }
}

static void rows_init(struct rows *rows, const struct diagnosis *diagnosis, const struct selection *selection,
    const struct list_options *options, bool all_columns)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    *rows = (struct rows){ .source = { .snapshot = snapshot, .diagnosis = diagnosis }, .options = options };
    rows->indexes = xrealloc_array(NULL, snapshot->conn_count, sizeof *rows->indexes);
    if (selection != NULL && selection_is_empty(selection))
        selection = NULL;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (selection == NULL ||
            (selection_matches(selection, snapshot, &snapshot->conns[i]) &&
                selection_matches_cause(selection, diagnosis_cause(diagnosis, i))))
            rows->indexes[rows->count++] = (uint32_t)i;
    }
    if (!options->unsorted)
        sort_rows(rows);
    if (options->limit != 0 && options->limit < rows->count)
        rows->count = options->limit;
    choose_columns(rows, all_columns);
}

static int finish(struct rows *rows, FILE *out)
{
    free(rows->indexes);
    return fflush(out) != 0 || ferror(out) ? (errno ? -errno : -EIO) : 0;
}

/* --- text ----------------------------------------------------------------------------------------------------- */

static void fill_row(struct rows *rows, struct table *table, uint32_t conn_index)
{
    for (unsigned i = 0; i < rows->column_count; i++) {
        const struct field *field = rows->columns[i];
        struct value value = field_value(field, &rows->source, conn_index);
        struct buf *cell = table_cell(table);
        value_write_text(&value, rows->source.snapshot, cell);
        if (field->add_words != NULL)
            field->add_words(&rows->source, conn_index, cell);
    }
}

static void fill_titles(const struct rows *rows, struct table *table)
{
    for (unsigned i = 0; i < rows->column_count; i++)
        table_title(table, rows->columns[i]->name);
}

/* A column that says nothing: all is unknown, or zero if that is nothing too. */
static bool says_nothing(struct rows *rows, const struct field *field, bool is_zero_nothing)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct value value = field_value(field, &rows->source, rows->indexes[i]);
        if (value.kind != VALUE_UNKNOWN && (!is_zero_nothing || value.number != 0))
            return false;
    }
    return true;
}

/* Leaves out columns that say nothing, as long as rows do not fit. */
static void hide_empty(struct rows *rows, struct table *table)
{
    static const struct {
        const char *name;
        bool is_zero_nothing;
    } may_hide[] = { { "recv_q", true }, { "send_q", true }, { "age", false } };
    for (size_t i = 0; i < sizeof may_hide / sizeof *may_hide; i++) {
        for (unsigned column = 0; column < rows->column_count; column++) {
            if (table_width(table) > table->cut_at && rows->columns[column] == field_find(may_hide[i].name) &&
                says_nothing(rows, rows->columns[column], may_hide[i].is_zero_nothing))
                table_hide(table, column);
        }
    }
}

/*
 * Makes the rows fit the terminal: without columns that say nothing, then with shorter words, at last without the cause
 * (colours show that there is one). Addresses and numbers stay whole. Columns that the user has chosen stay.
 */
static void fit(struct rows *rows, struct table *table)
{
    static const struct {
        const char *name;
        size_t least;
    } may_shrink[] = { { "netns", 8 }, { "process", 8 }, { "cause", 8 } };
    bool is_chosen = rows->options->column_count > 0;
    if (!is_chosen)
        hide_empty(rows, table);
    for (size_t i = 0; i < sizeof may_shrink / sizeof *may_shrink; i++) {
        for (unsigned column = 0; column < rows->column_count; column++) {
            if (rows->columns[column] == field_find(may_shrink[i].name))
                table_shrink(table, column, may_shrink[i].least);
        }
    }
    for (unsigned column = 0; column < rows->column_count && !is_chosen; column++) {
        if (table_width(table) > table->cut_at && rows->columns[column] == field_find("cause"))
            table_hide(table, column);
    }
}

int list_text(
    const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options, FILE *out)
{
    struct rows rows;
    rows_init(&rows, diagnosis, selection, options, false);
    struct table table;
    table_init(&table);
    table.cut_at = options->terminal_width;
    table.utf8 = options->utf8;
    for (unsigned i = 0; i < rows.column_count; i++)
        table_add_column(&table, rows.columns[i]->right);

    if (!options->no_header) {
        fill_titles(&rows, &table);
        table_measure(&table);
    }
    for (size_t i = 0; i < rows.count; i++) {
        fill_row(&rows, &table, rows.indexes[i]);
        table_measure(&table);
    }
    if (table.cut_at > 0)
        fit(&rows, &table);
    if (!options->no_header) {
        table.style = options->colour ? "\033[1m" : NULL;
        fill_titles(&rows, &table);
        table_print(&table, out);
    }
    for (size_t i = 0; i < rows.count && !ferror(out); i++) {
        fill_row(&rows, &table, rows.indexes[i]);
        bool is_stuck = diagnosis->causes[rows.indexes[i]] != 0;
        table.style = options->colour && is_stuck ? "\033[33m" : NULL;
        table_print(&table, out);
    }
    table_deinit(&table);
    return finish(&rows, out);
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

int list_json(
    const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options, FILE *out)
{
    struct rows rows;
    rows_init(&rows, diagnosis, selection, options, true);
    const struct snapshot *snapshot = diagnosis->snapshot;
    struct json json;
    json_begin(&json, out, false);
    document_begin(&json, "tcpwhy.list/1", options->tool_version, snapshot);
    json_key(&json, "connections");
    json_array(&json);
    for (size_t i = 0; i < rows.count && json.error == 0; i++) {
        json_object(&json);
        json.compact = true; /* each connection on one line: grep finds it, and the file has a third of the size */
        for (unsigned column = 0; column < rows.column_count; column++) {
            struct value value = field_value(rows.columns[column], &rows.source, rows.indexes[i]);
            json_key(&json, field_key(rows.columns[column]));
            value_write_json(&value, snapshot, &json);
        }
        json_object_end(&json);
        json.compact = false;
    }
    json_array_end(&json);
    document_end(&json, snapshot);
    int result = json_end(&json);
    free(rows.indexes);
    return result;
}

/* --- CSV ------------------------------------------------------------------------------------------------------ */

int list_csv(
    const struct diagnosis *diagnosis, const struct selection *selection, const struct list_options *options, FILE *out)
{
    struct rows rows;
    rows_init(&rows, diagnosis, selection, options, true);
    struct buf line = { 0 };
    if (!options->no_header) {
        for (unsigned i = 0; i < rows.column_count; i++)
            buf_printf(&line, "%s%s", i > 0 ? "," : "", field_key(rows.columns[i]));
        csv_end_record(&line);
        fwrite(line.data, 1, line.length, out);
    }
    for (size_t i = 0; i < rows.count && !ferror(out); i++) {
        buf_clear(&line);
        for (unsigned column = 0; column < rows.column_count; column++) {
            struct value value = field_value(rows.columns[column], &rows.source, rows.indexes[i]);
            if (column > 0)
                buf_char(&line, ',');
            value_write_csv(&value, diagnosis->snapshot, &line);
        }
        csv_end_record(&line);
        fwrite(line.data, 1, line.length, out);
    }
    buf_deinit(&line);
    return finish(&rows, out);
}
