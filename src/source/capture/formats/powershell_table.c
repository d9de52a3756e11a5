/*
 * Get-NetTCPConnection as a table:
 *
 *   LocalAddress LocalPort RemoteAddress RemotePort State       AppliedSetting OwningProcess ProcessName
 *   ------------ --------- ------------- ---------- -----       -------------- ------------- -----------
 *   10.0.0.5          9100 10.1.2.3           50000 CloseWait                           4312 Docker Desktop
 *
 * A cell begins where the dashes of its column begin. A number ends where they end. A cell may be empty or contain
 * blanks. A mail program may have replaced several blanks by one; then only the order of the words is left.
 */
#include "base/text.h"
#include "source/capture/formats/columns.h"
#include "source/capture/formats/powershell.h"

#define BIT(property) (1U << (property))

enum { WORDS_MAX = TABLE_COLUMNS_MAX };

static bool is_rule(const struct token *word)
{
    for (size_t i = 0; i < word->length; i++) {
        if (word->text[i] != '-')
            return false;
    }
    return word->length > 0;
}

static void place_columns(struct powershell_table *table, const char *line, const struct token *words, unsigned count)
{
    table->count = count;
    for (unsigned i = 0; i < count; i++) {
        table->columns[i].start = (size_t)(words[i].text - line);
        table->columns[i].end = table->columns[i].start + words[i].length;
    }
}

static enum line_kind read_headings(
    struct powershell_table *table, const char *line, const struct token *words, unsigned count)
{
    struct powershell_table found = { 0 };
    place_columns(&found, line, words, count);
    for (unsigned i = 0; i < count; i++) {
        found.columns[i].property = property_find(words[i].text, words[i].length);
        found.properties |= BIT(found.columns[i].property);
    }
    if (!properties_are_of_conn(found.properties)) {
        /* The headings of another table with addresses: Get-NetUDPEndpoint. */
        if (found.columns[0].property == PROPERTY_LOCAL_ADDRESS)
            *table = (struct powershell_table){ 0 };
        return LINE_OTHER;
    }
    *table = found;
    return LINE_HEADING;
}

/*
 * The property of the heading above the dashes. An added property may contain a blank, so there may be more words than
 * columns.
 */
static enum property property_above(const struct powershell_table *headings, const struct table_column *rule)
{
    for (unsigned i = 0; i < headings->count; i++) {
        if (headings->columns[i].start == rule->start || headings->columns[i].end == rule->end)
            return headings->columns[i].property;
    }
    return PROPERTY_NONE;
}

static enum line_kind read_rule(
    struct powershell_table *table, const char *line, const struct token *words, unsigned count)
{
    struct powershell_table headings = *table;
    place_columns(table, line, words, count);
    table->properties = 0;
    for (unsigned i = 0; i < count; i++) {
        struct table_column *column = &table->columns[i];
        column->property = headings.count == count ? headings.columns[i].property : property_above(&headings, column);
        table->properties |= BIT(column->property);
    }
    table->has_rule = true;
    if (properties_are_of_conn(table->properties))
        return LINE_HEADING;
    *table = (struct powershell_table){ 0 };
    return LINE_OTHER;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static enum line_kind add(struct capture *capture, const struct powershell_table *table, struct conn_record *record)
{
    if ((table->properties & BIT(PROPERTY_LOCAL_ADDRESS)) == 0)
        record->values[PROPERTY_LOCAL_ADDRESS] = any_address;
    return conn_record_add(capture, record);
}

/* Reads nearly all rows: at most one word in each column, at its place. */
static bool read_plain_row(const struct powershell_table *table, const char *line, const struct token *words,
    unsigned count, struct conn_record *ret_record)
{
    unsigned at = 0;
    for (unsigned i = 0; i < table->count && at < count; i++) {
        const struct table_column *column = &table->columns[i];
        size_t start = (size_t)(words[at].text - line);
        if (start == column->start || start + words[at].length == column->end)
            ret_record->values[column->property] = words[at++];
    }
    return at == count;
}

/* The words of a row, assigned to columns. */
struct placed {
    struct conn_record record;
    struct {
        size_t start, end;
    } cells[TABLE_COLUMNS_MAX]; /* 0, 0: empty */
    bool fits;                  /* each cell begins or ends with the dashes of its column */
    bool possible;              /* each address, port, state and PID is one word */
};

/* The column of a word: the one that it begins or ends with, else one that it overlaps, else the one before it. */
static unsigned column_of(const struct powershell_table *table, size_t start, size_t end)
{
    unsigned over = table->count, before = 0;
    for (unsigned i = 0; i < table->count; i++) {
        const struct table_column *column = &table->columns[i];
        if (column->start == start || column->end == end)
            return i;
        if (start < column->end && end > column->start)
            over = i;
        if (column->start < start)
            before = i;
    }
    return over < table->count ? over : before;
}

/* A name, and a date with its time. */
static bool may_have_blanks(enum property property)
{
    return property == PROPERTY_NONE || property == PROPERTY_PROCESS || property == PROPERTY_CREATED;
}

static void place(const struct powershell_table *table, const char *line, const struct token *words, unsigned count,
    struct placed *placed)
{
    *placed = (struct placed){ .fits = true, .possible = true };
    const char *behind = words[count - 1].text + words[count - 1].length;
    bool is_plain = text_plain(line, (size_t)(behind - line)) == (size_t)(behind - line);
    unsigned last = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t offset = (size_t)(words[i].text - line);
        size_t start = is_plain ? offset : columns_of(line, offset);
        size_t end = start + (is_plain ? words[i].length : columns_of(words[i].text, words[i].length));
        unsigned column = column_of(table, start, end);
        enum property property = table->columns[column].property;
        struct token *value = &placed->record.values[property];
        placed->fits &= column >= last;
        last = column;
        if (placed->cells[column].end == 0) {
            placed->cells[column].start = start;
            *value = words[i];
        } else {
            value->length = (size_t)(words[i].text + words[i].length - value->text);
            placed->possible &= may_have_blanks(property);
        }
        placed->cells[column].end = end;
    }
    for (unsigned i = 0; i < table->count; i++)
        placed->fits &= placed->cells[i].end == 0 || placed->cells[i].start == table->columns[i].start ||
            placed->cells[i].end == table->columns[i].end;
}

