#include "cmd/options.h"

#include <errno.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "cmd/option_table.h"
#include "cmd/output.h"
#include "cmd/ss_filter.h"
#include "cmd/ss_letters.h"

/* --- parsing ---------------------------------------------------------------------------------------------------- */

static const char *nearest_option(const struct option_group *groups, const char *name)
{
    struct suggestion suggestion = { .wanted = name };
    for (const struct option_group *group = option_first_group(groups); group != NULL;
         group = option_next_group(group)) {
        for (const struct option_row *row = group->rows; row->name != NULL; row++)
            suggest(&suggestion, row->name);
    }
    return suggestion.nearest;
}

static int unknown_option(const struct option_group *groups, const char *argument, size_t length, struct error *err)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), argument);
    const char *nearest = nearest_option(groups, name + strspn(name, "-"));
    if (nearest != NULL)
        return error_set(err, -EINVAL, name, "no such option; did you mean --%s?", nearest);
    return error_set(err, -EINVAL, name, "no such option; --help lists them");
}

static int parse_long(
    const struct option_group *groups, const char *argument, char **argv, int argc, int *at, struct error *err)
{
    size_t length = strcspn(argument, "=");
    const char *value = argument[length] == '=' ? argument + length + 1 : NULL;
    const struct option_group *group = NULL;
    const struct option_row *row = option_find(groups, 0, argument, &group);
    if (row == NULL) {
        int result = ss_long_apply(groups, argument, err);
        return result <= 0 ? result : unknown_option(groups, argument - 2, length + 2, err);
    }
    if (row->value == NULL && value != NULL)
        return error_set(err, -EINVAL, argument - 2, "takes no value");
    if (row->value != NULL && value == NULL) {
        if (*at + 1 >= argc)
            return error_set(err, -EINVAL, argument - 2, "needs a value: %s", row->value);
        value = argv[++*at];
    }
    return option_apply(group, row, value, err);
}

static int parse_letters(
    const struct option_group *groups, const char *letters, char **argv, int argc, int *at, struct error *err)
{
    if (ss_letters_meant(groups, letters, *at + 1 < argc ? argv[*at + 1] : NULL))
        return ss_letters_apply(groups, letters, err);
    for (; *letters != '\0'; letters++) {
        char shown[3] = { '-', *letters };
        const struct option_group *group = NULL;
        const struct option_row *row = option_find(groups, *letters, NULL, &group);
        if (row == NULL)
            return unknown_option(groups, shown, 2, err);
        const char *value = NULL;
        if (row->value != NULL) {
            value = letters[1] != '\0' ? letters + 1 : NULL;
            if (value == NULL && *at + 1 < argc)
                value = argv[++*at];
            if (value == NULL)
                return error_set(err, -EINVAL, shown, "needs a value: %s", row->value);
        }
        int result = option_apply(group, row, value, err);
        if (result != 0 || value != NULL)
            return result;
    }
    return 0;
}

static void print_help(const struct command *command, const struct option_group *groups)
{
    enum { HELP_COLUMN = 32 };
    unsigned width = output_style(stdout).width;
    struct buf text = { 0 };
    buf_printf(&text, "usage: %s\n\n", command->synopsis);
    text_wrap(&text, command->summary, 0, width);
    buf_char(&text, '\n');
    if (command->details != NULL)
        buf_printf(&text, "\n%s", command->details);
    for (const struct option_group *group = option_first_group(groups); group != NULL;
         group = option_next_group(group)) {
        buf_printf(&text, "\n%s:\n", group->title);
        for (const struct option_row *row = group->rows; row->name != NULL; row++) {
            struct buf left = { 0 };
            if (row->letter != 0)
                buf_printf(&left, "  -%c, --%s", row->letter, row->name);
            else
                buf_printf(&left, "      --%s", row->name);
            if (row->value != NULL)
                buf_printf(&left, " %s", row->value);
            buf_str(&text, buf_text(&left));
            if (left.length + 2 > HELP_COLUMN) {
                buf_char(&text, '\n');
                buf_repeat(&text, " ", HELP_COLUMN);
            } else {
                buf_repeat(&text, " ", HELP_COLUMN - left.length);
            }
            text_wrap(&text, row->help, HELP_COLUMN, width);
            buf_char(&text, '\n');
            buf_deinit(&left);
        }
    }
    if (command->examples != NULL)
        buf_printf(&text, "\nExamples:\n%s", command->examples);
    output_page();
    fputs(buf_text(&text), stdout);
    buf_deinit(&text);
}

int options_parse(const struct command *command, const struct option_group *groups, int argc, char **argv,
    int *ret_operands, struct error *err)
{
    int operands = 0;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        int result = 0;
        if (strcmp(argument, "--") == 0) {
            while (++i < argc)
                argv[1 + operands++] = argv[i];
            break;
        }
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            print_help(command, groups);
            return PARSE_HELP;
        }
        if (strncmp(argument, "--", 2) == 0)
            result = parse_long(groups, argument + 2, argv, argc, &i, err);
        else if (argument[0] == '-' && argument[1] != '\0')
            result = parse_letters(groups, argument + 1, argv, argc, &i, err);
        else
            argv[1 + operands++] = argv[i];
        if (result != 0)
            return result;
    }
    *ret_operands = operands;
    return PARSE_OK;
}

int options_parse_only(const struct command *command, const struct option_group *groups, int argc, char **argv,
    const char *hint, struct error *err)
{
    int operands = 0;
    int result = options_parse(command, groups, argc, argv, &operands, err);
    if (result != PARSE_OK || operands == 0)
        return result;
    if (!options_select_connections(groups))
        return error_set(err, -EINVAL, argv[1], "is not expected here; %s", hint);
    if (ss_filter_begins(argv[1]))
        return ss_filter_apply(groups, operands, argv + 1, err);
    char better[SS_HINT_MAX];
    return error_set(err, -EINVAL, argv[1], "is not expected here; %s", ss_filter_hint(argv[1], hint, better));
}

/* --- output ----------------------------------------------------------------------------------------------------- */

int cmd_fail(const struct command *command, const struct error *err)
{
    struct buf text = { 0 };
    buf_str(&text, "tcpwhy");
    if (command != NULL)
        buf_printf(&text, " %s", command->name);
    buf_str(&text, ": ");
    if (err->subject[0] != '\0') {
        text_escape(&text, err->subject);
        buf_str(&text, ": ");
    }
    text_escape(&text, err->message);
    fprintf(stderr, "%s\n", buf_text(&text));
    buf_deinit(&text);
    return STATUS_FAILED;
}

int cmd_fail_to_write(const struct command *command, int result)
{
    struct error err;
    error_set(&err, result, "standard output", "cannot be written: %s", strerror(-result));
    return cmd_fail(command, &err);
}
