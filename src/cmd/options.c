#include "cmd/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "cmd/output.h"

/* --- options of every command that reads connections ---------------------------------------------------------- */

static int set_states(void *target, const char *value, struct error *err)
{
    return selection_add_states(&((struct inspect_options *)target)->selection, value, err);
}

static int set_pids(void *target, const char *value, struct error *err)
{
    return selection_add_pids(&((struct inspect_options *)target)->selection, value, err);
}

static int set_names(void *target, const char *value, struct error *err)
{
    return selection_add_names(&((struct inspect_options *)target)->selection, value, err);
}

static int set_ports(void *target, const char *value, struct error *err)
{
    return selection_add_ports(&((struct inspect_options *)target)->selection, value, err);
}

static int set_local(void *target, const char *value, struct error *err)
{
    return selection_add_local(&((struct inspect_options *)target)->selection, value, err);
}

static int set_peer(void *target, const char *value, struct error *err)
{
    return selection_add_peer(&((struct inspect_options *)target)->selection, value, err);
}

static int set_older(void *target, const char *value, struct error *err)
{
    return selection_set_older(&((struct inspect_options *)target)->selection, value, err);
}

static int set_causes(void *target, const char *value, struct error *err)
{
    return selection_add_causes(&((struct inspect_options *)target)->selection, value, err);
}

static int set_netns(void *target, const char *value, struct error *err)
{
    struct inspect_options *inspection = target;
    (void)err;
    inspection->selection.netns = value;
    inspection->source.own_netns_only = strcmp(value, "self") == 0;
    return 0;
}

static int set_source(void *target, const char *value, struct error *err)
{
    static const struct {
        const char *name;
        enum source_kind kind;
    } kinds[] = { { "auto", SOURCE_AUTO }, { "bpf", SOURCE_BPF }, { "netlink", SOURCE_NETLINK },
        { "proc", SOURCE_PROC } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(value, kinds[i].name) == 0) {
            ((struct inspect_options *)target)->source.kind = kinds[i].kind;
            ((struct inspect_options *)target)->names_source = true;
            return 0;
        }
    }
    return error_set(err, -EINVAL, value, "is not a source: auto, bpf, netlink or proc");
}

/* Stores an option that selects connections, for commands that are printed and must select the same ones. */
static void add_again(const struct inspect_options *options, const char *name, const char *value)
{
    struct buf word = { 0 };
    if (options->again != NULL && (value == NULL || text_shell_quote(&word, value))) {
        buf_printf(options->again, " --%s", name);
        if (value != NULL)
            buf_printf(options->again, " %s", buf_text(&word));
    }
    buf_deinit(&word);
}

