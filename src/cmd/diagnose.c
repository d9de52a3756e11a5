/* tcpwhy [diagnose]: why are connections stuck here? */
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/inspect.h"
#include "cmd/watch.h"
#include "report/report.h"

struct diagnose_options {
    struct report_options report;
    uint64_t watch_ms; /* 0: once */
};

static int set_watch(void *target, const char *value, struct error *err)
{
    enum { MIN_MS = 100 };
    return cmd_set_interval(value, MIN_MS, &((struct diagnose_options *)target)->watch_ms, err);
}

static const struct option_row own_rows[] = {
    { 'a', "all", NULL, "show every connection of a finding, not a sample",
        .flag = offsetof(struct diagnose_options, report.all_connections) },
    { 'w', "watch", "SECS", "again and again, so long apart, with what has changed; Ctrl-C ends", set_watch },
    { 0 },
};

static int run(const struct command *self, int argc, char **argv)
{
    struct inspect_options inspection = { 0 };
    struct diagnose_options options = { .report = { .tool_version = TCPWHY_VERSION } };
    const struct option_group groups[] = {
        { "Report", own_rows, &options },
        { "Which connections, and how", inspect_option_rows, &inspection },
        { 0 },
    };
    struct error err;
    int result = options_parse_only(self, groups, argc, argv, "--help shows the options", &err);
    if (result == PARSE_HELP)
        return STATUS_HEALTHY;
    if (result == 0 && options.watch_ms > 0 && inspection.confirm_ms > options.watch_ms)
        result = error_set(&err, -1, "--confirm", "must not exceed --watch: the report before confirms the next one");
    if (result == 0 && options.watch_ms > 0 && inspection.from_count > 0)
        result = error_set(
            &err, -1, "--watch", "looks at this host again and again; a capture, given with --from, does not change");
    if (result < 0)
        return cmd_fail(self, &err);

    if (options.watch_ms > 0)
        return cmd_watch(self, &inspection, &options.report, options.watch_ms);

    inspection.owners_if_stuck = true;
    struct inspection seen;
    int status = cmd_inspect(self, &inspection, NULL, &seen);
    if (status != STATUS_HEALTHY)
        return status;
    options.report.style = cmd_style(stdout);
    int written = inspection.json ? report_json(&seen.diagnosis, &options.report, stdout)
                                  : report_text(&seen.diagnosis, &options.report, stdout);
    status = (int)seen.diagnosis.verdict;
    inspection_deinit(&seen);
    if (written < 0)
        return cmd_fail_to_write(self, written);
    return status;
}

const struct command command_diagnose = {
    .name = "diagnose",
    .summary = "why are connections stuck here? (the default)",
    .synopsis = "tcpwhy [diagnose] [OPTIONS]",
    .details = "Looks at every TCP connection of this host, in every network namespace that may be entered, works out\n"
               "for each stuck one the cause and whose fault it is, and reports the findings, worst first.\n"
               "Exit status: 0 healthy, 1 warning, 2 critical, 3 tcpwhy could not do what was asked.\n",
    .examples = "  tcpwhy                           the whole host\n"
                "  tcpwhy --confirm 10              only what is stuck in two looks, 10 s apart\n"
                "  tcpwhy --watch 5                 every 5 s, with what has changed\n"
                "  tcpwhy --process java --json     java's connections, for a program\n"
                "  tcpwhy --state LastAck -a        every connection in LAST_ACK that is stuck\n"
                "  tcpwhy --netns web --older 5m    one network namespace, only what is older\n"
                "  tcpwhy --from netstat.txt        what somebody sent, instead of this host\n"
                "  ss -tanpiemo | tcpwhy --from -   the same from standard input\n",
    .run = run,
};
