#include "report/text_parts.h"

#include "base/text.h"

enum { BAR_COLUMNS_MAX = 40, PERCENT_COLUMNS = 6 };

struct state_row {
    enum conn_state state;
    uint64_t count;
};

/* The states that occur, most connections first. Returns how many. */
static size_t rows_of(const struct diagnosis *diagnosis, struct state_row rows[STATE_COUNT])
{
    size_t count = 0;
    for (int state = 0; state < STATE_COUNT; state++) {
        if (diagnosis->by_state[state] == 0)
            continue;
        size_t place = count++;
        for (; place > 0 && rows[place - 1].count < diagnosis->by_state[state]; place--)
            rows[place] = rows[place - 1];
        rows[place] = (struct state_row){ (enum conn_state)state, diagnosis->by_state[state] };
    }
    return count;
}

/* The ink of the worst finding about connections in that state. */
static enum ink ink_of(const struct diagnosis *diagnosis, enum conn_state state)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        if (finding->conn_count > 0 && diagnosis->snapshot->conns[finding->conns[0]].state == state)
            return text_severity_ink(finding->severity);
    }
    return INK_PLAIN;
}

static void right_aligned(struct sheet *sheet, enum ink ink, const char *text, size_t end)
{
    size_t width = text_width(text);
    sheet_column(sheet, end > width ? end - width : 0);
    sheet_text(sheet, ink, text);
}

static void percent(struct buf *out, uint64_t part, uint64_t whole)
{
    uint64_t hundredths = (uint64_t)((double)part * 100 / (double)whole + 0.5);
    if (hundredths == 0)
        buf_str(out, "<1\xc2\xa0%");
    else
        buf_printf(out, "%u\xc2\xa0%%", (unsigned)hundredths);
}

void text_states(struct sheet *sheet, const struct diagnosis *diagnosis)
{
    struct state_row rows[STATE_COUNT];
    size_t count = rows_of(diagnosis, rows), name_columns = 0;
    if (count == 0)
        return;
    struct buf number = { 0 };
    text_count(&number, rows[0].count);
    for (size_t i = 0; i < count; i++) {
        size_t width = text_width(state_name(rows[i].state));
        name_columns = width > name_columns ? width : name_columns;
    }
    size_t count_end = LABEL_COLUMN + name_columns + 2 + number.length;
    size_t bar_column = count_end + 1 + PERCENT_COLUMNS + 2;
    size_t bar_columns = sheet->width - bar_column < BAR_COLUMNS_MAX ? sheet->width - bar_column : BAR_COLUMNS_MAX;

    sheet_line(sheet);
    for (size_t i = 0; i < count; i++) {
        enum ink ink = ink_of(diagnosis, rows[i].state);
        sheet_column(sheet, LABEL_COLUMN);
        sheet_text(sheet, ink, state_name(rows[i].state));
        buf_clear(&number);
        text_count(&number, rows[i].count);
        right_aligned(sheet, ink, buf_text(&number), count_end);
        buf_clear(&number);
        percent(&number, rows[i].count, diagnosis->selected_count);
        right_aligned(sheet, INK_DIM, buf_text(&number), count_end + 1 + PERCENT_COLUMNS);
        sheet_column(sheet, bar_column);
        sheet_bar(sheet, ink == INK_PLAIN ? INK_DIM : ink, rows[i].count, rows[0].count, bar_columns);
        sheet_line(sheet);
    }
    buf_deinit(&number);
}
