/* Get-NetTCPConnection | ConvertTo-Csv (or Export-Csv). */
#include "source/capture/formats/csv_cell.h"
#include "source/capture/formats/powershell.h"

static bool read_headings_at(struct powershell_csv *csv, const char *text, char separator)
{
    enum { COLUMNS_MAX = sizeof csv->columns / sizeof *csv->columns };
    *csv = (struct powershell_csv){ .separator = separator };
    struct token cell;
    for (const char *next = text; next != NULL && csv->count < COLUMNS_MAX; csv->count++) {
        next = csv_scan_cell(next, separator, &cell);
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

enum line_kind powershell_csv_row(struct capture *capture, const struct line *line)
{
    struct powershell_csv *csv = capture->state;
    if (csv->count == 0)
        return read_headings(csv, line->text);
    struct conn_record record = { 0 };
    const char *next = line->text;
    unsigned column = 0;
    for (; next != NULL && column < csv->count; column++) {
        struct token cell;
        next = csv_scan_cell(next, csv->separator, &cell);
        record.values[csv->columns[column]] = cell;
    }
    if ((csv->properties & 1U << PROPERTY_LOCAL_ADDRESS) == 0)
        record.values[PROPERTY_LOCAL_ADDRESS] = any_address;
    if (conn_record_add(capture, &record) == LINE_ROW)
        return LINE_ROW;
    if (read_headings(csv, line->text) == LINE_HEADING)
        return LINE_HEADING;
    return conn_record_is_incomplete(capture, &record) ? LINE_MALFORMED : LINE_OTHER;
}
