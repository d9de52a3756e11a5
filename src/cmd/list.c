#include "report/list.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/view.h"

struct list_arguments {
    struct list_options list;
    bool csv;
};

/* --- options -------------------------------------------------------------------------------------------------- */

static int find_field(const char *name, const struct field **ret_field, struct error *err)
{
    *ret_field = field_find(name);
    if (*ret_field != NULL)
        return 0;
    const char *nearest = field_nearest(name);
    if (nearest == NULL)
        return error_set(err, -EINVAL, name, "is no column; --columns help lists them");
    return error_set(err, -EINVAL, name, "is no column; did you mean '%s'? --columns help lists them", nearest);
}

static void describe_columns(struct buf *out)
{
    enum { WIDTH = 79, HELP_COLUMN = 16 };
    buf_str(out, "Columns (* shown by default):\n");
    const struct field *field;
    for (size_t i = 0; (field = field_at(i)) != NULL; i++) {
        size_t start = out->length;
        buf_printf(out, "%c %s", field->shown ? '*' : ' ', field->name);
        buf_repeat(out, " ", HELP_COLUMN - (out->length - start));
        text_wrap(out, field->help, HELP_COLUMN, WIDTH);
        if (*field->unit != '\0')
            buf_printf(out, " [%s]", field->unit);
        buf_char(out, '\n');
    }
}

/* "--columns help" */
static int print_columns(void)
{
    struct buf text = { 0 };
    describe_columns(&text);
    output_page();
    fputs(buf_text(&text), stdout);
    buf_deinit(&text);
    return PARSE_HELP;
}

static void drop_column(struct list_options *list, const struct field *field)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < list->column_count; i++) {
        if (list->columns[i] != field)
            list->columns[kept++] = list->columns[i];
    }
    list->column_count = kept;
}

static void put_columns(struct list_options *list, bool all)
{
    const struct field *field;
    for (size_t i = 0; (field = field_at(i)) != NULL; i++) {
        drop_column(list, field);
        if (all || field->shown)
            list->columns[list->column_count++] = field;
    }
}

/* "a,b" shows these columns, "+c" adds one to the default columns, "-d" removes one, "all" shows all. */
static int set_columns(void *target, const char *value, struct error *err)
{
    struct list_options *list = &((struct list_arguments *)target)->list;
    if (strcmp(value, "help") == 0)
        return print_columns();
    if ((*value == '+' || *value == '-') && list->column_count == 0)
        put_columns(list, false);
    for (;;) {
        size_t length = strcspn(value, ",");
        char sign = '\0';
        if (*value == '+' || *value == '-')
            sign = *value;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(length - (sign != 0)), value + (sign != 0));
        const struct field *field = NULL;
        if (strcmp(name, "all") == 0 && sign != '-') {
            put_columns(list, true);
        } else {
            int result = find_field(name, &field, err);
            if (result < 0)
                return result;
            drop_column(list, field);
            if (sign != '-')
                list->columns[list->column_count++] = field;
        }
        if (value[length] == '\0')
            break;
        value += length + 1;
    }
    return list->column_count > 0 ? 0 : error_set(err, -EINVAL, NULL, "leaves no column");
}

static int set_sort(void *target, const char *value, struct error *err)
{
    struct list_options *list = &((struct list_arguments *)target)->list;
    if (strcmp(value, "help") == 0)
        return print_columns();
    list->unsorted = strcmp(value, "none") == 0;
    list->sort_count = 0;
    while (!list->unsorted) {
        size_t length = strcspn(value, ",");
        bool descending = *value == '-', is_signed = descending || *value == '+'; /* as in ps --sort */
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(length - is_signed), value + is_signed);
        if (list->sort_count == LIST_SORT_KEYS_MAX)
            return error_set(err, -E2BIG, name, "is one too many: at most %d", LIST_SORT_KEYS_MAX);
        struct list_sort_key *key = &list->sort[list->sort_count];
        int result = find_field(name, &key->field, err);
        if (result < 0)
            return result;
        key->descending = descending;
        list->sort_count++;
        if (value[length] == '\0')
            break;
        value += length + 1;
    }
    return 0;
}

