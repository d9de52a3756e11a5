/* Get-NetTCPConnection | ConvertTo-Csv (or Export-Csv). */
#include "source/capture/powershell.h"

/* One cell; quotes are taken off, doubled ones within are left. Returns where the next one begins, or NULL. */
static const char *take_cell(const char *text, char separator, struct word *ret_cell)
{
    if (*text == '"') {
        const char *end = text + 1;
        while (*end != '\0' && !(end[0] == '"' && end[1] != '"'))
            end += end[0] == '"' ? 2 : 1;
        *ret_cell = (struct word){ text + 1, (size_t)(end - text) - 1 };
        text = *end == '"' ? end + 1 : end;
    } else {
        size_t length = 0;
        while (text[length] != '\0' && text[length] != separator)
            length++;
        *ret_cell = (struct word){ text, length };
        text += length;
    }
    return *text == separator ? text + 1 : NULL;
}

static bool read_headings_at(struct powershell_csv *csv, const char *text, char separator)
{
    enum { COLUMNS_MOST = sizeof csv->columns / sizeof *csv->columns };
    *csv = (struct powershell_csv){ .separator = separator };
    struct word cell;
    for (const char *next = text; next != NULL && csv->count < COLUMNS_MOST; csv->count++) {
        next = take_cell(next, separator, &cell);
        csv->columns[csv->count] = property_find(cell.text, cell.length);
        csv->properties |= 1U << csv->columns[csv->count];
    }
    return properties_are_of_conn(csv->properties);
}

static enum line_kind read_headings(struct powershell_csv *csv, const char *text)
{
    struct powershell_csv found;
    for (const char *separator = ",;\t"; *separator != '\0'; separator++) {
        if (!read_headings_at(&found, text, *separator))
            continue;
        *csv = found;
        return LINE_HEADING;
    }
    return LINE_OTHER;
}

/* A line that is no connection: other headings, or of a row only a part, or prose with a comma or two. */
static enum line_kind read_other(
    struct powershell_csv *csv, const struct record *record, const char *text, unsigned columns)
{
    enum { SURELY_ROW = 4 };
    struct ip ip;
    bool ipv6;
    const struct word *local = &record->values[PROPERTY_LOCAL_ADDRESS],
                      *remote = &record->values[PROPERTY_REMOTE_ADDRESS];
    if (read_headings(csv, text) == LINE_HEADING)
        return LINE_HEADING;
    if (columns >= SURELY_ROW ||
        (local->length > 1 && address_parse(local->text, local->length, &ip, &ipv6) == END_OK) ||
        (remote->text != NULL && address_parse(remote->text, remote->length, &ip, &ipv6) == END_OK))
        return LINE_MALFORMED;
    return LINE_OTHER;
}

enum line_kind powershell_csv_row(struct capture *capture, const struct line *line)
{
    struct powershell_csv *csv = capture->state;
    if (csv->count == 0)
        return read_headings(csv, line->text);
    struct record record = { 0 };
    const char *next = line->text;
    unsigned column = 0;
    for (; next != NULL && column < csv->count; column++) {
        struct word cell;
        next = take_cell(next, csv->separator, &cell);
        record.values[csv->columns[column]] = cell;
    }
    if ((csv->properties & 1U << PROPERTY_LOCAL_ADDRESS) == 0)
        record.values[PROPERTY_LOCAL_ADDRESS] = any_address;
    if (record_add(capture, &record) == LINE_ROW)
        return LINE_ROW;
    return read_other(csv, &record, line->text, column);
}
