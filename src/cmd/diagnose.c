/* tcpwhy [diagnose]: why are connections stuck here? */
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/look.h"
#include "report/report.h"

struct diagnose_options {
    struct report_options report;
};

static int set_all(void *target, const char *value, struct error *err)
{
    (void)value, (void)err;
    ((struct diagnose_options *)target)->report.all_connections = true;
    return 0;
}

static const struct option_row own_rows[] = {
    { 'a', "all", NULL, "show every connection of a finding, not a sample", set_all },
    { 0 },
};

static int run(const struct command *self, int argc, char **argv)
{
    struct look_options look = { 0 };
    struct diagnose_options options = { .report = { .tool_version = TCPWHY_VERSION } };
    const struct option_group groups[] = {
        { "Report", own_rows, &options },
        { "Which connections, and how", look_option_rows, &look },
        { 0 },
    };
    struct error err;
    int operands;
    int result = options_parse(self, groups, argc, argv, &operands, &err);
    if (result == PARSE_HELP)
        return STATUS_HEALTHY;
    if (result == 0 && operands > 0)
        result = error_set(&err, -1, argv[1], "unexpected argument; --help shows the options");
    if (result < 0)
        return cmd_fail(self, &err);

    struct snapshot snapshot;
    struct diagnosis diagnosis;
    int status = cmd_look(self, &look, &snapshot, &diagnosis);
    if (status != STATUS_HEALTHY)
        return status;
    options.report.style = cmd_style(stdout);
    int written = look.json ? report_json(&diagnosis, &options.report, stdout)
                            : report_text(&diagnosis, &options.report, stdout);
    status = (int)diagnosis.verdict;
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    if (written < 0) {
        error_set(&err, written, "standard output", "cannot be written: %s", strerror(-written));
        return cmd_fail(self, &err);
    }
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
                "  tcpwhy --process java --json     java's connections, for a program\n"
                "  tcpwhy --state LastAck -a        every connection in LAST_ACK that is stuck\n"
                "  tcpwhy --netns web --older 5m    one network namespace, only what is older\n",
    .run = run,
};
