/*
 * tcpwhy check: a plugin for Nagios, Icinga and other monitoring systems that run such plugins. All output goes to
 * standard output, also errors, because these systems show only that.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/check/threshold.h"
#include "cmd/check/verdict.h"
#include "cmd/commands.h"
#include "cmd/deadline.h"
#include "cmd/check/state_file.h"
#include "cmd/check/stuck_memory.h"
#include "cmd/inspect.h"

enum { TIMEOUT_MS = 30 * 1000, GROWTH_OVER_MS = 5 * 60 * 1000 };

struct check {
    struct inspect_options inspection; /* how the host is read; each threshold has its own selection */
    struct thresholds thresholds;
    uint64_t timeout_ms;
    uint64_t growth_over_ms;
    const char *samples; /* directory of the state files, or NULL: the usual one */
    bool verbose, version;
};

/* --- options ---------------------------------------------------------------------------------------------------- */

static int set_range(const char *value, bool *has, struct range *range, struct error *err)
{
    if (*has)
        return error_set(err, -EINVAL, value, "is the second of one threshold; the next one begins with its --state");
    int result = range_parse(value, range, err);
    *has = result == 0;
    return result;
}

static int set_warning(void *target, const char *value, struct error *err)
{
    struct threshold *threshold = thresholds_for_limit(&((struct check *)target)->thresholds, err);
    return threshold != NULL ? set_range(value, &threshold->has_warning, &threshold->warning, err) : err->code;
}

static int set_critical(void *target, const char *value, struct error *err)
{
    struct threshold *threshold = thresholds_for_limit(&((struct check *)target)->thresholds, err);
    return threshold != NULL ? set_range(value, &threshold->has_critical, &threshold->critical, err) : err->code;
}

static int set_growth(void *target, const char *value, struct error *err)
{
    struct threshold *threshold = thresholds_for_limit(&((struct check *)target)->thresholds, err);
    return threshold != NULL ? threshold_set_growth(threshold, value, err) : err->code;
}

static int set_label(void *target, const char *value, struct error *err)
{
    enum { LABEL_MAX = 100 };
    struct thresholds *thresholds = &((struct check *)target)->thresholds;
    if (thresholds->count == 0)
        return error_set(err, -EINVAL, value, "names no threshold: it goes after --state, -w or -c");
    if (strlen(value) > LABEL_MAX || *value == '\0')
        return error_set(err, -EINVAL, value, "is no label: 1 to %d bytes", LABEL_MAX);
    thresholds->items[thresholds->count - 1].label = value;
    return 0;
}

static int set_growth_over(void *target, const char *value, struct error *err)
{
    enum { MIN_MS = 1000 };
    return cmd_set_interval(value, MIN_MS, &((struct check *)target)->growth_over_ms, err);
}

static int set_samples(void *target, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a directory");
    ((struct check *)target)->samples = value;
    return 0;
}

static int set_timeout(void *target, const char *value, struct error *err)
{
    enum { MIN_MS = 100 };
    return cmd_set_interval(value, MIN_MS, &((struct check *)target)->timeout_ms, err);
}

static const struct option_row check_rows[] = {
    { 'w', "warning", "RANGE", "warn where the number of connections is outside of it", set_warning },
    { 'c', "critical", "RANGE", "the same, critical", set_critical },
    { 'g', "growth", "RATE[,RATE]", "warn (and critical) where they grow faster: 10/min, 600/h", set_growth },
    { 0, "growth-over", "TIME", "over how long growth is measured (default: 5m)", set_growth_over },
    { 0, "samples", "DIR", "keep what growth is measured by here", set_samples },
    { 0, "label", "NAME", "what the last threshold is called in the performance data", set_label },
    { 't', "timeout", "SECS", "give up after this time (default: 30)", set_timeout },
    { 'v', "verbose", NULL, "with the proof, and what was ruled out", .flag = offsetof(struct check, verbose) },
    { 'V', "version", NULL, "print the version", .flag = offsetof(struct check, version) },
    { 0 },
};

/* An option that selects connections sets the current threshold; any other is for the whole command. */
static void *choose_target(void *target, const struct option_row *row, const char *value, struct error *err)
{
    struct check *check = target;
    if (!cmd_option_selects(row))
        return &check->inspection;
    struct threshold *threshold = thresholds_for_selection(&check->thresholds, err);
    if (threshold == NULL)
        return NULL;
    threshold_add_words(threshold, row, value);
    return &threshold->inspection;
}

