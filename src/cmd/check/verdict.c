#include "cmd/check/verdict.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cmd/inspect.h"

/* --- words ------------------------------------------------------------------------------------------------------ */

static unsigned count_loud(const struct diagnosis *diagnosis, enum severity severity)
{
    unsigned count = 0;
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        count += diagnosis->findings[i].severity == severity;
    return count;
}

static void add_others(struct plugin *plugin, const struct diagnosis *diagnosis, enum severity worst)
{
    unsigned critical = count_loud(diagnosis, SEVERITY_CRITICAL) - (worst == SEVERITY_CRITICAL);
    unsigned warning = count_loud(diagnosis, SEVERITY_WARNING) - (worst == SEVERITY_WARNING);
    if (critical > 0 && warning > 0)
        plugin_say(plugin, " (and %u more critical, %u warning%s)", critical, warning, warning > 1 ? "s" : "");
    else if (critical > 0)
        plugin_say(plugin, " (and %u more critical)", critical);
    else if (warning > 0)
        plugin_say(
            plugin, " (and %u%s warning%s)", warning, worst == SEVERITY_WARNING ? " more" : "", warning > 1 ? "s" : "");
}

static void add_verdict(struct plugin *plugin, const struct diagnosis *diagnosis)
{
    struct buf count = { 0 };
    text_count(&count, diagnosis->selected_count);
    if (diagnosis->verdict != VERDICT_HEALTHY) {
        const struct finding *worst = &diagnosis->findings[0];
        plugin_say(plugin, "%s", worst->title);
        add_others(plugin, diagnosis, worst->severity);
    } else if (diagnosis->ignored_count > 0) {
        plugin_say(plugin, "no connection is stuck, but for those that are ignored: %s looked at", buf_text(&count));
    } else if (diagnosis->selected_count == 0) {
        plugin_say(plugin, "no connection was there to be looked at");
    } else if (diagnosis->finding_count > 0) {
        plugin_say(plugin, "nothing has to be done: %s connections looked at, %zu finding%s for information",
            buf_text(&count), diagnosis->finding_count, diagnosis->finding_count > 1 ? "s" : "");
    } else {
        plugin_say(plugin, "no connection is stuck: %s looked at", buf_text(&count));
    }
    buf_deinit(&count);
}

/* --- performance data ------------------------------------------------------------------------------------------- */

static void measure_count(struct plugin *plugin, const char *label, uint64_t count)
{
    plugin_measure(
        plugin, &(struct plugin_measure){ .label = label, .unit = "", .value = (double)count, .least = "0" });
}

/* Every state, also those without connections: programs that draw graphs need the same names each time. */
static void measure_states(struct plugin *plugin, const struct diagnosis *diagnosis)
{
    measure_count(plugin, "connections", diagnosis->selected_count);
    for (int state = STATE_LISTEN; state <= STATE_TIME_WAIT; state++) {
        char label[32];
        size_t length = 0;
        for (const char *at = state_name((enum conn_state)state); *at != '\0' && length + 1 < sizeof label; at++)
            label[length++] = (char)tolower((unsigned char)*at);
        label[length] = '\0';
        measure_count(plugin, label, diagnosis->by_state[state]);
    }
}

/* Without data from earlier runs, keepalive may reset an age. Such an age is not written. */
static bool has_steady_age(const struct judging *judging, const struct finding *finding)
{
    return finding->age_known && (finding->reset_count == 0 || judging->ages_hold);
}

static void measure_findings(struct plugin *plugin, const struct judging *judging)
{
    static const struct range none = { .text = "0" };
    const struct diagnosis *diagnosis = judging->diagnosis;
    uint64_t oldest_ms = 0;
    bool all_unknown = count_loud(diagnosis, SEVERITY_CRITICAL) + count_loud(diagnosis, SEVERITY_WARNING) > 0;
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        if (finding->severity == SEVERITY_INFO || !has_steady_age(judging, finding))
            continue;
        all_unknown = false;
        oldest_ms = finding->oldest_ms > oldest_ms ? finding->oldest_ms : oldest_ms;
    }
    plugin_measure(plugin,
        &(struct plugin_measure){ .label = "critical_findings",
            .unit = "",
            .value = count_loud(diagnosis, SEVERITY_CRITICAL),
            .critical = &none,
            .least = "0" });
    plugin_measure(plugin,
        &(struct plugin_measure){ .label = "warning_findings",
            .unit = "",
            .value = count_loud(diagnosis, SEVERITY_WARNING),
            .warning = &none,
            .least = "0" });
    plugin_measure(plugin,
        &(struct plugin_measure){ .label = "oldest_stuck",
            .unit = "s",
            .value = (double)oldest_ms / 1000,
            .unknown = all_unknown,
            .least = "0" });
}

static struct range percent_range(uint64_t percent)
{
    struct range range = { .end = (double)percent };
    snprintf(range.text, sizeof range.text, "%llu", (unsigned long long)percent);
    return range;
}

/* The share of open descriptors, of the process where it is largest. The limits are those of descriptor-exhaustion. */
static void measure_descriptors(struct plugin *plugin, const struct snapshot *snapshot, const struct policy *policy)
{
    struct limits limits = cmd_limits(policy, "descriptor-exhaustion");
    struct range warning = percent_range(limits.warning_percent), critical = percent_range(limits.critical_percent);
    double most = 0;
    bool known = false;
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const struct process *process = &snapshot->processes[i];
        if (!process_has_limit(process))
            continue;
        known = true;
        double share = 100.0 * process->fds_open / process->fds_limit;
        most = share > most ? share : most;
    }
    plugin_measure(plugin,
        &(struct plugin_measure){ .label = "descriptors",
            .unit = "%",
            .value = most,
            .unknown = !known,
            .warning = &warning,
            .critical = &critical,
            .least = "0",
            .most = "100" });
}

