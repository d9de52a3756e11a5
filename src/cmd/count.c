#include "report/count.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/view.h"

struct count_arguments {
    struct count_options count;
    struct key_use keys[KEYS_MAX];
    unsigned key_count;
    uint8_t v4_prefix, v6_prefix;
    bool csv;
};

/* --- options -------------------------------------------------------------------------------------------------- */

static int no_key(const char *name, struct error *err)
{
    const char *nearest = key_nearest(name);
    if (nearest == NULL)
        return error_set(err, -EINVAL, name, "is no key; --by help lists them");
    return error_set(err, -EINVAL, name, "is no key; did you mean '%s'? --by help lists them", nearest);
}

static void describe_keys(struct buf *out)
{
    enum { WIDTH = 79, HELP_COLUMN = 14 };
    buf_str(out, "Keys:\n");
    const struct key *key;
    for (size_t i = 0; (key = key_at(i)) != NULL; i++) {
        size_t start = out->length;
        buf_printf(out, "  %s", key->name);
        buf_repeat(out, " ", HELP_COLUMN - (out->length - start));
        text_wrap(out, key->help, HELP_COLUMN, WIDTH);
        buf_char(out, '\n');
    }
}

/* "--by help" */
static int print_keys(void)
{
    struct buf text = { 0 };
    describe_keys(&text);
    fputs(buf_text(&text), stdout);
    buf_deinit(&text);
    return PARSE_HELP;
}

static int set_by(void *target, const char *value, struct error *err)
{
    struct count_arguments *arguments = target;
    if (strcmp(value, "help") == 0)
        return print_keys();
    arguments->key_count = 0;
    for (;;) {
        size_t length = strcspn(value, ",");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)length, value);
        if (arguments->key_count == KEYS_MAX)
            return error_set(err, -E2BIG, name, "is one too many: at most %d", KEYS_MAX);
        if (!key_find(name, &arguments->keys[arguments->key_count]))
            return no_key(name, err);
        for (unsigned i = 0; i < arguments->key_count; i++) {
            if (arguments->keys[i].key == arguments->keys[arguments->key_count].key)
                return error_set(err, -EINVAL, name, "is named twice");
        }
        arguments->key_count++;
        if (value[length] == '\0')
            return 0;
        value += length + 1;
    }
}

static int set_top(void *target, const char *value, struct error *err)
{
    if (text_parse_number(value, UINT32_MAX, &((struct count_arguments *)target)->count.top) < 0)
        return error_set(err, -EINVAL, value, "is not a number of groups");
    return 0;
}

/* "16" or "16,48": prefix lengths for IPv4 and IPv6 */
static int set_net(void *target, const char *value, struct error *err)
{
    struct count_arguments *arguments = target;
    char first[8];
    size_t length = strcspn(value, ",");
    snprintf(first, sizeof first, "%.*s", (int)length, value);
    uint64_t v4, v6 = arguments->v6_prefix;
    if (text_parse_number(first, 32, &v4) < 0 ||
        (value[length] == ',' && text_parse_number(value + length + 1, 128, &v6) < 0))
        return error_set(err, -EINVAL, value, "is not a prefix length for IPv4 and one for IPv6: 16,48");
    arguments->v4_prefix = (uint8_t)v4;
    arguments->v6_prefix = (uint8_t)v6;
    return 0;
}

static const struct option_row count_rows[] = {
    { 'b', "by", "KEYS", "group by these, combined: state,process (default: state); 'help' lists them", set_by },
    { 't', "top", "N", "only the N largest groups, the others as one row", set_top },
    { 0, "net", "N[,N]", "prefix lengths of peer-net, IPv4 and IPv6 (default: 24,64)", set_net },
    { 'H', "no-header", NULL, "no line of titles", .flag = offsetof(struct count_arguments, count.no_header) },
    { 0, "csv", NULL, "print CSV (RFC 4180)", .flag = offsetof(struct count_arguments, csv) },
    { 0 },
};

/* --- help ----------------------------------------------------------------------------------------------------- */

static void describe(struct buf *out)
{
    buf_str(out,
        "Prints, most first: how many connections, their share, the age of the oldest\n"
        "and the median age (of those whose age is known), and the keys. An age is the\n"
        "time in the state; if ESTABLISHED, the idle time. \"-\" is unknown, or nobody.\n\n");
    describe_keys(out);
    cmd_describe_causes(out);
}

static int count_by_state(void *target, struct error *err)
{
    return ((struct count_arguments *)target)->key_count > 0 ? 0 : set_by(target, "state", err);
}

static int print_counts(
    void *target, const struct inspect_options *options, struct inspection *inspection, struct error *err)
{
    (void)err;
    struct count_arguments *arguments = target;
    if (!options->json && !arguments->csv)
        output_page();
    struct report_style style = cmd_table_style();
    arguments->count.terminal_width = style.width;
    arguments->count.utf8 = style.utf8;
    struct group_options group_options = {
        .keys = arguments->keys,
        .key_count = arguments->key_count,
        .v4_prefix = arguments->v4_prefix,
        .v6_prefix = arguments->v6_prefix,
    };
    struct groups groups;
    groups_init(&groups, &inspection->diagnosis, &options->selection, &group_options);
    int result = (options->json ? count_json
            : arguments->csv    ? count_csv
                                : count_text)(&groups, &arguments->count, stdout);
    groups_deinit(&groups);
    return result;
}

static int run_count(const struct command *self, int argc, char **argv)
{
    struct inspect_options inspection = { .causes_only = true, .needs_rows = true };
    struct count_arguments arguments = {
        .count = { .tool_version = TCPWHY_VERSION },
        .v4_prefix = 24,
        .v6_prefix = 64,
    };
    const struct option_group option_groups[] = {
        { "Count", count_rows, &arguments },
        { "Which connections", inspect_option_rows, &inspection },
        { 0 },
    };
    const struct view view = {
        .groups = option_groups,
        .hint = "keys go after --by",
        .describe = describe,
        .csv = &arguments.csv,
        .complete = count_by_state,
        .print = print_counts,
        .arguments = &arguments,
    };
    return cmd_view(self, &view, &inspection, argc, argv);
}

const struct command command_count = {
    .name = "count",
    .summary = "group and rank connections by state, process, peer, service, …",
    .synopsis = "tcpwhy count [OPTIONS]",
    .examples = "  tcpwhy count --state last-ack --by peer --top 10\n"
                "      whose addresses LAST_ACK connections go to\n"
                "  tcpwhy count --by process,pid,state\n"
                "      who holds what\n"
                "  tcpwhy count --older 5m --by cause,service\n"
                "      what has been stuck for five minutes, and where\n",
    .run = run_count,
};