/* True if a threshold needs samples. Then it is an error if they cannot be read or written. */
static bool needs_samples(const struct check *check)
{
    for (unsigned i = 0; i < check->thresholds.count; i++) {
        if (threshold_has_growth(&check->thresholds.items[i]))
            return true;
    }
    return false;
}

static int check_thresholds(const struct check *check, struct error *err)
{
    const struct thresholds *thresholds = &check->thresholds;
    for (unsigned i = 0; i < thresholds->count; i++) {
        const struct threshold *threshold = &thresholds->items[i];
        if (thresholds->count > 1 && (!threshold->selects || !threshold_has_limit(threshold)))
            return error_set(err, -EINVAL, NULL,
                "threshold %u (%s) has no %s: write '--state A -w 1 -c 2 --state B -w 3', each with both", i + 1,
                threshold->selects ? buf_text(&threshold->words) : "of -w and -c alone",
                threshold->selects ? "-w, -c or --growth" : "selection");
        if (threshold->label != NULL && !threshold_has_limit(threshold))
            return error_set(err, -EINVAL, "--label", "names a threshold, and there is none: -w, -c or --growth");
        int result = cmd_check_causes(&threshold->inspection.selection, err);
        if (result < 0)
            return result;
    }
    if (needs_samples(check) && check->inspection.from_count > 0)
        return error_set(
            err, -EINVAL, "--growth", "is measured on this host; a capture, given with --from, does not grow");
    if (check->inspection.confirm_ms >= check->timeout_ms)
        return error_set(err, -EINVAL, "--confirm", "takes two snapshots, so long apart: --timeout has to be longer");
    return 0;
}

