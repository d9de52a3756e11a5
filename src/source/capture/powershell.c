#include "source/capture/powershell.h"

#include <strings.h>

enum property property_find(const char *name, size_t length)
{
#define NAME(name, property)                                                                                           \
    {                                                                                                                  \
        name, sizeof(name) - 1, property                                                                               \
    }
    static const struct {
        const char *name;
        size_t length;
        enum property property;
    } names[] = {
        NAME("LocalAddress", PROPERTY_LOCAL_ADDRESS),
        NAME("LocalPort", PROPERTY_LOCAL_PORT),
        NAME("RemoteAddress", PROPERTY_REMOTE_ADDRESS),
        NAME("RemotePort", PROPERTY_REMOTE_PORT),
        NAME("State", PROPERTY_STATE),
        NAME("OwningProcess", PROPERTY_PID),
        NAME("PID", PROPERTY_PID),
        NAME("ProcessId", PROPERTY_PID),
        NAME("Process", PROPERTY_PROCESS),
        NAME("ProcessName", PROPERTY_PROCESS),
        NAME("Name", PROPERTY_PROCESS),
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].length != length)
            continue;
        if (memcmp(names[i].name, name, length) == 0 || strncasecmp(names[i].name, name, length) == 0)
            return names[i].property;
    }
#undef NAME
    return PROPERTY_NONE;
}

bool record_is_conn(const struct record *record)
{
    const struct word *values = record->values;
    return values[PROPERTY_LOCAL_ADDRESS].text != NULL && values[PROPERTY_LOCAL_PORT].text != NULL &&
        values[PROPERTY_REMOTE_ADDRESS].text != NULL && values[PROPERTY_STATE].text != NULL;
}

static bool read_end(struct capture *capture, const struct word *address, const struct word *port, struct ip *ret_ip,
    uint16_t *ret_port, bool *ret_ipv6)
{
    uint64_t number = 0;
    enum endpoint_result result = address_parse(address->text, address->length, ret_ip, ret_ipv6);
    capture->cut += result == END_CUT;
    if ((result != END_OK && result != END_CUT) || (port->text != NULL && !word_number(port, UINT16_MAX, &number)))
        return false;
    *ret_port = (uint16_t)number;
    return true;
}

enum line_kind record_add(struct capture *capture, const struct record *record)
{
    const struct word *values = record->values;
    struct conn *conn = capture_draft(capture);
    bool remote_v6;
    if (!record_is_conn(record))
        return LINE_MALFORMED;
    if (!read_end(capture, &values[PROPERTY_LOCAL_ADDRESS], &values[PROPERTY_LOCAL_PORT], &conn->local,
            &conn->local_port, &conn->ipv6) ||
        !read_end(capture, &values[PROPERTY_REMOTE_ADDRESS], &values[PROPERTY_REMOTE_PORT], &conn->remote,
            &conn->remote_port, &remote_v6))
        return LINE_MALFORMED;
    const struct word *state = &values[PROPERTY_STATE];
    conn->state = (uint8_t)state_words_find(&capture->state_words, state->text, state->length);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    capture_add(capture);
    const struct word *name = &values[PROPERTY_PROCESS];
    uint64_t pid = 0;
    bool has_pid = values[PROPERTY_PID].text != NULL && word_number(&values[PROPERTY_PID], UINT32_MAX, &pid);
    if (pid != 0 || (!has_pid && name->text != NULL && name->length > 0))
        capture_hold(capture, conn, (uint32_t)pid, name->text ? name->text : "", name->length, FD_UNKNOWN);
    return LINE_ROW;
}

void kept_record_set(struct kept_record *kept, enum property property, const char *text, size_t length)
{
    length = length < VALUE_MOST ? length : VALUE_MOST;
    memcpy(kept->text[property], text, length);
    kept->text[property][length] = '\0';
    kept->record.values[property] = (struct word){ kept->text[property], length };
}

/* --- a table ------------------------------------------------------------------------------------------------------ */

/*
 *   LocalAddress LocalPort RemoteAddress RemotePort State       AppliedSetting OwningProcess
 *   ------------ --------- ------------- ---------- -----       -------------- -------------
 *
 * Numbers stand at the right end of their column or at the left, and a cell may be empty.
 */

static bool is_rule(const struct word *word)
{
    for (size_t i = 0; i < word->length; i++) {
        if (word->text[i] != '-')
            return false;
    }
    return word->length > 0;
}

static enum line_kind read_headings(struct powershell_table *table, const struct word *words, unsigned count)
{
    unsigned known = 0;
    struct powershell_table found = { .count = count };
    for (unsigned i = 0; i < count; i++) {
        found.columns[i].property = property_find(words[i].text, words[i].length);
        known += found.columns[i].property != PROPERTY_NONE;
    }
    if (known < 4)
        return LINE_OTHER;
    *table = found;
    return LINE_HEADING;
}

