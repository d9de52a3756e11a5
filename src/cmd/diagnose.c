/* tcpwhy [diagnose]: why are connections stuck here? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/inspect.h"
#include "cmd/option_table.h"
#include "cmd/output.h"
#include "cmd/ss_filter.h"
#include "cmd/watch.h"
#include "report/report.h"

struct diagnose_options {
    struct report_options report;
    const char *only_id; /* the id of the one finding to be shown, or NULL */
    uint64_t watch_ms;   /* 0: once */
};

static int set_watch(void *target, const char *value, struct error *err)
{
    enum { MIN_MS = 100 };
    return cmd_set_interval(value, MIN_MS, &((struct diagnose_options *)target)->watch_ms, err);
}

static int set_brief(void *target, const char *value, struct error *err)
{
    (void)value, (void)err;
    ((struct diagnose_options *)target)->report.detail = REPORT_BRIEF;
    return 0;
}

static int set_verbose(void *target, const char *value, struct error *err)
{
    (void)value, (void)err;
    ((struct diagnose_options *)target)->report.detail = REPORT_WHOLE;
    return 0;
}

/* A number from the index of the report, or an id. */
static int set_finding(void *target, const char *value, struct error *err)
{
    struct diagnose_options *options = target;
    uint64_t number;
    options->report.only = 0;
    options->only_id = NULL;
    if (text_parse_number(value, UINT32_MAX, &number) < 0) {
        options->only_id = value;
        struct selection one = { .causes = { value }, .cause_count = 1 };
        return cmd_check_causes(&one, err);
    }
    if (number == 0)
        return error_set(err, -EINVAL, value, "is no number of a finding: they are counted from 1");
    options->report.only = (unsigned)number;
    return 0;
}

static const struct option_row own_rows[] = {
    { 0, "finding", "N", "show this finding only, whole: its number in the list, or its id", set_finding },
    { 'q', "brief", NULL, "the verdict and the list of findings only", set_brief },
    { 'v', "verbose", NULL, "everything about every finding", set_verbose },
    { 'a', "all", NULL, "the same, with every connection of a finding, not a sample",
        .flag = offsetof(struct diagnose_options, report.all_connections) },
    { 'w', "watch", "SECS", "again and again, so long apart, with what has changed; q or Ctrl-C ends", set_watch },
    { 0 },
};

/* Positive if the option takes the next argument as its value, 0 if not, negative if it is unknown. */
static int takes_next(const struct option_group *groups, const char *argument)
{
    const struct option_row *row = NULL;
    if (strncmp(argument, "--", 2) == 0) {
        row = option_find(groups, 0, argument + 2, NULL);
        return row == NULL ? -ENOENT : row->value != NULL && strchr(argument, '=') == NULL;
    }
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        row = option_find(groups, *letter, NULL, NULL);
        if (row == NULL || row->value != NULL)
            return row == NULL ? -ENOENT : letter[1] == '\0';
    }
    return 0;
}

/* The index in argv of the first operand; 0 if there is none, or if an option is unknown. */
static int first_operand(const struct option_group *groups, int argc, char **argv)
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

/* Moves a command that comes after options to the front: "tcpwhy --netns web list". NULL if there is none. */
static const struct command *command_behind_options(const struct option_group *groups, int argc, char **argv)
{
    int at = first_operand(groups, argc, argv);
    const struct command *command = at > 1 ? command_find(argv[at]) : NULL;
    if (command == NULL)
        return NULL;
    char *name = argv[at];
    for (; at > 1; at--)
        argv[at] = argv[at - 1];
    argv[1] = name;
    return command;
}

static bool is_number(const char *word)
{
    uint64_t number;
    return text_parse_number(word, UINT32_MAX, &number) == 0;
}

bool command_diagnose_takes(const char *word)
{
    return is_number(word) || strcmp(word, "-") == 0 || ss_filter_begins(word) || access(word, F_OK) == 0;
}

/*
 * Numbers of findings, captures, and a filter at the end: "tcpwhy 3", "tcpwhy netstat.txt", "ss -tanp | tcpwhy -",
 * "tcpwhy state close-wait".
 */
static int take_operands(int count, char **operands, const struct option_group *groups,
    struct inspect_options *inspection, struct diagnose_options *options, struct error *err)
{
    int result = 0;
    char hint[SS_HINT_MAX];
    for (int i = 0; i < count && result == 0; i++) {
        if (ss_filter_begins(operands[i]))
            return ss_filter_apply(groups, count - i, operands + i, err);
        if (!command_diagnose_takes(operands[i]))
            result = error_set(err, -EINVAL, operands[i], "is neither a file nor the number of a finding; %s",
                ss_filter_hint(operands[i], "--help shows the options", hint));
        else
            result = is_number(operands[i]) ? set_finding(options, operands[i], err)
                                            : options_add_from(inspection, operands[i], err);
    }
    return result;
}

