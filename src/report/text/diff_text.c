#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/diff.h"
#include "report/terminal/table.h"
#include "report/text/parts.h"

enum { ROWS_SHOWN = 20, PROCESSES_SHOWN = 8 };

/* --- head ------------------------------------------------------------------------------------------------------- */

static void headline(struct flow *flow, const struct diff *diff, const char *version)
{
    const struct snapshot *snapshot = diff->last;
    flow_printf(flow, STYLE_BOLD, "tcpwhy %s", version);
    flow_text(flow, STYLE_PLAIN, " · ");
    flow_value(flow, STYLE_BOLD, snapshot->host_name ? snapshot->host_name : "host unknown", 64);
    flow_printf(flow, STYLE_PLAIN, " · %zu captures", diff->snapshot_count);
    if (diff->times_known) {
        flow_text(flow, STYLE_PLAIN, ", ");
        flow_duration(flow, STYLE_PLAIN, diff->apart_ms);
        flow_text(flow, STYLE_PLAIN, " from the first to the last");
    }
    flow_line(flow);
    flow_count(flow, STYLE_DIM, diff->snapshots[0].conns);
    flow_text(flow, STYLE_DIM, " connections first, ");
    flow_count(flow, STYLE_DIM, diff->snapshots[diff->snapshot_count - 1].conns);
    flow_text(flow, STYLE_DIM, " last: ");
    flow_count(flow, STYLE_DIM, diff->stayed);
    flow_text(flow, STYLE_DIM, " stayed, ");
    flow_count(flow, STYLE_DIM, diff->came);
    flow_text(flow, STYLE_DIM, " came, ");
    flow_count(flow, STYLE_DIM, diff->went);
    flow_text(flow, STYLE_DIM, " went");
    flow_line(flow);
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

/* "+12.3", "-0.4", "0"; "-" if the times are not known */
static void add_pace(struct buf *cell, const struct diff *diff, int64_t millis)
{
    uint64_t tenths = ((uint64_t)(millis < 0 ? -millis : millis) + 50) / 100;
    if (!diff->times_known)
        buf_char(cell, '-');
    else if (tenths == 0)
        buf_char(cell, '0');
    else
        buf_printf(cell, "%c%" PRIu64 ".%" PRIu64, millis < 0 ? '-' : '+', tenths / 10, tenths % 10);
}

/* The number of services that the row adds up, or the one service. */
static void add_service(struct buf *cell, const struct diff *diff, const struct diff_row *row)
{
    if (row->services > 1)
        buf_printf(cell, "%" PRIu32 " services", row->services);
    else
        value_write_text(&row->service, diff->last, cell);
}

static void add_process(struct buf *cell, const struct diff *diff, const struct diff_row *row)
{
    bool named = row->process.kind != VALUE_UNKNOWN;
    if (row->seen_process != NULL) {
        text_escape(cell, row->seen_process);
        buf_str(cell, ", others not seen");
    } else if (row->processes > 1) {
        buf_printf(cell, "%" PRIu32 " processes", row->processes);
    } else if (named || row->pid == 0) {
        value_write_text(&row->process, diff->last, cell);
    }
    if (row->pid != 0 && row->one_of_several && named)
        buf_printf(cell, " (pid %" PRIu32 ")", row->pid);
    else if (row->pid != 0 && !named)
        buf_printf(cell, "pid %" PRIu32, row->pid);
}

static void fill_row(struct table *table, const struct diff *diff, const struct diff_row *row)
{
    buf_str(table_cell(table), diff_kind_name(row->kind));
    text_count(table_cell(table), row->first);
    text_count(table_cell(table), row->last);
    text_count(table_cell(table), row->stayed);
    text_count(table_cell(table), row->came);
    text_count(table_cell(table), row->went);
    add_pace(table_cell(table), diff, row->millis_per_minute);
    buf_str(table_cell(table), state_name(row->state));
    add_service(table_cell(table), diff, row);
    add_process(table_cell(table), diff, row);
}

static void fill_process(struct table *table, const struct diff *diff, const struct diff_process *process)
{
    uint32_t limit = process->process->fds_limit;
    struct buf *cell = table_cell(table);
    if (process->ends && process->ends_ms == 0)
        buf_str(cell, "reached");
    else if (process->ends)
        text_duration(cell, process->ends_ms);
    else
        buf_char(cell, '-');
    text_count(table_cell(table), process->fds_first);
    text_count(table_cell(table), process->fds_last);
    cell = table_cell(table);
    if (limit == UINT32_MAX)
        buf_str(cell, "none");
    else if (limit == 0)
        buf_char(cell, '-');
    else
        text_count(cell, limit);
    add_pace(table_cell(table), diff, process->millis_per_minute);
    buf_printf(table_cell(table), "%" PRIu32, process->process->pid);
    text_escape(table_cell(table), process->process->name != NULL ? process->process->name : "-");
}

struct column {
    const char *name;
    bool right;
};

static void titles(struct table *table, const struct column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        table_title(table, columns[i].name);
}

static void begin(struct table *table, const struct column *columns, size_t count)
{
    table_init(table);
    for (size_t i = 0; i < count; i++)
        table_add_column(table, columns[i].right);
    titles(table, columns, count);
    table_measure(table);
}

/* Rows that are steady are left out, unless all rows are wanted. */
static size_t shown_rows(const struct diff *diff, bool all)
{
    size_t count = 0;
    while (count < diff->row_count && (all || (count < ROWS_SHOWN && diff->rows[count].kind != DIFF_STEADY)))
        count++;
    return count;
}

static void rows(const struct diff *diff, const struct diff_report_options *options, FILE *out)
{
    static const struct column columns[] = { { "what", false }, { "first", true }, { "last", true }, { "stayed", true },
        { "came", true }, { "went", true }, { "per_min", true }, { "state", false }, { "service", false },
        { "process", false } };
    enum { COUNT = sizeof columns / sizeof *columns };
    size_t shown = shown_rows(diff, options->all);
    if (shown > 0) {
        struct table table;
        begin(&table, columns, COUNT);
        for (size_t i = 0; i < shown; i++) {
            fill_row(&table, diff, &diff->rows[i]);
            table_measure(&table);
        }
        fputc('\n', out);
        titles(&table, columns, COUNT);
        table_print(&table, out);
        for (size_t i = 0; i < shown; i++) {
            fill_row(&table, diff, &diff->rows[i]);
            table_print(&table, out);
        }
        table_deinit(&table);
    }
    if (shown == diff->row_count)
        return;
    struct buf left = { 0 };
    text_count(&left, diff->row_count - shown);
    fprintf(out, "%s%s more%s; --all shows them\n", shown > 0 ? "" : "\n", buf_text(&left),
        diff->rows[shown].kind == DIFF_STEADY ? ", steady" : "");
    buf_deinit(&left);
}

static void processes(const struct diff *diff, const struct diff_report_options *options, FILE *out)
{
    static const struct column columns[] = { { "limit_in", true }, { "fds_first", true }, { "last", true },
        { "limit", true }, { "per_min", true }, { "pid", true }, { "process", false } };
    enum { COUNT = sizeof columns / sizeof *columns };
    size_t shown = 0;
    while (shown < diff->process_count &&
        (options->all ||
            (shown < PROCESSES_SHOWN &&
                (diff->processes[shown].ends || diff->processes[shown].fds_last > diff->processes[shown].fds_first))))
        shown++;
    if (shown == 0)
        return;
    struct table table;
    begin(&table, columns, COUNT);
    for (size_t i = 0; i < shown; i++) {
        fill_process(&table, diff, &diff->processes[i]);
        table_measure(&table);
    }
    fputc('\n', out);
    titles(&table, columns, COUNT);
    table_print(&table, out);
    for (size_t i = 0; i < shown; i++) {
        fill_process(&table, diff, &diff->processes[i]);
        table_print(&table, out);
    }
    table_deinit(&table);
}

int diff_text(const struct diff *diff, const struct diff_report_options *options, FILE *out)
{
    struct flow flow;
    flow_init(&flow, &options->style, out);
    headline(&flow, diff, options->tool_version);
    text_verdict(&flow, diff->verdict);
    flow_text(&flow, diff->verdict == VERDICT_HEALTHY ? STYLE_PLAIN : STYLE_BOLD, diff->title);
    flow_line(&flow);
    int result = flow_finish(&flow);
    if (result < 0)
        return result;
    rows(diff, options, out);
    processes(diff, options, out);
    flow_init(&flow, &options->style, out);
    text_gaps(&flow, diff->gaps, diff->gap_count);
    return flow_finish(&flow);
}