static enum line_kind read_rule(
    struct powershell_table *table, const char *line, const struct word *words, unsigned count)
{
    if (count != table->count)
        return LINE_OTHER;
    for (unsigned i = 0; i < count; i++) {
        table->columns[i].start = (size_t)(words[i].text - line);
        table->columns[i].end = table->columns[i].start + words[i].length;
    }
    table->has_rule = true;
    return LINE_HEADING;
}

/* The column that a cell stands in: the one that it begins or ends with, else the one that it overlaps. */
static unsigned column_of(const struct powershell_table *table, const char *line, const struct word *word)
{
    size_t start = (size_t)(word->text - line), end = start + word->length;
    unsigned over = table->count;
    for (unsigned i = 0; i < table->count; i++) {
        if (table->columns[i].start == start || table->columns[i].end == end)
            return i;
        if (start < table->columns[i].end && end > table->columns[i].start)
            over = i;
    }
    return over;
}

enum line_kind powershell_table_row(struct capture *capture, const struct line *line)
{
    enum { WORDS_MOST = 24 };
    struct powershell_table *table = capture->state;
    struct word words[WORDS_MOST];
    unsigned count = words_split(line->text, line->length, words, WORDS_MOST, NULL);
    if (table->count == 0 || !table->has_rule) {
        if (table->count > 0 && is_rule(&words[0]))
            return read_rule(table, line->text, words, count);
        return read_headings(table, words, count);
    }
    if (property_find(words[0].text, words[0].length) != PROPERTY_NONE)
        return read_headings(table, words, count); /* a second table */
    struct record record = { 0 };
    for (unsigned i = 0; i < count; i++) {
        unsigned column = count == table->count ? i : column_of(table, line->text, &words[i]);
        if (column < table->count)
            record.values[table->columns[column].property] = words[i];
    }
    return record_is_conn(&record) ? record_add(capture, &record) : LINE_OTHER;
}

/* --- a list ------------------------------------------------------------------------------------------------------- */

static enum line_kind end_of_record(struct capture *capture, struct powershell_list *list)
{
    bool is_conn = record_is_conn(&list->record.record);
    enum line_kind kind = is_conn ? record_add(capture, &list->record.record) : LINE_DETAIL;
    list->record.record = (struct record){ 0 };
    return kind;
}

/* "LocalAddress   : 10.0.0.5": a record ends where its first property comes again. */
enum line_kind powershell_list_row(struct capture *capture, const struct line *line)
{
    struct powershell_list *list = capture->state;
    const char *text = line->text + strspn(line->text, " \t");
    size_t length = strcspn(text, " :");
    const char *colon = text + length + strspn(text + length, " ");
    enum property property = property_find(text, length);
    if (*colon != ':' || property == PROPERTY_NONE)
        return *colon == ':' && list->first != PROPERTY_NONE ? LINE_DETAIL : LINE_OTHER;
    enum line_kind kind = LINE_DETAIL;
    if (list->first == PROPERTY_NONE)
        list->first = property;
    if (list->record.record.values[property].text != NULL || property == list->first)
        kind = list->record.record.values[list->first].text != NULL ? end_of_record(capture, list) : LINE_DETAIL;
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t value_length = strlen(value);
    while (value_length > 0 && (value[value_length - 1] == ' ' || value[value_length - 1] == '\t'))
        value_length--;
    if (value_length > 0)
        kept_record_set(&list->record, property, value, value_length);
    return kind;
}

void powershell_list_finish(struct capture *capture)
{
    struct powershell_list *list = capture->state;
    if (record_is_conn(&list->record.record))
        capture_count(capture, end_of_record(capture, list));
}

/* --- CSV ------------------------------------------------------------------------------------------------------------ */

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

static enum line_kind read_csv_headings(struct powershell_csv *csv, const char *text)
{
    enum { COLUMNS_MOST = sizeof csv->columns / sizeof *csv->columns };
    for (const char *separator = ",;\t"; *separator != '\0'; separator++) {
        unsigned known = 0, count = 0;
        struct word cell;
        for (const char *next = text; next != NULL && count < COLUMNS_MOST; count++) {
            next = take_cell(next, *separator, &cell);
            csv->columns[count] = property_find(cell.text, cell.length);
            known += csv->columns[count] != PROPERTY_NONE;
        }
        if (known < 4)
            continue;
        csv->separator = *separator;
        csv->count = count;
        return LINE_HEADING;
    }
    return LINE_OTHER;
}

enum line_kind powershell_csv_row(struct capture *capture, const struct line *line)
{
    struct powershell_csv *csv = capture->state;
    if (csv->count == 0)
        return read_csv_headings(csv, line->text);
    struct record record = { 0 };
    const char *next = line->text;
    unsigned column = 0;
    for (; next != NULL && column < csv->count; column++) {
        struct word cell;
        next = take_cell(next, csv->separator, &cell);
        record.values[csv->columns[column]] = cell;
    }
    if (column < 4)
        return LINE_OTHER;
    return record_add(capture, &record);
}