int options_add_from(struct inspect_options *options, const char *path, struct error *err)
{
    if (*path == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a file, or - for standard input");
    if (options->from_count == INSPECT_FROM_MAX)
        return error_set(err, -E2BIG, path, "is one too many: at most %d captures", INSPECT_FROM_MAX);
    options->from[options->from_count++] = path;
    add_again(options, "from", path);
    return 0;
}

static int set_from(void *target, const char *value, struct error *err)
{
    return options_add_from(target, value, err);
}

static int set_tasks(void *target, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a file");
    ((struct inspect_options *)target)->tasks = value;
    return 0;
}

int cmd_set_interval(const char *value, uint64_t min_ms, uint64_t *ret_ms, struct error *err)
{
    enum { MAX_MS = 24 * 60 * 60 * 1000 };
    uint64_t ms;
    if (text_parse_duration(value, &ms) < 0 || ms < min_ms || ms > MAX_MS)
        return error_set(
            err, -EINVAL, value, "is not a time from %llu ms to a day: 5, 10s, 1m", (unsigned long long)min_ms);
    *ret_ms = ms;
    return 0;
}

static int set_confirm(void *target, const char *value, struct error *err)
{
    enum { MIN_MS = 100 };
    return cmd_set_interval(value, MIN_MS, &((struct inspect_options *)target)->confirm_ms, err);
}

static int set_config(void *target, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a file");
    ((struct inspect_options *)target)->config = value;
    return 0;
}

const struct option_row inspect_option_rows[] = {
    { 's', "state", "LIST", "states, in any spelling: close-wait,LAST_ACK", set_states },
    { 'p', "pid", "LIST", "held by these processes", set_pids },
    { 'P', "process", "LIST", "held by processes of these names; wildcards: 'java*'", set_names },
    { 0, "port", "LIST", "local or remote port", set_ports },
    { 'l', "local", "ADDR[/LEN][:PORT]", "local end: 10.0.0.5, 10.0.0.0/8:80, :443, [::1]:80", set_local },
    { 'r', "peer", "ADDR[/LEN][:PORT]", "remote end, written likewise", set_peer },
    { 0, "older", "AGE", "in their state for at least 90s, 5m, 2h, 1d", set_older },
    { 0, "cause", "LIST", "cause: 'normal', a finding's id; wildcards: 'close-wait-*'", set_causes },
    { 0, "netns", "WHICH", "network namespace: self, all (default), a name or a PID", set_netns },
    { '4', "ipv4", NULL, "IPv4 only", .flag = offsetof(struct inspect_options, selection.ipv4) },
    { '6', "ipv6", NULL, "IPv6 only", .flag = offsetof(struct inspect_options, selection.ipv6) },
    { 'f', "from", "FILE",
        "look at a capture instead of this host: what netstat, ss, lsof or PowerShell printed; - reads it from "
        "standard input",
        set_from },
    { 0, "tasks", "FILE", "names the PIDs of a capture: what tasklist or Get-Process printed", set_tasks },
    { 0, "source", "KIND", "read sockets by: auto (default), bpf, netlink, proc", set_source },
    { 0, "confirm", "SECS", "look again so long after: only what has not moved is stuck", set_confirm },
    { 0, "config", "FILE", "be judged by this configuration instead of the usual ones", set_config },
    { 'j', "json", NULL, "print JSON", .flag = offsetof(struct inspect_options, json) },
    { 0 },
};

void options_pick(const struct option_row *rows, const char *const *names, struct option_row *ret_rows, size_t most)
{
    size_t count = 0;
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        for (size_t i = 0; names[i] != NULL && count + 1 < most; i++) {
            if (strcmp(row->name, names[i]) == 0)
                ret_rows[count++] = *row;
        }
    }
    ret_rows[count] = (struct option_row){ 0 };
}

void inspect_rows_but_json(struct option_row ret_rows[INSPECT_ROWS_MAX])
{
    size_t count = 0;
    for (const struct option_row *row = inspect_option_rows; row->name != NULL && count + 1 < INSPECT_ROWS_MAX; row++) {
        if (strcmp(row->name, "json") != 0)
            ret_rows[count++] = *row;
    }
    ret_rows[count] = (struct option_row){ 0 };
}

bool cmd_option_selects(const struct option_row *row)
{
    static const char *const names[] = { "state", "pid", "process", "port", "local", "peer", "older", "cause", "netns",
        "ipv4", "ipv6" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(row->name, names[i]) == 0)
            return true;
    }
    return false;
}

/* --- what every command understands --------------------------------------------------------------------------- */

static int set_colour(void *target, const char *value, struct error *err)
{
    return output_set_colour(target, value, err);
}

static const struct option_row output_rows[] = {
    { 0, "color", "WHEN", "colours: auto (default; on a terminal), always, never", set_colour },
    { 0, "no-pager", NULL, "print all at once, even if it does not fit on the terminal",
        .flag = offsetof(struct output_settings, is_unpaged) },
    { 0 },
};
static const struct option_group output_group = { "Output", output_rows, &output_settings };

/* The groups of a command, followed by the group that all commands have. NULL after that. */
static const struct option_group *first_group(const struct option_group *groups)
{
    return groups->rows != NULL ? groups : &output_group;
}

static const struct option_group *next_group(const struct option_group *group)
{
    if (group == &output_group)
        return NULL;
    return group[1].rows != NULL ? group + 1 : &output_group;
}

/* --- parsing ---------------------------------------------------------------------------------------------------- */

static const struct option_row *find_option(const struct option_group *groups, char letter, const char *name,
    size_t name_length, const struct option_group **ret_group)
{
    for (const struct option_group *group = first_group(groups); group != NULL; group = next_group(group)) {
        for (const struct option_row *row = group->rows; row->name != NULL; row++) {
            bool same = name != NULL ? strlen(row->name) == name_length && memcmp(row->name, name, name_length) == 0
                                     : row->letter == letter;
            if (same) {
                *ret_group = group;
                return row;
            }
        }
    }
    return NULL;
}

