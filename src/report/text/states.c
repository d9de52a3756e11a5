#include "base/text.h"
#include "report/text/change.h"
#include "report/text/parts.h"

enum { BAR_COLUMNS_MAX = 40, PERCENT_COLUMNS = 6 };

struct state_row {
    enum conn_state state;
    uint64_t count;
};

/*
 * Fills the rows with the states that occur or did occur in `previous`, the most connections first. Returns their
 * number.
 */
static size_t rows_of(
    const struct diagnosis *diagnosis, const struct diagnosis *previous, struct state_row rows[STATE_COUNT])
{
    size_t count = 0;
    for (int state = 0; state < STATE_COUNT; state++) {
        if (diagnosis->by_state[state] == 0 && (previous == NULL || previous->by_state[state] == 0))
            continue;
        size_t place = count++;
        for (; place > 0 && rows[place - 1].count < diagnosis->by_state[state]; place--)
            rows[place] = rows[place - 1];
        rows[place] = (struct state_row){ (enum conn_state)state, diagnosis->by_state[state] };
    }
    return count;
}

/* The style of the worst finding about connections in that state. */
static enum style style_of(const struct diagnosis *diagnosis, enum conn_state state)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        if (finding->conn_count > 0 && diagnosis->snapshot->conns[finding->conns[0]].state == state)
            return text_severity_style(finding->severity);
    }
    return STYLE_PLAIN;
}

static void right_aligned(struct flow *flow, enum style style, const char *text, size_t end)
{
    size_t width = text_width(text);
    flow_column(flow, end > width ? end - width : 0);
    flow_text(flow, style, text);
}

static void percent(struct buf *out, uint64_t part, uint64_t whole)
{
    if (part == 0) {
        buf_str(out, "0\xc2\xa0%");
        return;
    }
    uint64_t hundredths = (uint64_t)((double)part * 100 / (double)whole + 0.5);
    if (hundredths == 0)
        buf_str(out, "<1\xc2\xa0%");
    else
        buf_printf(out, "%u\xc2\xa0%%", (unsigned)hundredths);
}

/* The columns of the widest change. */
static size_t change_columns(const struct diagnosis *diagnosis, const struct diagnosis *previous)
{
    enum { LEAST = 6 }; /* so that the bars do not move with each report */
    size_t widest = LEAST;
    struct buf change = { 0 };
    for (int state = 0; state < STATE_COUNT; state++) {
        buf_clear(&change);
        change_format(&change, diagnosis->by_state[state], previous->by_state[state]);
        size_t width = text_width(buf_text(&change));
        widest = width > widest ? width : widest;
    }
    buf_deinit(&change);
    return widest;
}

void text_states(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous)
{
    struct state_row rows[STATE_COUNT];
    size_t count = rows_of(diagnosis, previous, rows), name_columns = 0;
    if (count == 0)
        return;
    struct buf number = { 0 };
    text_count(&number, rows[0].count);
    for (size_t i = 0; i < count; i++) {
        size_t width = text_width(state_name(rows[i].state));
        name_columns = width > name_columns ? width : name_columns;
    }
    size_t count_end = LABEL_COLUMN + name_columns + 2 + number.length;
    size_t change_end = count_end + 1 + PERCENT_COLUMNS;
    if (previous != NULL)
        change_end += 2 + change_columns(diagnosis, previous);
    size_t bar_column = change_end + 2;
    size_t bar_columns = flow->width - bar_column < BAR_COLUMNS_MAX ? flow->width - bar_column : BAR_COLUMNS_MAX;

    flow_line(flow);
    for (size_t i = 0; i < count; i++) {
        enum style style = style_of(diagnosis, rows[i].state);
        flow_column(flow, LABEL_COLUMN);
        flow_text(flow, style, state_name(rows[i].state));
        buf_clear(&number);
        text_count(&number, rows[i].count);
        right_aligned(flow, style, buf_text(&number), count_end);
        buf_clear(&number);
        percent(&number, rows[i].count, diagnosis->selected_count);
        right_aligned(flow, STYLE_DIM, buf_text(&number), count_end + 1 + PERCENT_COLUMNS);
        if (previous != NULL) {
            buf_clear(&number);
            change_format(&number, rows[i].count, previous->by_state[rows[i].state]);
            right_aligned(flow, STYLE_BOLD, buf_text(&number), change_end);
        }
        flow_column(flow, bar_column);
        flow_bar(flow, style == STYLE_PLAIN ? STYLE_DIM : style, rows[i].count, rows[0].count, bar_columns);
        flow_line(flow);
    }
    buf_deinit(&number);
}
