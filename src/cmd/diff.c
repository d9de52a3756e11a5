/* tcpwhy diff A B …: compares captures of one host. */
#include "diagnose/compare/diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/confine.h"
#include "cmd/inspect.h"
#include "cmd/output.h"
#include "cmd/patience.h"
#include "report/diff.h"
#include "source/capture/capture.h"

struct diff_arguments {
    struct diff_report_options report;
    uint64_t interval_ms;
};

static int set_interval(void *target, const char *value, struct error *err)
{
    enum { MIN_MS = 1 };
    return cmd_set_interval(value, MIN_MS, &((struct diff_arguments *)target)->interval_ms, err);
}

static const struct option_row diff_rows[] = {
    { 'a', "all", NULL, "every row, also those that are steady", .flag = offsetof(struct diff_arguments, report.all) },
    { 0, "interval", "SECS", "time from one capture to the next, instead of their own times", set_interval },
    { 0 },
};

static int read_snapshots(char *const *paths, size_t count, struct snapshot *snapshots, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct capture_options capture = { .path = paths[i] };
        int result = capture_read(&capture, &snapshots[i], err);
        if (result < 0)
            return result;
        if (snapshots[i].counts_only)
            return error_set(err, -ENODATA, paths[i],
                "has numbers only, no connection: what stays and what comes is told by the rows");
        if (snapshots[i].host_count > 0)
            return error_set(err, -EINVAL, paths[i], "is of several hosts; diff compares looks at one");
    }
    return 0;
}

/* The network namespace of the selection must exist in at least one of the snapshots. */
static int check_netns(
    const struct selection *selection, const struct snapshot *snapshots, size_t count, struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        if (selection_netns_exists(selection, &snapshots[i]))
            return 0;
        result = cmd_check_netns(selection, &snapshots[i], err);
    }
    return result;
}

static int check(char *const *paths, int operands, struct error *err)
{
    if (operands < 2)
        return error_set(
            err, -EINVAL, NULL, "wants two captures or more, the earliest first; 'tcpwhy capture -o FILE' makes one");
    if (operands > DIFF_SNAPSHOTS_MAX)
        return error_set(err, -E2BIG, NULL, "reads %d captures at most", DIFF_SNAPSHOTS_MAX);
    int from_stdin = 0;
    for (int i = 0; i < operands; i++)
        from_stdin += strcmp(paths[i], "-") == 0;
    return from_stdin > 1 ? error_set(err, -EINVAL, "-", "standard input can be read once only") : 0;
}

/* Reads, compares and prints. Returns the exit status. */
static int compare(const struct command *self, const struct inspect_options *inspection,
    struct diff_arguments *arguments, char *const *paths, size_t count)
{
    struct snapshot snapshots[DIFF_SNAPSHOTS_MAX];
    struct diff diff = { 0 };
    struct error err = { 0 };
    const struct diff_options options = { .selection = &inspection->selection, .interval_ms = arguments->interval_ms };
    for (size_t i = 0; i < count; i++)
        snapshot_init(&snapshots[i]);
    struct deadline deadline;
    int result = cmd_begin_deadline(self, inspection, &deadline, &err);
    if (result == 0) {
        if (!inspection->json)
            output_prepare_page();
        cmd_confine(&(struct confinement){ .paths = inspection->from, .count = count });
    }
    if (result == 0)
        result = read_snapshots(paths, count, snapshots, &err);
    if (result == 0)
        result = check_netns(&inspection->selection, snapshots, count, &err);
    if (result == 0)
        result = diff_make(snapshots, count, &options, &diff, &err);
    deadline_answer(&deadline);
    int status = result < 0 ? cmd_fail(self, &err) : (int)diff.verdict;
    if (result == 0) {
        arguments->report.style = output_style(stdout);
        if (!inspection->json)
            output_page();
        int written = (inspection->json ? diff_json : diff_text)(&diff, &arguments->report, stdout);
        if (written < 0)
            status = cmd_fail_to_write(self, written);
        diff_deinit(&diff);
    }
    for (size_t i = 0; i < count; i++)
        snapshot_deinit(&snapshots[i]);
    return status;
}

static int run_diff(const struct command *self, int argc, char **argv)
{
    static const char *const names[] = { "state", "pid", "process", "port", "local", "peer", "netns", "ipv4", "ipv6",
        "timeout", "json", NULL };
    struct inspect_options inspection = { 0 };
    struct diff_arguments arguments = { .report = { .tool_version = TCPWHY_VERSION } };
    struct option_row rows[16];
    options_pick(inspect_option_rows, names, rows, sizeof rows / sizeof *rows);
    const struct option_group groups[] = {
        { "Comparison", diff_rows, &arguments },
        { "Which connections", rows, &inspection },
        { 0 },
    };
    struct error err = { 0 };
    int operands = 0;
    int result = options_parse(self, groups, argc, argv, &operands, &err);
    if (result == PARSE_HELP)
        return STATUS_HEALTHY;
    if (result == 0)
        result = check(argv + 1, operands, &err);
    if (result < 0)
        return cmd_fail(self, &err);
    for (int i = 0; i < operands && result == 0; i++)
        result = options_add_from(&inspection, argv[1 + i], &err);
    return result < 0 ? cmd_fail(self, &err) : compare(self, &inspection, &arguments, argv + 1, (size_t)operands);
}

const struct command command_diff = {
    .name = "diff",
    .summary = "compare captures of one host: what stayed, what grew, what leaks",
    .synopsis = "tcpwhy diff [OPTIONS] CAPTURE CAPTURE [CAPTURE …]",
    .details =
        "Captures are snapshots (tcpwhy capture) in any order, or text that --from reads, the earliest first; - is\n"
        "standard input. Two connections are the same if both ends are the same, and the kernel's cookie too if both\n"
        "captures have it. The holder that one capture shows is taken as the holder in all. There is a row for each\n"
        "process, service and state, and for several together if a leak is spread over them:\n\n"
        "  leaks     the number that stays in CLOSE_WAIT rises: nobody closes them\n"
        "  piles-up  the number that stays in another state rises\n"
        "  grows     more come than go; two captures may not show whether the new ones stay, three do\n"
        "  grew      more came than went, but not in the later captures\n"
        "  busy      about as many come as go\n"
        "  shrinks   more go than come\n"
        "  steady    the same ones stay\n\n"
        "STAYED, CAME and WENT compare the last capture with the first; PER MIN is the slope over all of them. LIMIT\n"
        "IN is the time until a process runs out of descriptors at that slope, if connections that stay still make\n"
        "it grow. Exit status: 0 nothing is known to leak; 1 something leaks, or only grows in CLOSE_WAIT, or a\n"
        "process runs out of descriptors within a day; 2 one does within an hour, or has; 3 tcpwhy could not do what\n"
        "was asked. With fewer than three captures, or less than 30 seconds, it is 2 only if a process is near its\n"
        "limit already.\n",
    .examples = "  tcpwhy capture -o 1.zst; sleep 600; tcpwhy capture -o 2.zst; tcpwhy diff 1.zst 2.zst\n"
                "  tcpwhy diff mon.zst tue.zst wed.zst --process java\n"
                "  tcpwhy diff --interval 60 before.txt after.txt   pasted netstat output, a minute apart\n",
    .run = run_diff,
};