static int set_limit(void *target, const char *value, struct error *err)
{
    if (text_parse_number(value, UINT32_MAX, &((struct list_arguments *)target)->list.limit) < 0)
        return error_set(err, -EINVAL, value, "is not a number of rows");
    return 0;
}

static const struct option_row list_rows[] = {
    { 'c', "columns", "LIST", "these columns, or '+timer,-pid' to change the default ones, or 'all'; 'help' lists them",
        set_columns },
    { 'o', "format", "LIST", "the same, as in ps", set_columns },
    { 'S', "sort", "LIST", "by these columns, descending with a minus: '-recv_q,age'; 'none': as the kernel lists them",
        set_sort },
    { 'n', "limit", "N", "this many rows at most; 0: all", set_limit },
    { 'H', "no-header", NULL, "no line of titles", .flag = offsetof(struct list_arguments, list.no_header) },
    { 0, "csv", NULL, "print CSV (RFC 4180), all columns unless chosen", .flag = offsetof(struct list_arguments, csv) },
    { 0 },
};

/* --- help ----------------------------------------------------------------------------------------------------- */

static void describe(struct buf *out)
{
    buf_str(out,
        "Sorted, unless --sort says otherwise: connections with a cause first, then by\n"
        "state, those that are being closed before those that live, listeners last,\n"
        "oldest first; ties by address and port. A row is a connection. On a terminal rows\n"
        "fit the width: empty queues are left out, long causes and names are cut.\n\n"
        "JSON (tcpwhy.list/1) and CSV hold all columns unless --columns names some.\n"
        "Unknown is \"-\" in text, null in JSON, empty in CSV. Control characters are\n"
        "escaped everywhere; CSV puts an apostrophe before text that a spreadsheet\n"
        "would take for a formula.\n\n");
    describe_columns(out);
    cmd_describe_causes(out);
}

static int print_list(
    void *target, const struct inspect_options *options, struct inspection *inspection, struct error *err)
{
    (void)err;
    struct list_arguments *arguments = target;
    if (!options->json && !arguments->csv)
        output_page();
    struct report_style style = cmd_table_style();
    arguments->list.terminal_width = style.width;
    arguments->list.utf8 = style.utf8;
    arguments->list.colour = style.colour;
    return (options->json    ? list_json
            : arguments->csv ? list_csv
                             : list_text)(&inspection->diagnosis, &options->selection, &arguments->list, stdout);
}

static int run_list(const struct command *self, int argc, char **argv)
{
    struct inspect_options inspection = { .causes_only = true, .needs_rows = true };
    struct list_arguments arguments = { .list = { .tool_version = TCPWHY_VERSION } };
    const struct option_group groups[] = {
        { "List", list_rows, &arguments },
        { "Which connections", inspect_option_rows, &inspection },
        { 0 },
    };
    const struct view view = {
        .groups = groups,
        .hint = "options begin with -",
        .describe = describe,
        .csv = &arguments.csv,
        .print = print_list,
        .arguments = &arguments,
    };
    return cmd_view(self, &view, &inspection, argc, argv);
}

const struct command command_list = {
    .name = "list",
    .summary = "one row per connection, with owner, age, queues and cause",
    .synopsis = "tcpwhy list [OPTIONS]",
    .examples = "  tcpwhy list --state close-wait --older 5m\n"
                "      CLOSE_WAIT for five minutes or more, oldest first\n"
                "  tcpwhy list --process 'java*' --columns +timer,+rtt --sort -recv_q\n"
                "      java's, with two more columns, most unread bytes first\n"
                "  tcpwhy list --cause '*-unanswered' --csv > unanswered.csv\n"
                "      for a spreadsheet\n",
    .run = run_list,
};
