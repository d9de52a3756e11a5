/*
 * Lists of processes. Their headings are translated, but for "PID" in a list and for those of Get-Process; in tables a
 * rule of = or - shows where the columns are:
 *
 *   Image Name                     PID Session Name        Session#    Mem Usage
 *   ========================= ======== ================ =========== ============
 *   svchost.exe                   1044 Services                   0     12,345 K
 *
 *   Handles  NPM(K)    PM(K)      WS(K)     CPU(s)     Id  SI ProcessName
 *   -------  ------    -----      -----     ------     --  -- -----------
 *       210      13     2996      11644       0.05   5184   1 ApplicationFrameHost
 */
#include "source/capture/tasks.h"

#include <errno.h>
#include <strings.h>

#include "base/text.h"
#include "source/capture/charset.h"

enum { COLUMNS_MOST = 24, NAME_MOST = 256 };

struct column {
    size_t start, end; /* in characters */
};

struct tasks {
    struct capture *capture;
    struct word headings[COLUMNS_MOST]; /* into heading_text */
    unsigned heading_count;
    char heading_text[1024];
    struct column columns[COLUMNS_MOST];
    unsigned column_count; /* 0: no table was seen */
    unsigned name_column, pid_column;
    char last_value[NAME_MOST]; /* of a list: what stood on the line before */
    int64_t read;
};

static void name_pid(struct tasks *tasks, uint32_t pid, const char *name, size_t length)
{
    tasks->read++;
    if (pid != 0 && length > 0)
        capture_name(tasks->capture, pid, name, length);
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

/* Where character number `at` begins; a byte that is not UTF-8 is a character. */
static size_t offset_of(const char *text, size_t length, size_t at)
{
    size_t offset = 0;
    for (; at > 0 && offset < length; at--) {
        uint32_t code;
        size_t taken = text_utf8_decode(text + offset, length - offset, &code);
        offset += taken > 0 ? taken : 1;
    }
    return offset;
}

static bool is_rule(const struct word *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (words[i].length < 2 || strspn(words[i].text, "=") < words[i].length) {
            if (words[i].length < 2 || strspn(words[i].text, "-") < words[i].length)
                return false;
        }
    }
    return count >= 2;
}

static void read_rule(struct tasks *tasks, const char *line, const struct word *words, unsigned count)
{
    tasks->column_count = count;
    for (unsigned i = 0; i < count; i++)
        tasks->columns[i] = (struct column){ (size_t)(words[i].text - line),
            (size_t)(words[i].text - line) + words[i].length };
    tasks->name_column = 0;
    tasks->pid_column = 1;
    if (words[0].text[0] != '-')
        return;
    for (unsigned i = 0; i < tasks->heading_count && i < count; i++) {
        if (word_is(&tasks->headings[i], "Id"))
            tasks->pid_column = i;
        else if (word_is(&tasks->headings[i], "ProcessName") || word_is(&tasks->headings[i], "Name"))
            tasks->name_column = i;
    }
}

/* A column's text reaches from the end of the one before to the beginning of the next. */
static struct word cell(const struct tasks *tasks, const char *line, size_t length, unsigned column)
{
    size_t from = column == 0 ? 0 : tasks->columns[column - 1].end;
    size_t to = column + 1 < tasks->column_count ? tasks->columns[column + 1].start : SIZE_MAX;
    size_t start = offset_of(line, length, from), end = to == SIZE_MAX ? length : offset_of(line, length, to);
    /* Words reach into the neighbours' room where those are aligned the other way. */
    while (start < end && column > 0 && line[start] != ' ')
        start++;
    while (start < end && line[start] == ' ')
        start++;
    bool crosses = end > start && end < length && line[end] != ' ';
    while (crosses && end > start && line[end - 1] != ' ')
        end--;
    while (end > start && line[end - 1] == ' ')
        end--;
    return (struct word){ line + start, end - start };
}

static void read_table_row(struct tasks *tasks, const char *line, size_t length)
{
    struct word pid = cell(tasks, line, length, tasks->pid_column);
    struct word name = cell(tasks, line, length, tasks->name_column);
    uint64_t number;
    if (word_number(&pid, UINT32_MAX, &number))
        name_pid(tasks, (uint32_t)number, name.text, name.length);
}

/* --- CSV and lists ------------------------------------------------------------------------------------------------ */

/* "svchost.exe","1044",… */
static bool read_csv_row(struct tasks *tasks, const char *line)
{
    if (line[0] != '"')
        return false;
    const char *end = strchr(line + 1, '"');
    if (end == NULL || (end[1] != ',' && end[1] != ';') || end[2] != '"')
        return false;
    const char *digits = end + 3;
    struct word pid = { digits, strcspn(digits, "\"") };
    uint64_t number;
    if (word_number(&pid, UINT32_MAX, &number))
        name_pid(tasks, (uint32_t)number, line + 1, (size_t)(end - line) - 1);
    return true;
}

/* "PID:   1044" below "Image Name:   svchost.exe" */
static void read_list_row(struct tasks *tasks, const char *line)
{
    const char *colon = strchr(line, ':');
    if (colon == NULL)
        return;
    const char *value = colon + 1 + strspn(colon + 1, " ");
    struct word pid = { value, strcspn(value, " ") };
    uint64_t number;
    if (strncasecmp(line, "PID", 3) == 0 && word_number(&pid, UINT32_MAX, &number))
        name_pid(tasks, (uint32_t)number, tasks->last_value, strlen(tasks->last_value));
    size_t length = strlen(value) < NAME_MOST - 1 ? strlen(value) : NAME_MOST - 1;
    memcpy(tasks->last_value, value, length);
    tasks->last_value[length] = '\0';
}

static void keep_headings(struct tasks *tasks, const char *line)
{
    strncpy(tasks->heading_text, line, sizeof tasks->heading_text - 1);
    tasks->heading_count = words_split(
        tasks->heading_text, strlen(tasks->heading_text), tasks->headings, COLUMNS_MOST, NULL);
}

int64_t tasks_parse(struct input *input, struct capture *capture)
{
    struct tasks tasks = { .capture = capture };
    struct lines_reader reader = { .input = input };
    struct line line;
    int result;
    while ((result = lines_next(&reader, &line)) > 0) {
        struct word words[COLUMNS_MOST];
        unsigned count = words_split(line.text, line.length, words, COLUMNS_MOST, NULL);
        if (count == 0 || read_csv_row(&tasks, line.text))
            continue;
        if (is_rule(words, count)) {
            read_rule(&tasks, line.text, words, count);
        } else if (tasks.column_count > 0) {
            read_table_row(&tasks, line.text, line.length);
        } else {
            keep_headings(&tasks, line.text);
            read_list_row(&tasks, line.text);
        }
    }
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
