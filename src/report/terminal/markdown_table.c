#include "report/terminal/markdown_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/terminal/styled.h"

enum { GAP = 2 }; /* columns between two cells */

struct markdown_table_cell *markdown_table_add(struct markdown_table *table)
{
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 16;
        table->cells = xrealloc_array(table->cells, table->capacity, sizeof *table->cells);
    }
    struct markdown_table_cell *cell = &table->cells[table->count++];
    *cell = (struct markdown_table_cell){ 0 };
    return cell;
}

void markdown_table_deinit(struct markdown_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        buf_deinit(&table->cells[i].text);
    free(table->cells);
    *table = (struct markdown_table){ 0 };
}

/*
 * Divides `space` among the columns. A column that needs no more than an even share of what is left gets what it needs;
 * the others share the rest. This repeats until no column changes, so the sum never exceeds `space`.
 */
static void share(size_t *widths, size_t columns, size_t space)
{
    bool *settled = xcalloc(columns, sizeof *settled);
    size_t open = columns;
    bool changed = true;
    while (changed && open > 0) {
        changed = false;
        for (size_t i = 0; i < columns && open > 0; i++) {
            if (!settled[i] && widths[i] <= space / open) {
                settled[i] = changed = true;
                space -= widths[i];
                open--;
            }
        }
    }
    for (size_t i = 0; i < columns; i++) {
        if (!settled[i]) {
            widths[i] = space / open;
            space -= widths[i];
            open--;
        }
        if (widths[i] == 0)
            widths[i] = 1;
    }
    free(settled);
}

/* Takes columns from cells that are wider than their longest word, for cells whose longest word would be cut. */
static void spare_words(size_t *widths, const size_t *words, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        while (widths[i] < words[i]) {
            size_t from = i, most = 0;
            for (size_t j = 0; j < columns; j++) {
                if (widths[j] > words[j] && widths[j] - words[j] > most) {
                    most = widths[j] - words[j];
                    from = j;
                }
            }
            if (most == 0)
                return;
            widths[from]--;
            widths[i]++;
        }
    }
}

static void measure(const struct markdown_table *table, size_t *widths, size_t width)
{
    size_t *words = xcalloc(table->columns, sizeof *words);
    for (size_t i = 0; i < table->count; i++) {
        const char *text = buf_text(&table->cells[i].text);
        size_t wanted = styled_width(text), word = styled_longest_word(text), column = i % table->columns;
        widths[column] = wanted > widths[column] ? wanted : widths[column];
        words[column] = word > words[column] ? word : words[column];
    }
    size_t gaps = GAP * (table->columns - 1);
    share(widths, table->columns, width > gaps ? width - gaps : table->columns);
    spare_words(widths, words, table->columns);
    free(words);
}

static void trim(struct buf *out)
{
    while (out->length > 0 && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
}

static void print_row(
    const struct markdown_table *table, size_t first, const size_t *widths, const char *prefix, struct buf *out)
{
    struct styled_lines *cells = xcalloc(table->columns, sizeof *cells);
    bool more = false;
    for (size_t i = 0; i < table->columns; i++)
        cells[i].at = buf_text(&table->cells[first + i].text);
    do {
        more = false;
        buf_str(out, prefix);
        for (size_t i = 0; i < table->columns; i++) {
            struct buf line = { 0 };
            size_t used = styled_line(&cells[i], widths[i], &line);
            size_t padding = used < widths[i] ? widths[i] - used : 0;
            bool right = table->cells[first + i].right;
            buf_repeat(out, " ", right ? padding : 0);
            buf_str(out, buf_text(&line));
            buf_repeat(out, " ", (right ? 0 : padding) + GAP);
            buf_deinit(&line);
            more |= *cells[i].at != '\0';
        }
        trim(out);
        buf_char(out, '\n');
    } while (more);
    free(cells);
}

void markdown_table_print(const struct markdown_table *table, const char *prefix, size_t width,
    const struct report_style *style, struct buf *out)
{
    if (table->columns == 0)
        return;
    size_t *widths = xcalloc(table->columns, sizeof *widths);
    measure(table, widths, width);
    for (size_t first = 0; first + table->columns <= table->count; first += table->columns) {
        print_row(table, first, widths, prefix, out);
        if (first > 0)
            continue;
        buf_str(out, prefix);
        for (size_t i = 0; i < table->columns; i++) {
            buf_repeat(out, style->utf8 ? "─" : "-", widths[i]);
            buf_repeat(out, " ", i + 1 < table->columns ? GAP : 0);
        }
        buf_char(out, '\n');
    }
    free(widths);
}