static const char *nearest_option(const struct option_group *groups, const char *name)
{
    struct suggestion suggestion = { .wanted = name, .within = 3 };
    for (const struct option_group *group = first_group(groups); group != NULL; group = next_group(group)) {
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

/* Without --cause: commands that are printed have one of their own. */
static bool is_said_again(const struct option_row *row)
{
    static const char *const names[] = { "tasks", "source", "config" };
    bool is_one = cmd_option_selects(row) && strcmp(row->name, "cause") != 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_one |= strcmp(row->name, names[i]) == 0;
    return is_one;
}

/* Sets the option. The error names the option, also if the setter named only the value. */
static int apply(const struct option_group *group, const struct option_row *row, const char *value, struct error *err)
{
    struct error inner = { 0 };
    void *target = group->choose != NULL ? group->choose(group->target, row, value, &inner) : group->target;
    int result = inner.code;
    if (target != NULL && row->set != NULL)
        result = row->set(target, value, &inner);
    else if (target != NULL)
        *(bool *)((char *)target + row->flag) = true;
    if (result < 0) {
        char subject[80];
        snprintf(subject, sizeof subject, "--%s", row->name);
        if (inner.subject[0] != '\0')
            return error_set(err, result, subject, "'%s' %s", inner.subject, inner.message);
        return error_set(err, result, subject, "%s", inner.message);
    }
    if (target != NULL && group->rows == inspect_option_rows && is_said_again(row))
        add_again(target, row->name, value);
    return 0;
}

static int parse_long(
    const struct option_group *groups, const char *argument, char **argv, int argc, int *at, struct error *err)
{
    size_t length = strcspn(argument, "=");
    const char *value = argument[length] == '=' ? argument + length + 1 : NULL;
    const struct option_group *group = NULL;
    const struct option_row *row = find_option(groups, 0, argument, length, &group);
    if (row == NULL)
        return unknown_option(groups, argument - 2, length + 2, err);
    if (row->value == NULL && value != NULL)
        return error_set(err, -EINVAL, argument - 2, "takes no value");
    if (row->value != NULL && value == NULL) {
        if (*at + 1 >= argc)
            return error_set(err, -EINVAL, argument - 2, "needs a value: %s", row->value);
        value = argv[++*at];
    }
    return apply(group, row, value, err);
}

static int parse_letters(
    const struct option_group *groups, const char *letters, char **argv, int argc, int *at, struct error *err)
{
    for (; *letters != '\0'; letters++) {
        char shown[3] = { '-', *letters };
        const struct option_group *group = NULL;
        const struct option_row *row = find_option(groups, *letters, NULL, 0, &group);
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
        int result = apply(group, row, value, err);
        if (result < 0 || value != NULL)
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
    for (const struct option_group *group = first_group(groups); group != NULL; group = next_group(group)) {
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
        if (result < 0)
            return result;
    }
    *ret_operands = operands;
    return PARSE_OK;
}

/* Positive if the option takes the next argument as its value, 0 if not, negative if it is unknown. */
static int takes_next(const struct option_group *groups, const char *argument)
{
    const struct option_group *group;
    const struct option_row *row = NULL;
    if (strncmp(argument, "--", 2) == 0) {
        size_t length = strcspn(argument + 2, "=");
        row = find_option(groups, 0, argument + 2, length, &group);
        return row == NULL ? -ENOENT : row->value != NULL && argument[2 + length] == '\0';
    }
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        row = find_option(groups, *letter, NULL, 0, &group);
        if (row == NULL || row->value != NULL)
            return row == NULL ? -ENOENT : letter[1] == '\0';
    }
    return 0;
}

int options_first_operand(const struct option_group *groups, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return i;
        int next = takes_next(groups, argv[i]);
        if (next < 0)
            return 0;
        i += next;
    }
    return 0;
}

int options_parse_only(const struct command *command, const struct option_group *groups, int argc, char **argv,
    const char *hint, struct error *err)
{
    int operands = 0;
    int result = options_parse(command, groups, argc, argv, &operands, err);
    if (result == PARSE_OK && operands > 0)
        return error_set(err, -EINVAL, argv[1], "is not expected here; %s", hint);
    return result;
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