static int parse(const struct command *self, struct check *check, int argc, char **argv, struct error *err)
{
    struct option_row inspect_rows[INSPECT_ROWS_MAX];
    static const char *const left_out[] = { "json", "timeout", NULL };
    inspect_rows_but(left_out, inspect_rows);
    const struct option_group groups[] = {
        { "Check", check_rows, check, NULL },
        { "Which connections, and how", inspect_rows, check, choose_target },
        { 0 },
    };
    int result = options_parse_only(self, groups, argc, argv, "--help shows the options", err);
    return result == PARSE_OK ? check_thresholds(check, err) : result;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bool has_limits(const struct check *check)
{
    return check->thresholds.count > 0 && threshold_has_limit(&check->thresholds.items[0]);
}

/* One snapshot is used for all thresholds. Without limits, the selection is that of the diagnosis. */
static struct inspect_options inspect_options_of(const struct check *check)
{
    struct inspect_options options = check->inspection;
    bool own_netns_only = check->thresholds.count > 0;
    for (unsigned i = 0; i < check->thresholds.count; i++)
        own_netns_only &= check->thresholds.items[i].inspection.source.own_netns_only;
    options.source.own_netns_only = own_netns_only;
    options.needs_rows = check->thresholds.count > 0;
    if (!has_limits(check) && check->thresholds.count > 0)
        options.selection = check->thresholds.items[0].inspection.selection;
    return options;
}

static int inspect_host(
    const struct check *check, struct stuck_memory *memory, struct inspection *ret_inspection, struct error *err)
{
    struct inspect_options options = inspect_options_of(check);
    options.recall = stuck_memory_recall;
    options.recall_data = memory;
    int result = cmd_try_inspect(&options, NULL, ret_inspection, err);
    for (unsigned i = 0; result == 0 && i < check->thresholds.count; i++) {
        result = cmd_check_netns(&check->thresholds.items[i].inspection.selection, &ret_inspection->snapshot, err);
        if (result < 0)
            inspection_deinit(ret_inspection);
    }
    return result;
}

/* --- samples of earlier runs ------------------------------------------------------------------------------------ */

/* The subject of the samples: the kind of check and its options. Another subject is another file. */
static void name_samples(const struct check *check, struct buf *out)
{
    buf_str(out, has_limits(check) ? "check" : "verdict");
    for (unsigned i = 0; i < check->thresholds.count; i++)
        buf_printf(out, "; %s", buf_text(&check->thresholds.items[i].words));
    char over[32];
    snprintf(over, sizeof over, "; %llu ms", (unsigned long long)check->growth_over_ms);
    buf_str(out, over);
}

struct stored {
    struct state_file file;
    struct buf subject;
    struct samples samples;
};

static void stored_close(struct stored *stored)
{
    state_file_close(&stored->file);
    buf_deinit(&stored->subject);
    samples_deinit(&stored->samples);
}

/*
 * Opens the state file and reads its samples. The caller calls stored_close() in any case. A file with other content
 * counts as empty, and the output says so.
 */
static int stored_open(const struct check *check, struct stored *stored, struct plugin *plugin, struct error *err)
{
    *stored = (struct stored){ .file = { .directory = -1 } };
    name_samples(check, &stored->subject);
    struct buf text = { 0 };
    int result = state_file_open(&stored->file, check->samples, buf_text(&stored->subject), err);
    if (result == 0)
        result = state_file_read(&stored->file, SAMPLES_TEXT_MAX, &text, err);
    bool foreign = result == -EFBIG ||
        (result == 0 && samples_parse(buf_text(&text), text.length, buf_text(&stored->subject), &stored->samples) < 0);
    if (foreign)
        plugin_add_line(plugin, "%s was not written by this check: what it held is not used", stored->file.path);
    buf_deinit(&text);
    return foreign || result == -ENOENT ? 0 : result;
}

static int stored_write(const struct stored *stored, struct error *err)
{
    struct buf text = { 0 };
    samples_format(&stored->samples, buf_text(&stored->subject), &text);
    int result = state_file_write(&stored->file, buf_text(&text), text.length, err);
    buf_deinit(&text);
    return result;
}

/* --- the command ------------------------------------------------------------------------------------------------ */

static int fail(const struct error *err)
{
    struct plugin plugin = { 0 };
    plugin_say(&plugin, "%s%s%s", err->subject, err->subject[0] != '\0' ? ": " : "", err->message);
    plugin_write(&plugin, PLUGIN_UNKNOWN, stdout);
    plugin_deinit(&plugin);
    return STATUS_FAILED;
}

static void measure_time(const struct check *check, uint64_t began_us, struct plugin *plugin)
{
    char most[32];
    snprintf(most, sizeof most, "%.10g", (double)check->timeout_ms / 1000);
    plugin_measure(plugin,
        &(struct plugin_measure){ .label = "time",
            .unit = "s",
            .value = (double)(clock_monotonic_us() - began_us) / 1e6,
            .least = "0",
            .most = most });
}

struct answer {
    const struct check *check;
    struct stuck_memory memory;
    bool ages_hold; /* stuck_since.h could be read and written */
    struct plugin plugin;
    enum plugin_status status;
};

static void evaluate_with(struct answer *answer, const struct inspection *seen, struct samples *samples)
{
    const struct check *check = answer->check;
    const struct judging judging = {
        .diagnosis = &seen->diagnosis,
        .policy = &seen->policy,
        .samples = samples,
        .window_ms = check->growth_over_ms,
        .ages_hold = answer->ages_hold,
        .verbose = check->verbose,
    };
    answer->status = has_limits(check) ? thresholds_judge(&check->thresholds, &judging, &answer->plugin)
                                       : verdict_judge(&judging, &answer->plugin);
}

/*
 * If a threshold limits growth, samples are required. Otherwise they are useful only, and a line says that they are
 * missing.
 */
static int evaluate(struct answer *answer, const struct inspection *seen, struct error *err)
{
    const struct check *check = answer->check;
    bool required = needs_samples(check);
    bool useful = !has_limits(check) && check->inspection.from_count == 0 && verdict_wants_samples(&seen->diagnosis);
    if (!required && !useful) {
        evaluate_with(answer, seen, NULL);
        return 0;
    }
    struct stored stored;
    int result = stored_open(check, &stored, &answer->plugin, err);
    if (result == 0 || !required) {
        evaluate_with(answer, seen, result == 0 ? &stored.samples : NULL);
        if (result == 0)
            result = stored_write(&stored, err);
    }
    stored_close(&stored);
    if (result == 0 || required)
        return result;
    plugin_add_line(&answer->plugin, "how fast it grows is not known: %s: %s", err->subject, err->message);
    return 0;
}

static bool has_reset_ages(const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        if (diagnosis->findings[i].reset_count > 0)
            return true;
    }
    return false;
}

static void save_ages(struct answer *answer, const struct diagnosis *diagnosis)
{
    answer->ages_hold = stuck_memory_keep(&answer->memory, diagnosis);
    if (!answer->ages_hold && has_reset_ages(diagnosis))
        plugin_add_line(&answer->plugin, "since when connections with keepalive are stuck is not kept: %s: %s",
            answer->memory.err.subject, answer->memory.err.message);
}

