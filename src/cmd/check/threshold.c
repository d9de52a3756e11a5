#include "cmd/check/threshold.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void thresholds_deinit(struct thresholds *thresholds)
{
    for (unsigned i = 0; i < thresholds->count; i++)
        buf_deinit(&thresholds->items[i].words);
    free(thresholds->items);
    *thresholds = (struct thresholds){ 0 };
}

/* --- the command line ------------------------------------------------------------------------------------------- */

bool threshold_has_growth(const struct threshold *threshold)
{
    return threshold->has_growth_warning || threshold->has_growth_critical;
}

bool threshold_has_limit(const struct threshold *threshold)
{
    return threshold->has_warning || threshold->has_critical || threshold_has_growth(threshold);
}

static struct threshold *next_threshold(struct thresholds *thresholds, bool begins, struct error *err)
{
    if (thresholds->items == NULL)
        thresholds->items = xcalloc(THRESHOLDS_MAX, sizeof *thresholds->items);
    if (thresholds->count > 0 && !begins)
        return &thresholds->items[thresholds->count - 1];
    if (thresholds->count == THRESHOLDS_MAX) {
        error_set(err, -E2BIG, NULL, "begins one threshold too many: at most %d", THRESHOLDS_MAX);
        return NULL;
    }
    return &thresholds->items[thresholds->count++];
}

struct threshold *thresholds_for_selection(struct thresholds *thresholds, struct error *err)
{
    const struct threshold *last = thresholds->count > 0 ? &thresholds->items[thresholds->count - 1] : NULL;
    bool begins = last != NULL && threshold_has_limit(last) && !thresholds->limits_first;
    struct threshold *threshold = next_threshold(thresholds, begins, err);
    if (threshold != NULL)
        threshold->selects = true;
    return threshold;
}

struct threshold *thresholds_for_limit(struct thresholds *thresholds, struct error *err)
{
    const struct threshold *last = thresholds->count > 0 ? &thresholds->items[thresholds->count - 1] : NULL;
    if (last == NULL)
        thresholds->limits_first = true;
    return next_threshold(thresholds, last != NULL && last->selects && thresholds->limits_first, err);
}

/* Parses "10/min" as a range that any growth above it is outside of. */
static int parse_rate(const char *text, size_t length, struct range *ret_range, struct error *err)
{
    static const struct {
        const char *name;
        double minutes;
    } units[] = { { "s", 1.0 / 60 }, { "sec", 1.0 / 60 }, { "m", 1 }, { "min", 1 }, { "h", 60 }, { "d", 24 * 60 } };
    char words[RANGE_TEXT_MAX];
    snprintf(words, sizeof words, "%.*s", (int)(length < sizeof words ? length : sizeof words - 1), text);
    char *slash = strchr(words, '/');
    const char *unit = slash != NULL ? slash + 1 : "min";
    if (slash != NULL)
        *slash = '\0';
    struct range number;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].name, unit) != 0 || strpbrk(words, "@~:-+") != NULL ||
            range_parse(words, &number, NULL) < 0)
            continue;
        *ret_range = (struct range){ .start = -INFINITY, .end = number.end / units[i].minutes };
        snprintf(ret_range->text, sizeof ret_range->text, "~:%.10g", ret_range->end);
        return 0;
    }
    return error_set(err, -EINVAL, words, "is no growth: 10/min, 100/h or 10/min,50/min would do");
}

int threshold_set_growth(struct threshold *threshold, const char *value, struct error *err)
{
    size_t length = strcspn(value, ",");
    int result = parse_rate(value, length, &threshold->growth_warning, err);
    threshold->has_growth_warning = result == 0;
    if (result < 0 || value[length] == '\0')
        return result;
    value += length + 1;
    result = parse_rate(value, strlen(value), &threshold->growth_critical, err);
    threshold->has_growth_critical = result == 0;
    return result;
}

void threshold_add_words(struct threshold *threshold, const struct option_row *row, const char *value)
{
    struct buf *words = &threshold->words;
    buf_str(words, words->length > 0 ? " " : "");
    if (strcmp(row->name, "state") == 0) /* the value is clear without the option's name */
        buf_str(words, value);
    else if (value != NULL)
        buf_printf(words, "%s %s", row->name, value);
    else
        buf_str(words, row->name);
}

/* --- judging ---------------------------------------------------------------------------------------------------- */