/* --- growth ----------------------------------------------------------------------------------------------------- */

/* A finding that grows until its process has no free descriptor. */
struct slope {
    const struct finding *finding;
    enum plugin_status status;
    double per_minute;
    uint64_t over_ms, left_ms;
};

static bool takes_descriptors(const struct finding *finding)
{
    const struct process *owner = finding->owner;
    return finding->fault == FAULT_LOCAL_APPLICATION && finding->conn_count > 0 && owner != NULL &&
        !finding->owner_inferred && owner->fds_open > 0 && owner->fds_limit > owner->fds_open &&
        owner->fds_limit != UINT32_MAX;
}

/* The port of an end: 0 if the finding has none, "*" if it has many. */
static void series_end(struct buf *name, const struct endpoint *end)
{
    if (end->known && end->any_port && end->ports > 0)
        buf_char(name, '*');
    else
        buf_printf(name, "%u", end->known && !end->any_port ? end->port : 0U);
}

/*
 * The samples of this finding from other runs. The process may have been restarted, and the connections may be others.
 */
static struct series *series_of(struct samples *samples, const struct finding *finding)
{
    struct buf name = { 0 };
    buf_printf(&name, "%s %s ", finding->id, finding->owner->name ? finding->owner->name : "?");
    series_end(&name, &finding->local);
    buf_char(&name, ' ');
    series_end(&name, &finding->remote);
    struct series *series = samples_series(samples, buf_text(&name));
    buf_deinit(&name);
    return series;
}

static bool find_slope(const struct diagnosis *diagnosis, const struct finding *finding, const struct series *series,
    uint64_t window_ms, struct slope *ret_slope)
{
    enum { CRITICAL_MS = 60 * 60 * 1000, WARNING_MS = 12 * CRITICAL_MS, MINUTE_MS = 60 * 1000, LEAST_GROWTH = 10 };
    struct slope slope = { .finding = finding };
    if (!series_growth(
            series, diagnosis->snapshot->taken_at_ms, finding->count, window_ms, &slope.per_minute, &slope.over_ms))
        return false;
    /* A smaller growth may be chance. */
    if (slope.per_minute * (double)slope.over_ms / MINUTE_MS < LEAST_GROWTH)
        return false;
    double left_ms = (finding->owner->fds_limit - finding->owner->fds_open) / slope.per_minute * MINUTE_MS;
    if (left_ms > WARNING_MS)
        return false;
    slope.left_ms = (uint64_t)left_ms;
    slope.status = slope.left_ms <= CRITICAL_MS ? PLUGIN_CRITICAL : PLUGIN_WARNING;
    *ret_slope = slope;
    return true;
}

/* The finding whose process has the least time left. Adds all counts to the samples for the next run. */
static struct slope find_slopes(const struct diagnosis *diagnosis, struct samples *samples, uint64_t window_ms)
{
    struct slope worst = { .left_ms = UINT64_MAX };
    for (size_t i = 0; samples != NULL && i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        struct series *series = takes_descriptors(finding) ? series_of(samples, finding) : NULL;
        struct slope slope;
        if (series == NULL)
            continue;
        if (find_slope(diagnosis, finding, series, window_ms, &slope) && slope.left_ms < worst.left_ms)
            worst = slope;
        series_add(series, diagnosis->snapshot->taken_at_ms, finding->count, window_ms);
    }
    return worst;
}

static void describe_slope(struct buf *out, const struct slope *slope)
{
    const struct process *owner = slope->finding->owner;
    buf_printf(out, "%.1f a minute more over ", slope->per_minute);
    text_duration(out, slope->over_ms);
    buf_printf(out, ": %s (pid %u) runs out of descriptors in ", owner->name ? owner->name : "?", owner->pid);
    text_duration(out, slope->left_ms);
}

/* Writes the status line. It is about the slope if that is worse than the verdict. Returns the worse status. */
static enum plugin_status add_slope(struct plugin *plugin, const struct diagnosis *diagnosis, const struct slope *slope)
{
    enum plugin_status verdict = (enum plugin_status)diagnosis->verdict;
    struct buf words = { 0 };
    if (slope->finding != NULL)
        describe_slope(&words, slope);
    bool graver = slope->finding != NULL && slope->status > verdict;
    if (graver)
        plugin_say(plugin, "%s; %s", slope->finding->title, buf_text(&words));
    else
        add_verdict(plugin, diagnosis);
    if (slope->finding != NULL)
        plugin_add_line(plugin, "[%s] %s: %s", plugin_status_name(slope->status), slope->finding->id, buf_text(&words));
    buf_deinit(&words);
    return graver ? slope->status : verdict;
}

/* --- judging ---------------------------------------------------------------------------------------------------- */

bool verdict_wants_samples(const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        if (takes_descriptors(&diagnosis->findings[i]))
            return true;
    }
    return false;
}

enum plugin_status verdict_judge(const struct judging *judging, struct plugin *plugin)
{
    const struct diagnosis *diagnosis = judging->diagnosis;
    struct slope slope = find_slopes(diagnosis, judging->samples, judging->window_ms);
    enum plugin_status status = add_slope(plugin, diagnosis, &slope);
    measure_states(plugin, diagnosis);
    measure_findings(plugin, judging);
    measure_descriptors(plugin, diagnosis->snapshot, judging->policy);
    const struct finding **findings = xcalloc(diagnosis->finding_count, sizeof *findings);
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        findings[i] = &diagnosis->findings[i];
    plugin_findings(plugin, findings, diagnosis->finding_count, judging->verbose);
    free(findings);
    return status;
}