/* Finds the number of the finding with the wanted id. */
static int find_only(const struct diagnosis *diagnosis, struct diagnose_options *options, struct error *err)
{
    for (size_t i = 0; options->only_id != NULL && i < diagnosis->finding_count; i++) {
        if (strcmp(diagnosis->findings[i].id, options->only_id) == 0) {
            options->report.only = (unsigned)i + 1;
            return 0;
        }
    }
    if (options->only_id != NULL)
        return error_set(err, -ENOENT, options->only_id, "was not found here; -q lists what was");
    char number[16];
    snprintf(number, sizeof number, "%u", options->report.only);
    if (options->report.only > diagnosis->finding_count)
        return error_set(
            err, -ENOENT, number, "there is no such finding: there are %zu; -q lists them", diagnosis->finding_count);
    return 0;
}

/* Parses the command line. Returns a parse_result, or a negative errno with err filled. */
static int parse(const struct command *self, const struct option_group *groups, int argc, char **argv,
    struct inspect_options *inspection, struct diagnose_options *options, struct error *err)
{
    int operands = 0;
    int result = options_parse(self, groups, argc, argv, &operands, err);
    if (result == PARSE_OK)
        result = take_operands(operands, argv + 1, groups, inspection, options, err);
    if (result != PARSE_OK || options->watch_ms == 0)
        return result;
    if (inspection->confirm_ms > options->watch_ms)
        return error_set(err, -EINVAL, "--confirm", "must not exceed --watch: the report before confirms the next one");
    if (inspection->from_count > 0)
        return error_set(err, -EINVAL, "--watch",
            "looks at this host again and again; a capture, given with --from, does not change");
    return PARSE_OK;
}

/* Reads, diagnoses and reports once. Returns the exit status. */
static int report_once(
    const struct command *self, const struct inspect_options *inspection, struct diagnose_options *options)
{
    struct inspection seen;
    struct error err = { 0 };
    if (!inspection->json && inspection->from_count > 0)
        output_prepare_page();
    int status = cmd_inspect(self, inspection, NULL, &seen);
    if (status != STATUS_HEALTHY)
        return status;
    cmd_note_unread_input(self, inspection);
    if (!inspection->json && find_only(&seen.diagnosis, options, &err) < 0) {
        status = cmd_fail(self, &err);
    } else {
        options->report.style = output_style(stdout);
        if (!inspection->json)
            output_page();
        int written = (inspection->json ? report_json : report_text)(&seen.diagnosis, &options->report, stdout);
        status = written < 0 ? cmd_fail_to_write(self, written) : (int)seen.diagnosis.verdict;
    }
    inspection_deinit(&seen);
    return status;
}

static void say_again(const struct again *again, struct buf words[2], struct report_options *report)
{
    buf_printf(&words[0], "%s%s", buf_text(&again->selection), buf_text(&again->reading));
    buf_printf(&words[1], "%s%s", buf_text(&words[0]), buf_text(&again->causes));
    report->list_arguments = buf_text(&words[0]);
    report->arguments = buf_text(&words[1]);
    report->from_arguments = buf_text(&again->reading);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct again again = { 0 };
    struct buf words[2] = { 0 }; /* of options.report */
    struct inspect_options inspection = { .owners_if_stuck = true, .again = &again };
    struct diagnose_options options = { .report = { .tool_version = TCPWHY_VERSION } };
    const struct option_group groups[] = {
        { "Report", own_rows, &options },
        { "Which connections, and how", inspect_option_rows, &inspection },
        { 0 },
    };
    const struct command *other = command_behind_options(groups, argc, argv);
    if (other != NULL)
        return other->run(other, argc - 1, argv + 1);

    struct error err = { 0 };
    int status = STATUS_HEALTHY;
    int result = parse(self, groups, argc, argv, &inspection, &options, &err);
    say_again(&again, words, &options.report);
    if (result < 0)
        status = cmd_fail(self, &err);
    else if (result == PARSE_OK && options.watch_ms > 0)
        status = cmd_watch(self, &inspection, &options.report, options.watch_ms);
    else if (result == PARSE_OK)
        status = report_once(self, &inspection, &options);
    buf_deinit(&again.reading);
    buf_deinit(&again.selection);
    buf_deinit(&again.causes);
    buf_deinit(&words[0]);
    buf_deinit(&words[1]);
    return status;
}

const struct command command_diagnose = {
    .name = "diagnose",
    .summary = "why are connections stuck here? (the default)",
    .synopsis = "tcpwhy [diagnose] [OPTIONS] [FINDING | FILE...]",
    .details = "Looks at every TCP connection of this host, in every network namespace that may be entered, works out\n"
               "for each stuck one the cause and whose fault it is, and reports the findings, worst first.\n"
               "Exit status: 0 healthy, 1 warning, 2 critical, 3 tcpwhy could not do what was asked.\n",
    .examples = "  tcpwhy                           the whole host\n"
                "  tcpwhy 2                         all about the second finding\n"
                "  tcpwhy -q                        the verdict, and a line for each finding\n"
                "  tcpwhy --confirm 10              only what is stuck in two snapshots, 10 s apart\n"
                "  tcpwhy --watch 5                 every 5 s, with what has changed\n"
                "  tcpwhy --process java --json     java's connections, for a program\n"
                "  tcpwhy --state LastAck -a        every connection in LAST_ACK that is stuck\n"
                "  tcpwhy --netns web --older 5m    one network namespace, only what is older\n"
                "  tcpwhy netstat.txt               what somebody sent, instead of this host\n"
                "  ss -tanpiemo | tcpwhy -          the same from standard input\n",
    .run = run,
};