/* The result for one threshold. */
struct counted {
    const struct threshold *threshold;
    enum plugin_status status;
    uint64_t count, ignored;
    enum plugin_status growth_status;
    bool growth_known;
    double per_minute;
    uint64_t over_ms;
    const struct finding *reason; /* the finding that most of them are in, or NULL */
    uint64_t explained;           /* how many of them are in that finding */
};

static bool is_selected(const struct threshold *threshold, const struct diagnosis *diagnosis, size_t conn)
{
    const struct selection *selection = &threshold->inspection.selection;
    return selection_matches(selection, diagnosis->snapshot, &diagnosis->snapshot->conns[conn]) &&
        selection_matches_cause(selection, diagnosis_cause(diagnosis, conn));
}

static enum plugin_status compare(double value, const struct range *warning, const struct range *critical)
{
    if (critical != NULL && range_alerts(critical, value))
        return PLUGIN_CRITICAL;
    return warning != NULL && range_alerts(warning, value) ? PLUGIN_WARNING : PLUGIN_OK;
}

static const char *words_of(const struct threshold *threshold)
{
    return threshold->words.length > 0 ? buf_text(&threshold->words) : "all connections";
}

static void find_reason(const struct diagnosis *diagnosis, struct counted *counted)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        uint64_t shared = 0;
        for (size_t k = 0; k < finding->conn_count; k++)
            shared += is_selected(counted->threshold, diagnosis, finding->conns[k]);
        if (shared > counted->explained) {
            counted->reason = finding;
            counted->explained = shared;
        }
    }
}

static void classify_growth(const struct judging *judging, struct counted *counted)
{
    const struct threshold *threshold = counted->threshold;
    uint64_t now_ms = judging->diagnosis->snapshot->taken_at_ms;
    struct series *series = judging->samples != NULL ? samples_series(judging->samples, words_of(threshold)) : NULL;
    if (series == NULL)
        return;
    counted->growth_known = series_growth(
        series, now_ms, counted->count, judging->window_ms, &counted->per_minute, &counted->over_ms);
    series_add(series, now_ms, counted->count, judging->window_ms);
    if (counted->growth_known)
        counted->growth_status = compare(counted->per_minute,
            threshold->has_growth_warning ? &threshold->growth_warning : NULL,
            threshold->has_growth_critical ? &threshold->growth_critical : NULL);
}

static struct counted count_one(const struct threshold *threshold, const struct judging *judging)
{
    const struct diagnosis *diagnosis = judging->diagnosis;
    struct counted counted = { .threshold = threshold };
    for (size_t i = 0; i < diagnosis->snapshot->conn_count; i++) {
        bool selected = is_selected(threshold, diagnosis, i);
        bool ignored = selected && diagnosis->ignores != NULL && diagnosis->ignores[i] != 0;
        counted.count += selected && !ignored;
        counted.ignored += ignored;
    }
    counted.status = compare((double)counted.count, threshold->has_warning ? &threshold->warning : NULL,
        threshold->has_critical ? &threshold->critical : NULL);
    if (threshold_has_growth(threshold))
        classify_growth(judging, &counted);
    if (counted.growth_status > counted.status)
        counted.status = counted.growth_status;
    find_reason(diagnosis, &counted);
    return counted;
}

/* --- words ------------------------------------------------------------------------------------------------------ */

static void add_measures(struct plugin *plugin, const struct counted *counted)
{
    const struct threshold *threshold = counted->threshold;
    struct buf label = { 0 };
    buf_str(&label, threshold->label ? threshold->label : words_of(threshold));
    for (size_t i = 0; threshold->label == NULL && i < label.length; i++) {
        if (label.data[i] == ' ') /* programs that draw graphs prefer names without spaces */
            label.data[i] = '_';
    }
    plugin_measure(plugin,
        &(struct plugin_measure){ .label = buf_text(&label),
            .unit = "",
            .value = (double)counted->count,
            .warning = threshold->has_warning ? &threshold->warning : NULL,
            .critical = threshold->has_critical ? &threshold->critical : NULL,
            .least = "0" });
    if (counted->growth_known) {
        buf_str(&label, "_per_min");
        plugin_measure(plugin,
            &(struct plugin_measure){ .label = buf_text(&label),
                .unit = "",
                .value = counted->per_minute,
                .warning = threshold->has_growth_warning ? &threshold->growth_warning : NULL,
                .critical = threshold->has_growth_critical ? &threshold->growth_critical : NULL });
    }
    buf_deinit(&label);
}