static int inspect_and_evaluate(struct answer *answer, uint64_t began_us, struct error *err)
{
    struct buf subject = { 0 };
    buf_str(&subject, "ages; ");
    name_samples(answer->check, &subject);
    stuck_memory_init(&answer->memory, answer->check->samples, buf_text(&subject));
    struct inspection seen;
    int result = inspect_host(answer->check, &answer->memory, &seen, err);
    if (result == 0) {
        save_ages(answer, &seen.diagnosis);
        result = evaluate(answer, &seen, err);
        plugin_notes(&answer->plugin, &seen.diagnosis);
        measure_time(answer->check, began_us, &answer->plugin);
        inspection_deinit(&seen);
    }
    stuck_memory_deinit(&answer->memory);
    buf_deinit(&subject);
    return result;
}

static int give_answer(const struct check *check, struct deadline *deadline, uint64_t began_us)
{
    struct error err = { 0 };
    struct answer answer = { .check = check, .status = PLUGIN_UNKNOWN };
    int result = inspect_and_evaluate(&answer, began_us, &err);
    deadline_answer(deadline);
    int written = result == 0 ? plugin_write(&answer.plugin, answer.status, stdout) : 0;
    plugin_deinit(&answer.plugin);
    if (result < 0)
        return fail(&err);
    return written < 0 ? STATUS_FAILED : (int)answer.status;
}

static int begin_deadline(const struct check *check, struct deadline *deadline, struct error *err)
{
    struct buf time = { 0 };
    text_duration(&time, check->timeout_ms);
    *deadline = (struct deadline){ .fd = STDOUT_FILENO, .status = STATUS_FAILED };
    snprintf(deadline->words, sizeof deadline->words,
        "TCPWHY %s - this host could not be looked at within %s (--timeout)", plugin_status_name(PLUGIN_UNKNOWN),
        buf_text(&time));
    buf_deinit(&time);
    int result = deadline_begin(deadline, check->timeout_ms);
    return result < 0 ? error_set(err, result, "--timeout", "cannot be kept: %s", strerror(-result)) : 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    uint64_t began_us = clock_monotonic_us();
    struct check check = { .timeout_ms = TIMEOUT_MS, .growth_over_ms = GROWTH_OVER_MS };
    struct error err = { 0 };
    int result = parse(self, &check, argc, argv, &err);
    int status = STATUS_FAILED; /* the guidelines want this status for --help and --version too */
    if (check.version) {
        printf("check_tcpwhy %s\n", TCPWHY_VERSION);
    } else if (result < 0) {
        fail(&err);
    } else if (result == PARSE_OK) {
        struct deadline deadline;
        status = begin_deadline(&check, &deadline, &err) == 0 ? give_answer(&check, &deadline, began_us) : fail(&err);
    }
    thresholds_deinit(&check.thresholds);
    return status;
}

const struct command command_check = {
    .name = "check",
    .summary = "a monitoring plugin for Nagios, Icinga and others; also as check_tcpwhy",
    .synopsis = "tcpwhy check [OPTIONS]",
    .details =
        "Without a threshold its state is that of the diagnosis: it depends on the age and the number of stuck\n"
        "connections, on how fast they grow, and on how near a limit is. With thresholds it counts:\n"
        "'--state A -w 100 -c 500' warns over 100 and is critical over 500. A selection and its limits are one\n"
        "threshold; another selection after them begins the next: '--state A -w 1 -c 2 --state B -w 3'.\n\n"
        "RANGE: '10' alarms below 0 and above 10, '10:' below 10, '~:10' above 10, '10:20' outside, '@10:20'\n"
        "inside.\n\n"
        "Prints one line, performance data, and lines with the reason and what to do, all to standard output.\n"
        "Exit status: 0 OK, 1 warning, 2 critical, 3 unknown: nothing could be said within the time, or --help.\n",
    .examples = "  tcpwhy check\n"
                "      is anything stuck, and is it worth waking somebody?\n"
                "  tcpwhy check --state LAST_ACK -w 100 -c 500\n"
                "      counts as 'netstat -an | grep -c LAST_ACK' did, and says why\n"
                "  tcpwhy check --state CLOSE_WAIT --older 5m -w 10 -c 50 --state SYN_RECV -w 200\n"
                "      two thresholds\n"
                "  tcpwhy check --process java --cause 'close-wait-*' --growth 10/min,100/min\n"
                "      does it leak, and how fast?\n",
    .run = run,
};