/*
 * Assigns the words to the columns in order. only_known: the columns that are not used are empty. More words than
 * columns belong to a name or a date in the last column.
 */
static bool read_in_order(const struct powershell_table *table, const struct token *words, unsigned count,
    bool only_known, struct conn_record *ret_record)
{
    unsigned at = 0;
    enum property last = PROPERTY_NONE;
    *ret_record = (struct conn_record){ 0 };
    for (unsigned i = 0; i < table->count; i++) {
        enum property property = table->columns[i].property;
        if (only_known && property == PROPERTY_NONE)
            continue;
        if (at == count)
            return false;
        ret_record->values[property] = words[at++];
        last = property;
    }
    if (at < count && (last == PROPERTY_NONE || !may_have_blanks(last)))
        return false;
    struct token *name = &ret_record->values[last];
    if (at < count)
        name->length = (size_t)(words[count - 1].text + words[count - 1].length - name->text);
    uint64_t pid;
    const struct token *number = &ret_record->values[PROPERTY_PID];
    return number->text == NULL || token_number(number, UINT32_MAX, &pid);
}

static enum line_kind read_unusual_row(struct capture *capture, struct powershell_table *table, const struct line *line,
    const struct token *words, unsigned count)
{
    struct placed placed;
    struct conn_record record;
    place(table, line->text, words, count, &placed);
    struct conn_record in_place = placed.record;
    if (placed.fits && placed.possible && add(capture, table, &in_place) == LINE_ROW)
        return LINE_ROW;
    for (int only_known = 0; only_known < 2; only_known++) {
        if (read_in_order(table, words, count, only_known != 0, &record) && add(capture, table, &record) == LINE_ROW)
            return LINE_ROW;
    }
    if (!placed.fits && placed.possible && add(capture, table, &in_place) == LINE_ROW)
        return LINE_ROW;
    if (read_headings(table, line->text, words, count) == LINE_HEADING)
        return LINE_HEADING;
    if (table->count == 0)
        return LINE_OTHER;
    return word_is_address(&words[0]) || conn_record_is_incomplete(capture, &placed.record) ? LINE_MALFORMED
                                                                                            : LINE_OTHER;
}

/*
 * A row of which nobody pasted the headings: what the cmdlet shows by itself, address, port, address, port, state, the
 * setting that applies, which may be empty, and the PID. The setting is a word, so that a number is the PID.
 */
static bool take_without_headings(const struct token *words, unsigned count, struct conn_record *ret_record)
{
    static const enum property order[] = { PROPERTY_LOCAL_ADDRESS, PROPERTY_LOCAL_PORT, PROPERTY_REMOTE_ADDRESS,
        PROPERTY_REMOTE_PORT, PROPERTY_STATE };
    enum { ORDERED = sizeof order / sizeof *order, MOST = ORDERED + 2 };
    uint64_t number;
    if (count < ORDERED || count > MOST || !word_is_address(&words[0]) || !word_is_address(&words[2]) ||
        !token_number(&words[1], UINT16_MAX, &number) || !token_number(&words[3], UINT16_MAX, &number))
        return false;
    *ret_record = (struct conn_record){ 0 };
    for (unsigned i = 0; i < ORDERED; i++)
        ret_record->values[order[i]] = words[i];
    bool has_pid = count > ORDERED && token_number(&words[count - 1], UINT32_MAX, &number);
    if (has_pid)
        ret_record->values[PROPERTY_PID] = words[count - 1];
    return has_pid || count < MOST;
}

enum line_kind powershell_table_row(struct capture *capture, const struct line *line)
{
    struct powershell_table *table = capture->state;
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    if (count == 0) /* only control characters */
        return LINE_OTHER;
    if (table->count == 0 || !table->has_rule) {
        if (table->count > 0 && is_rule(&words[0]))
            return read_rule(table, line->text, words, count);
        struct conn_record record;
        if (table->count == 0 && take_without_headings(words, count, &record) &&
            conn_record_add(capture, &record) == LINE_ROW)
            return LINE_ROW;
        return read_headings(table, line->text, words, count);
    }
    struct conn_record record = { 0 };
    if (read_plain_row(table, line->text, words, count, &record) && add(capture, table, &record) == LINE_ROW)
        return LINE_ROW;
    return read_unusual_row(capture, table, line, words, count);
}