static void add_ranges(struct buf *out, const struct threshold *threshold)
{
    if (threshold->has_warning)
        buf_printf(out, "%swarning %s", out->length > 0 ? ", " : "", threshold->warning.text);
    if (threshold->has_critical)
        buf_printf(out, "%scritical %s", out->length > 0 ? ", " : "", threshold->critical.text);
}

static void add_growth(struct buf *out, const struct counted *counted)
{
    const struct threshold *threshold = counted->threshold;
    if (!threshold_has_growth(threshold))
        return;
    if (!counted->growth_known) {
        buf_str(out, "; how fast they grow is not known yet");
        return;
    }
    buf_printf(out, "; %+.1f a minute over ", counted->per_minute);
    text_duration(out, counted->over_ms);
    buf_printf(out, " (warning above %.10g", threshold->growth_warning.end);
    if (threshold->has_growth_critical)
        buf_printf(out, ", critical above %.10g", threshold->growth_critical.end);
    buf_char(out, ')');
}

/* Appends "LAST_ACK: 612 (warning 100, critical 500): 600 of them last-ack-unanswered: …". */
static void describe(struct buf *out, const struct counted *counted, bool reason)
{
    struct buf ranges = { 0 };
    add_ranges(&ranges, counted->threshold);
    buf_printf(out, "%s: ", words_of(counted->threshold));
    text_count(out, counted->count);
    if (ranges.length > 0)
        buf_printf(out, " (%s)", buf_text(&ranges));
    if (counted->ignored > 0) {
        buf_str(out, ", ");
        text_count(out, counted->ignored);
        buf_str(out, " ignored");
    }
    add_growth(out, counted);
    if (reason && counted->reason != NULL) {
        buf_str(out, "; ");
        if (counted->explained < counted->count) {
            text_count(out, counted->explained);
            buf_str(out, " of them ");
        }
        buf_printf(out, "%s: %s", counted->reason->id, counted->reason->title);
    } else if (reason && counted->count > 0) {
        buf_str(out, "; none of them is stuck");
    }
    buf_deinit(&ranges);
}

/* Writes the status line: the worst threshold with its reason, or, if all are well, all counts. */
static void write_status_line(
    struct plugin *plugin, const struct counted *all, unsigned count, const struct counted *worst)
{
    struct buf line = { 0 };
    if (worst->status != PLUGIN_OK) {
        describe(&line, worst, true);
        unsigned others = 0;
        for (unsigned i = 0; i < count; i++)
            others += all[i].status != PLUGIN_OK;
        if (others > 1)
            buf_printf(&line, " (and %u other%s)", others - 1, others > 2 ? "s" : "");
    } else {
        for (unsigned i = 0; i < count; i++) {
            buf_str(&line, i > 0 ? "; " : "");
            describe(&line, &all[i], false);
        }
    }
    plugin_say(plugin, "%s", buf_text(&line));
    buf_deinit(&line);
}

/*
 * Adds the finding of each threshold, each finding once. If a threshold is well, its finding is added only if verbose.
 */
static void add_reasons(struct plugin *plugin, const struct counted *all, unsigned count, bool verbose)
{
    const struct finding *reasons[THRESHOLDS_MAX];
    unsigned reason_count = 0;
    for (unsigned i = 0; i < count; i++) {
        bool known = all[i].reason == NULL || (all[i].status == PLUGIN_OK && !verbose);
        for (unsigned k = 0; k < reason_count; k++)
            known |= reasons[k] == all[i].reason;
        if (!known)
            reasons[reason_count++] = all[i].reason;
    }
    plugin_findings(plugin, reasons, reason_count, verbose);
}

enum plugin_status thresholds_judge(
    const struct thresholds *thresholds, const struct judging *judging, struct plugin *plugin)
{
    struct counted counted[THRESHOLDS_MAX] = { 0 };
    const struct counted *worst = counted;
    for (unsigned i = 0; i < thresholds->count; i++) {
        counted[i] = count_one(&thresholds->items[i], judging);
        add_measures(plugin, &counted[i]);
        if (counted[i].status > worst->status)
            worst = &counted[i];
    }
    write_status_line(plugin, counted, thresholds->count, worst);
    for (unsigned i = 0; thresholds->count > 1 && i < thresholds->count; i++) {
        struct buf line = { 0 };
        describe(&line, &counted[i], true);
        plugin_add_line(plugin, "[%s] %s", plugin_status_name(counted[i].status), buf_text(&line));
        buf_deinit(&line);
    }
    add_reasons(plugin, counted, thresholds->count, judging->verbose);
    return worst->status;
}
