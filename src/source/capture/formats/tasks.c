/*
 * Lists of processes. Their headings are translated, except "PID" of tasklist and those of Get-Process. In tables, a
 * line of = or - shows the columns:
 *
 *   Image Name                     PID Session Name        Session#    Mem Usage
 *   ========================= ======== ================ =========== ============
 *   svchost.exe                   1044 Services                   0     12,345 K
 *
 *   Handles  NPM(K)    PM(K)      WS(K)     CPU(s)     Id  SI ProcessName
 *   -------  ------    -----      -----     ------     --  -- -----------
 *       210      13     2996      11644       0.05   5184   1 ApplicationFrameHost
 *
 * The same file may contain the connections. Their tables, lists and CSV are skipped.
 */
#include "source/capture/formats/tasks.h"

#include <errno.h>
#include <strings.h>

#include "base/text.h"
#include "source/capture/input/charset.h"
#include "source/capture/formats/columns.h"
#include "source/capture/formats/csv_cell.h"
#include "source/capture/formats/powershell.h"
#include "source/capture/input/open.h"

enum { COLUMNS_MAX = 24, NAME_MAX = 256, CELLS_MAX = 128 };

struct column {
    size_t start, end; /* on the screen */
};

struct table {
    struct token headings[COLUMNS_MAX]; /* into heading_text */
    unsigned heading_count;
    char heading_text[1024];
    struct column columns[COLUMNS_MAX];
    unsigned column_count; /* 0: no table was seen */
    unsigned name_column, pid_column;
};

struct csv {
    char separator; /* 0: no headings were seen */
    unsigned name_cell, pid_cell;
    bool is_other; /* the CSV is not a list of processes */
};

/* A record of a list. It ends with a blank line, or when a value comes that it already has. */
struct list {
    char name[NAME_MAX], last_value[NAME_MAX]; /* last_value is that of the line before */
    uint32_t pid;
    bool has_pid;
    bool is_conn;
};

struct tasks {
    struct capture *capture;
    struct table table;
    struct csv csv;
    struct list list;
    int64_t read;
};

static void name_pid(struct tasks *tasks, uint32_t pid, const char *name, size_t length)
{
    static const char *const ends[] = { "tasklist.exe", "WMIC.exe", "winlogon", "wininit" };
    enum { SYSTEM = 4 };
    struct task_list *list = &tasks->capture->task_list;
    tasks->read++;
    list->count++;
    list->has_idle |= pid == 0;
    list->has_system |= pid == SYSTEM;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        list->has_end |= strlen(ends[i]) == length && strncasecmp(ends[i], name, length) == 0;
    if (pid != 0 && length > 0)
        capture_name(tasks->capture, pid, name, length);
}

/* The meaning of a column, from its heading. For the name, the last one that exists is used. */
enum meaning { MEANS_NOTHING, MEANS_PROCESS, MEANS_NAME, MEANS_PROCESS_NAME, MEANS_PID };

static enum meaning meaning_of(const char *heading, size_t length)
{
    static const struct {
        const char *heading;
        enum meaning meaning;
    } known[] = {
        { "Id", MEANS_PID },
        { "PID", MEANS_PID },
        { "ProcessId", MEANS_PID },
        { "Process", MEANS_PROCESS },
        { "Name", MEANS_NAME },
        { "ProcessName", MEANS_PROCESS_NAME },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].heading) == length && strncasecmp(known[i].heading, heading, length) == 0)
            return known[i].meaning;
    }
    return MEANS_NOTHING;
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static bool is_rule(const struct token *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (words[i].length < 2 || strspn(words[i].text, "=") < words[i].length) {
            if (words[i].length < 2 || strspn(words[i].text, "-") < words[i].length)
                return false;
        }
    }
    return count >= 2;
}

/* The heading above the dashes. If a heading contains a blank, there are more words than columns. */
static const struct token *heading_above(const struct table *table, unsigned column)
{
    const struct column *rule = &table->columns[column];
    if (table->heading_count == table->column_count)
        return &table->headings[column];
    for (unsigned i = 0; i < table->heading_count; i++) {
        size_t start = (size_t)(table->headings[i].text - table->heading_text);
        if (start == rule->start || start + table->headings[i].length == rule->end)
            return &table->headings[i];
    }
    return NULL;
}

static void find_columns(struct table *table)
{
    enum meaning best = MEANS_NOTHING;
    bool has_pid = false;
    for (unsigned i = 0; i < table->column_count; i++) {
        const struct token *heading = heading_above(table, i);
        enum meaning meaning = heading != NULL ? meaning_of(heading->text, heading->length) : MEANS_NOTHING;
        if (meaning == MEANS_PID) {
            table->pid_column = i;
            has_pid = true;
        } else if (meaning > best) {
            table->name_column = i;
            best = meaning;
        }
    }
    if (!has_pid || best == MEANS_NOTHING)
        table->column_count = 0; /* a table of something else */
}

