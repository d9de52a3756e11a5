#include "report/terminal/table.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { GAP = 2 }; /* spaces between columns */

void table_init(struct table *table)
{
    *table = (struct table){ 0 };
}

void table_deinit(struct table *table)
{
    buf_deinit(&table->cells);
}

void table_add_column(struct table *table, bool right)
{
    assert(table->column_count < TABLE_COLUMNS_MAX);
    table->right[table->column_count++] = right;
}

struct buf *table_cell(struct table *table)
{
    assert(table->filled < table->column_count);
    if (table->filled > 0)
        buf_char(&table->cells, '\0');
    table->starts[table->filled++] = table->cells.length;
    return &table->cells;
}

void table_title(struct table *table, const char *name)
{
    struct buf *cell = table_cell(table);
    for (; *name != '\0'; name++) {
        if (*name == '_')
            buf_char(cell, '-');
        else
            buf_char(cell, (char)toupper((unsigned char)*name));
    }
}

static const char *cell_text(const struct table *table, unsigned column)
{
    return buf_text(&table->cells) + table->starts[column];
}

static void next_row(struct table *table)
{
    buf_clear(&table->cells);
    table->filled = 0;
}

void table_measure(struct table *table)
{
    for (unsigned i = 0; i < table->filled; i++) {
        size_t width = text_width(cell_text(table, i));
        if (width > table->widths[i])
            table->widths[i] = width;
    }
    next_row(table);
}

static void put_spaces(FILE *out, size_t count)
{
    for (; count > 0; count--)
        putc(' ', out);
}

/* Prints as many characters as fit into `room` columns, with an ellipsis. */
static void put_cut(const struct table *table, const char *text, size_t room, FILE *out)
{
    const char *sign = table->utf8 ? "…" : "...";
    size_t sign_width = table->utf8 ? 1 : 3;
    size_t used = 0, length = strlen(text), at = 0;
    while (at < length) {
        uint32_t code_point;
        size_t size = text_utf8_decode(text + at, length - at, &code_point);
        char one[5] = { 0 };
        memcpy(one, text + at, size > 0 ? size : 1);
        size_t width = text_width(one);
        if (used + width + sign_width > room)
            break;
        used += width;
        at += size > 0 ? size : 1;
    }
    fwrite(text, 1, at, out);
    fputs(sign, out);
}

size_t table_width(const struct table *table)
{
    size_t width = 0;
    for (unsigned i = 0; i < table->column_count; i++)
        width += table->hidden[i] ? 0 : table->widths[i] + GAP;
    return width > 0 ? width - GAP : 0;
}

void table_hide(struct table *table, unsigned column)
{
    table->hidden[column] = true;
}

void table_shrink(struct table *table, unsigned column, size_t least)
{
    size_t width = table_width(table), excess = width > table->cut_at ? width - table->cut_at : 0;
    size_t most = table->widths[column] > least ? table->widths[column] - least : 0;
    table->widths[column] -= excess < most ? excess : most;
}

/* The last column that is shown. */
static unsigned last_column(const struct table *table)
{
    unsigned last = table->filled - 1;
    while (last > 0 && table->hidden[last])
        last--;
    return last;
}

void table_print(struct table *table, FILE *out)
{
    enum { LEAST = 8 }; /* the least columns of the last cell, if the terminal is too narrow for the others */
    size_t column = 0;
    unsigned last = last_column(table);
    fputs(table->style != NULL ? table->style : "", out);
    for (unsigned i = 0; i <= last; i++) {
        if (table->hidden[i])
            continue;
        const char *text = cell_text(table, i);
        size_t width = text_width(text);
        size_t padding = table->widths[i] > width ? table->widths[i] - width : 0;
        if (table->right[i])
            put_spaces(out, padding);
        size_t room = table->cut_at > column + LEAST ? table->cut_at - column : LEAST;
        if (i != last)
            room = table->widths[i];
        if (table->cut_at > 0 && width > room)
            put_cut(table, text, room, out);
        else
            fputs(text, out);
        if (i != last)
            put_spaces(out, GAP + (table->right[i] ? 0 : padding));
        column += table->widths[i] + GAP;
    }
    fputs(table->style != NULL ? "\033[0m\n" : "\n", out);
    next_row(table);
}
