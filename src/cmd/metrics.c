#include "report/metrics/metrics.h"

#include <errno.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/text.h"
#include "cmd/check/stuck_memory.h"
#include "cmd/commands.h"
#include "cmd/view.h"

static const char TEXTFILE_NAME[] = "tcpwhy.prom";

struct metrics_arguments {
    uint64_t begun_us;
    uint32_t top;
    bool has_dialect;
    enum metrics_dialect dialect;
    const char *textfile; /* folder for tcpwhy.prom, or NULL: standard output */
    struct stuck_memory memory;
};

/* --- options ---------------------------------------------------------------------------------------------------- */

static int set_top(void *target, const char *value, struct error *err)
{
    uint64_t top;
    if (text_parse_number(value, METRICS_TOP_MAX, &top) < 0 || top == 0)
        return error_set(err, -EINVAL, value, "is not a number from 1 to %d", METRICS_TOP_MAX);
    ((struct metrics_arguments *)target)->top = (uint32_t)top;
    return 0;
}

static int set_format(void *target, const char *value, struct error *err)
{
    static const char *const names[] = { [METRICS_OPENMETRICS] = "openmetrics", [METRICS_PROMETHEUS] = "prometheus" };
    struct metrics_arguments *arguments = target;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i]) == 0) {
            arguments->dialect = (enum metrics_dialect)i;
            arguments->has_dialect = true;
            return 0;
        }
    }
    return error_set(err, -EINVAL, value, "is not a format: openmetrics or prometheus");
}

static int set_textfile(void *target, const char *value, struct error *err)
{
    (void)err;
    ((struct metrics_arguments *)target)->textfile = value;
    return 0;
}

static int set_samples(void *target, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a directory");
    ((struct metrics_arguments *)target)->memory.directory = value;
    return 0;
}

static const struct option_row metrics_rows[] = {
    { 't', "top", "N", "N processes, namespaces, listeners, … stand for themselves (default: 20)", set_top },
    { 0, "textfile", "DIR", "write DIR/tcpwhy.prom, whole or not at all, for a textfile collector", set_textfile },
    { 0, "samples", "DIR", "keep here since when connections with keepalive have been stuck", set_samples },
    { 0, "format", "NAME", "openmetrics (default), or prometheus: the older text format (default of --textfile)",
        set_format },
    { 0 },
};

/* --- the command ------------------------------------------------------------------------------------------------ */

static int write_all(const struct buf *text, FILE *out)
{
    errno = 0;
    if (fwrite(text->data, 1, text->length, out) == text->length && fflush(out) == 0)
        return 0;
    return errno ? -errno : -EIO;
}

/* The file is readable by all users, because the collector is another user. */
static int write_file(const char *folder, const struct buf *text, struct error *err)
{
    enum { FOR_ALL_TO_READ = 0644 };
    struct whole_file file;
    struct buf path = { 0 };
    buf_printf(&path, "%s/%s", folder, TEXTFILE_NAME);
    int result = whole_file_open(&file, buf_text(&path), FOR_ALL_TO_READ, PLACE_STAY, err);
    if (result == 0)
        result = whole_file_close(&file, write_all(text, file.out), err);
    buf_deinit(&path);
    return result;
}

/* Writes to the file or to standard output. */
static int write_metrics(const struct metrics_arguments *arguments, const struct buf *text, struct error *err)
{
    return arguments->textfile != NULL ? write_file(arguments->textfile, text, err) : write_all(text, stdout);
}

static int print_metrics(
    void *target, const struct inspect_options *options, struct inspection *inspection, struct error *err)
{
    struct metrics_arguments *arguments = target;
    const struct metrics_options metrics = {
        .tool_version = TCPWHY_VERSION,
        .dialect = !arguments->has_dialect && arguments->textfile != NULL ? METRICS_PROMETHEUS : arguments->dialect,
        .top = arguments->top,
        .elapsed_us = clock_monotonic_us() - arguments->begun_us,
        .ages_may_shrink = !stuck_memory_keep(&arguments->memory, &inspection->diagnosis),
    };
    struct buf text = { 0 };
    int result = report_metrics(&inspection->diagnosis, &options->selection, &metrics, &text, err);
    if (result == 0)
        result = write_metrics(arguments, &text, err);
    buf_deinit(&text);
    return result;
}

static int run_metrics(const struct command *self, int argc, char **argv)
{
    struct metrics_arguments arguments = { .begun_us = clock_monotonic_us(), .top = METRICS_TOP_DEFAULT };
    struct buf subject = { 0 };
    for (int i = 0; i < argc; i++) /* other arguments may select other connections, so each has its own file */
        buf_printf(&subject, "%s;", argv[i]);
    stuck_memory_init(&arguments.memory, NULL, buf_text(&subject));
    struct inspect_options inspection = {
        .needs_rows = true, .recall = stuck_memory_recall, .recall_data = &arguments.memory
    };
    struct option_row inspect_rows[INSPECT_ROWS_MAX];
    static const char *const left_out[] = { "json", NULL };
    inspect_rows_but(left_out, inspect_rows);
    const struct option_group groups[] = {
        { "Metrics", metrics_rows, &arguments },
        { "Which connections", inspect_rows, &inspection },
        { 0 },
    };
    const struct view view = {
        .groups = groups,
        .hint = "options begin with --",
        .print = print_metrics,
        .arguments = &arguments,
        .file = &arguments.textfile,
        .link = PLACE_STAY,
        .file_is_folder = true,
    };
    int status = cmd_view(self, &view, &inspection, argc, argv);
    stuck_memory_deinit(&arguments.memory);
    buf_deinit(&subject);
    return status;
}

const struct command command_metrics = {
    .name = "metrics",
    .summary = "print metrics for Prometheus, or write them for a textfile collector",
    .synopsis = "tcpwhy metrics [OPTIONS]",
    .details = "Prints what a monitoring system records: connections by state, namespace and\n"
               "process, findings, descriptors, ports, the queues of listeners, and the kernel's\n"
               "counters. The number of series is bounded: --top of each kind have series of their\n"
               "own, other connections and findings are counted as \"other\". The exit status does\n"
               "not tell the verdict: the metric tcpwhy_verdict does.\n",
    .examples = "  tcpwhy metrics --netns self\n"
                "      the metrics of this network namespace, as OpenMetrics 1.0\n"
                "  tcpwhy metrics --textfile /var/lib/prometheus/node-exporter\n"
                "      for node_exporter --collector.textfile.directory, from a timer\n"
                "  tcpwhy metrics --format prometheus | promtool check metrics\n"
                "      the older text format, which promtool reads\n",
    .run = run_metrics,
};