static void read_rule(struct table *table, const char *line, const struct token *words, unsigned count)
{
    table->column_count = count;
    for (unsigned i = 0; i < count; i++)
        table->columns[i] = (struct column){ (size_t)(words[i].text - line),
            (size_t)(words[i].text - line) + words[i].length };
    table->name_column = 0;
    table->pid_column = 1;
    if (words[0].text[0] == '-')
        find_columns(table);
}

/* The offset of character number `at`. A byte that is not UTF-8 counts as a character. */
static size_t characters_offset(const char *text, size_t length, size_t at)
{
    size_t offset = 0;
    for (; at > 0 && offset < length; at--) {
        uint32_t code;
        size_t taken = text_utf8_decode(text + offset, length - offset, &code);
        offset += taken > 0 ? taken : 1;
    }
    return offset;
}

/* Converts a position in a line to an offset: in columns of the screen, or in characters. */
typedef size_t (*offset_function)(const char *text, size_t length, size_t at);

/* The text of a column reaches from the end of the column before to the beginning of the next. */
static struct token cell(
    const struct table *table, const char *line, size_t length, unsigned column, offset_function offset_of)
{
    size_t from = column == 0 ? 0 : table->columns[column - 1].end;
    size_t to = column + 1 < table->column_count ? table->columns[column + 1].start : SIZE_MAX;
    size_t start = offset_of(line, length, from), end = to == SIZE_MAX ? length : offset_of(line, length, to);
    /* A word may reach into the space of a neighbour that is aligned to the other side. */
    while (start < end && column > 0 && line[start] != ' ')
        start++;
    while (start < end && line[start] == ' ')
        start++;
    bool crosses = end > start && end < length && line[end] != ' ';
    while (crosses && end > start && line[end - 1] != ' ')
        end--;
    while (end > start && line[end - 1] == ' ')
        end--;
    return (struct token){ line + start, end - start };
}

/* Returns false if it is not a row of the table. */
static bool read_table_row(struct tasks *tasks, const char *line, size_t length)
{
    static const offset_function functions[] = { columns_offset, characters_offset };
    const struct table *table = &tasks->table;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct token pid = cell(table, line, length, table->pid_column, functions[i]);
        struct token name = cell(table, line, length, table->name_column, functions[i]);
        uint64_t number;
        if (!token_number(&pid, UINT32_MAX, &number))
            continue;
        name_pid(tasks, (uint32_t)number, name.text, name.length);
        return true;
    }
    return false;
}

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

static unsigned split_cells(const char *line, char separator, struct token cells[CELLS_MAX])
{
    unsigned count = 0;
    while (line != NULL && count < CELLS_MAX)
        line = csv_scan_cell(line, separator, &cells[count++]);
    return count;
}

/* Finds the columns. The headings of tasklist are translated, except "PID"; its first column is the name. */
static bool read_csv_headings(struct csv *csv, const char *line, char separator)
{
    struct token cells[CELLS_MAX];
    unsigned count = split_cells(line, separator, cells), name = 0, pid = 0;
    enum meaning best = MEANS_NOTHING;
    bool has_pid = false;
    uint64_t number;
    for (unsigned i = 0; i < count; i++) {
        enum meaning meaning = meaning_of(cells[i].text, cells[i].length);
        if (token_number(&cells[i], UINT64_MAX, &number)) /* a row: a window may have the title "PID" */
            return false;
        if (meaning == MEANS_PID) {
            has_pid = true;
            pid = i;
        } else if (meaning > best) {
            best = meaning;
            name = i;
        }
    }
    if (!has_pid || name == pid || (best == MEANS_NOTHING && line[0] != '"'))
        return false;
    *csv = (struct csv){ .separator = separator, .name_cell = name, .pid_cell = pid };
    return true;
}

/* "svchost.exe","1044",…: a row without headings, from tasklist /NH. */
static bool read_bare_csv_row(struct tasks *tasks, const char *line)
{
    struct token cells[CELLS_MAX];
    uint64_t number;
    if (split_cells(line, ',', cells) < 2 && split_cells(line, ';', cells) < 2)
        return false;
    tasks->csv.is_other |= !token_number(&cells[1], UINT32_MAX, &number);
    if (!tasks->csv.is_other)
        name_pid(tasks, (uint32_t)number, cells[0].text, cells[0].length);
    return true;
}

/* Returns false if the line is not CSV. */
static bool read_csv_line(struct tasks *tasks, const char *line)
{
    struct csv *csv = &tasks->csv;
    struct token cells[CELLS_MAX];
    uint64_t number;
    for (const char *separator = ",;\t"; *separator != '\0'; separator++) {
        if (strchr(line, *separator) != NULL && read_csv_headings(csv, line, *separator))
            return true;
    }
    if (csv->separator != '\0') {
        unsigned count = split_cells(line, csv->separator, cells);
        if (count > csv->pid_cell && count > csv->name_cell &&
            token_number(&cells[csv->pid_cell], UINT32_MAX, &number)) {
            const struct token *name = &cells[csv->name_cell];
            name_pid(tasks, (uint32_t)number, name->text, name->length);
            return true;
        }
        *csv = (struct csv){ .is_other = line[0] == '"' };
    }
    if (line[0] == '"')
        return read_bare_csv_row(tasks, line);
    csv->is_other = false;
    return false;
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

static void end_record(struct tasks *tasks)
{
    struct list *list = &tasks->list;
    if (list->has_pid && list->name[0] != '\0')
        name_pid(tasks, list->pid, list->name, strlen(list->name));
    list->name[0] = list->last_value[0] = '\0';
    list->has_pid = list->is_conn = false;
}

static void copy_text(char kept[NAME_MAX], const struct token *text)
{
    size_t length = text->length < NAME_MAX - 1 ? text->length : NAME_MAX - 1;
    memcpy(kept, text->text, length);
    kept[length] = '\0';
}

static struct token trimmed(const char *text, size_t length)
{
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return (struct token){ text, length };
}

/*
 * Handles a PID: "PID:   1044" after "Image Name:   svchost.exe" in any language; or "Id : 1044" before or after
 * "ProcessName : java".
 */
static void set_pid(struct tasks *tasks, const struct token *key, uint32_t pid)
{
    struct list *list = &tasks->list;
    char above[NAME_MAX];
    memcpy(above, list->last_value, sizeof above);
    bool is_conn = list->is_conn;
    if (list->has_pid)
        end_record(tasks);
    list->has_pid = true;
    list->pid = pid;
    if (key->length == strlen("PID") && list->name[0] == '\0' && !is_conn)
        memcpy(list->name, above, sizeof above);
}

static void set_name(struct tasks *tasks, const struct token *value)
{
    struct list *list = &tasks->list;
    char name[NAME_MAX];
    copy_text(name, value);
    if (list->name[0] != '\0' && strcmp(list->name, name) != 0)
        end_record(tasks);
    memcpy(list->name, name, sizeof name);
}

static void read_list_row(struct tasks *tasks, const char *line)
{
    const char *colon = strchr(line, ':');
    if (colon == NULL)
        return;
    struct token key = trimmed(line, (size_t)(colon - line)), value = trimmed(colon + 1, strlen(colon + 1));
    enum meaning meaning = meaning_of(key.text, key.length);
    enum property property = property_find(key.text, key.length);
    uint64_t number;
    tasks->list.is_conn |= property >= PROPERTY_LOCAL_ADDRESS && property <= PROPERTY_STATE;
    if (meaning == MEANS_PID && token_number(&value, UINT32_MAX, &number))
        set_pid(tasks, &key, (uint32_t)number);
    else if (meaning == MEANS_NAME || meaning == MEANS_PROCESS_NAME)
        set_name(tasks, &value);
    copy_text(tasks->list.last_value, &value);
}

/* --- any format --------------------------------------------------------------------------------------------------- */

static void store_headings(struct table *table, const char *line)
{
    strncpy(table->heading_text, line, sizeof table->heading_text - 1);
    table->heading_count = tokens_split(
        table->heading_text, strlen(table->heading_text), table->headings, COLUMNS_MAX, NULL);
}

static void read_line(struct tasks *tasks, const struct line *line)
{
    struct token words[COLUMNS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, COLUMNS_MAX, NULL);
    if (count == 0) {
        end_record(tasks);
    } else if (is_rule(words, count)) {
        read_rule(&tasks->table, line->text, words, count);
    } else if (!read_csv_line(tasks, line->text) &&
        (tasks->table.column_count == 0 || !read_table_row(tasks, line->text, line->length))) {
        store_headings(&tasks->table, line->text);
        read_list_row(tasks, line->text);
    }
}

int64_t tasks_parse(struct input *input, struct capture *capture)
{
    struct tasks tasks = { .capture = capture };
    struct lines_reader reader = { .input = input };
    struct left_out left_out = { 0 };
    struct line line;
    int result;
    while ((result = lines_next(&reader, &line)) > 0) {
        line_remove_quotes(&line);
        if (strlen(line.text) != line.length) /* no program prints a NUL: this line is damaged */
            continue;
        read_line(&tasks, &line);
        left_out_note(&left_out, &line);
    }
    end_record(&tasks);
    capture->task_list.marks += left_out.marks;
    return result < 0 ? result : tasks.read;
}

int tasks_read(const char *path, struct capture *capture, struct error *err)
{
    struct input input;
    int result = input_open(&input, path, err);
    if (result < 0)
        return result;
    ssize_t filled = input_fill(&input, INPUT_PEEK);
    const char *before = capture->charset;
    capture->charset = filled > 0 ? charset_detect(input_bytes(&input), (size_t)filled) : NULL;
    int64_t read = filled < 0 ? filled : tasks_parse(&input, capture);
    capture->charset = before;
    input_close(&input);
    if (read < 0)
        return error_set(err, (int)read, path, "cannot be read: %s", strerror((int)-read));
    if (read == 0)
        return error_set(err, -EBADMSG, path,
            "holds no list of processes; --tasks reads what tasklist (also /FO CSV) or Get-Process printed");
    return 0;
}
