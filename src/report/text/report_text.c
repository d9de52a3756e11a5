#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "model/previous.h"
#include "model/policy.h"
#include "report/text/change.h"
#include "report/report.h"
#include "report/text/parts.h"

enum style text_severity_style(enum severity severity)
{
    static const enum style styles[] = {
        [SEVERITY_INFO] = STYLE_INFO, [SEVERITY_WARNING] = STYLE_WARNING, [SEVERITY_CRITICAL] = STYLE_CRITICAL
    };
    return styles[severity];
}

void text_label(struct flow *flow, const char *label)
{
    flow_fresh_line(flow);
    flow_column(flow, LABEL_COLUMN);
    flow_text(flow, STYLE_BOLD, label);
    flow_column(flow, BODY_COLUMN);
    flow->indent = BODY_COLUMN;
}

void text_lines(struct flow *flow, const char *label, const struct lines *lines, size_t most)
{
    size_t count = lines->count < most ? lines->count : most;
    if (count == 0)
        return;
    text_label(flow, label);
    for (size_t i = 0; i < count; i++) {
        flow_column(flow, BODY_COLUMN);
        flow->indent = BODY_COLUMN;
        if (count > 1) {
            flow_text(flow, STYLE_DIM, "•");
            flow_column(flow, BODY_COLUMN + 2);
            flow->indent = BODY_COLUMN + 2;
        }
        flow_text(flow, STYLE_PLAIN, lines->items[i]);
        flow_line(flow);
    }
}

/* "Linux 6.18.44" */
static void operating_system(struct flow *flow, const struct snapshot *snapshot)
{
    static const char *const proper[][2] = { { "linux", "Linux" }, { "windows", "Windows" }, { "macos", "macOS" },
        { "freebsd", "FreeBSD" }, { "aix", "AIX" }, { "solaris", "Solaris" } };
    const char *os = snapshot->os ? snapshot->os : "system unknown";
    for (size_t i = 0; i < sizeof proper / sizeof *proper; i++) {
        if (strcmp(os, proper[i][0]) == 0)
            os = proper[i][1];
    }
    flow_text(flow, STYLE_PLAIN, os);
    if (snapshot->kernel != NULL) {
        flow_text(flow, STYLE_PLAIN, " ");
        flow_value(flow, STYLE_PLAIN, snapshot->kernel, 40);
    }
}

/* "2026-01-31 12:03:11 UTC" */
static void moment(struct flow *flow, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[64];
    if (gmtime_r(&seconds, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        return;
    flow_text(flow, STYLE_PLAIN, " · ");
    flow_unbroken(flow, STYLE_PLAIN, text);
}

static void elapsed(struct flow *flow, uint32_t us)
{
    if (us < 10 * 1000 * 1000)
        flow_printf(flow, STYLE_DIM, "%" PRIu32 ".%" PRIu32 "\xc2\xa0ms", us / 1000, us % 1000 / 100);
    else
        flow_duration(flow, STYLE_DIM, us / 1000);
}

/* "web.txt, from ss: 4,312 rows, 12 other lines" */
static void origin(struct flow *flow, const struct snapshot *snapshot)
{
    if (snapshot->origin == NULL)
        return;
    bool is_file = snapshot->from != NULL && strcmp(snapshot->from, "-") != 0;
    if (is_file)
        flow_value(flow, STYLE_DIM, snapshot->from, flow->width / 2);
    else
        flow_text(flow, STYLE_DIM, "standard input");
    flow_text(flow, STYLE_DIM, " · ");
    flow_text(flow, STYLE_DIM, snapshot->origin);
    flow_line(flow);
}

/* How many network namespaces have selected connections. */
static size_t count_netns(const struct diagnosis *diagnosis)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    bool *seen = xcalloc(snapshot->netns_count + 1, sizeof *seen);
    size_t count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        uint32_t netns = snapshot->conns[i].netns;
        if (!diagnosis->selected[i] || netns >= snapshot->netns_count || seen[netns])
            continue;
        seen[netns] = true;
        count++;
    }
    free(seen);
    return count;
}

void text_headline(struct flow *flow, const struct diagnosis *diagnosis, const char *version)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    flow_printf(flow, STYLE_BOLD, "tcpwhy %s", version);
    flow_text(flow, STYLE_PLAIN, " · ");
    flow_value(flow, STYLE_BOLD, snapshot->host_name ? snapshot->host_name : "host unknown", 64);
    flow_text(flow, STYLE_PLAIN, " · ");
    operating_system(flow, snapshot);
    moment(flow, snapshot->taken_at_ms);
    flow_line(flow);
    origin(flow, snapshot);

    flow_count(flow, STYLE_DIM, diagnosis->selected_count);
    if (!snapshot->counts_only && diagnosis->selected_count != snapshot->conn_count) {
        flow_text(flow, STYLE_DIM, " of ");
        flow_count(flow, STYLE_DIM, snapshot->conn_count);
    }
    flow_text(flow, STYLE_DIM,
        snapshot->counts_only                                             ? " connections by their numbers, read in "
            : diagnosis->selected != NULL                                 ? " connections selected, read in "
            : diagnosis->selected_count == 1 && snapshot->conn_count == 1 ? " connection looked at in "
                                                                          : " connections looked at in ");
    elapsed(flow, snapshot->elapsed_us);
    size_t netns_count = diagnosis->selected != NULL ? count_netns(diagnosis) : snapshot->netns_count;
    if (netns_count > 1)
        flow_printf(flow, STYLE_DIM, " · %zu network namespaces", netns_count);
    if (snapshot->confirms) {
        flow_text(flow, STYLE_DIM, " · two looks, ");
        flow_duration(flow, STYLE_DIM, previous_apart_ms(snapshot));
        flow_text(flow, STYLE_DIM, " apart");
    }
    flow_line(flow);
}

/* "3 findings: 1 critical, 2 info". Nothing if there are fewer than two; the verdict names a single one. */
static void tally(struct flow *flow, const struct diagnosis *diagnosis)
{
    size_t counts[SEVERITY_CRITICAL + 1] = { 0 };
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        counts[diagnosis->findings[i].severity]++;
    if (diagnosis->finding_count < 2)
        return;
    size_t column = flow->indent;
    flow_line(flow);
    flow_column(flow, column);
    flow_printf(flow, STYLE_DIM, "%zu findings: ", diagnosis->finding_count);
    const char *comma = "";
    for (int severity = SEVERITY_CRITICAL; severity >= SEVERITY_INFO; severity--) {
        if (counts[severity] == 0)
            continue;
        bool plural = severity == SEVERITY_WARNING && counts[severity] > 1;
        flow_printf(flow, STYLE_DIM, "%s%zu %s%s", comma, counts[severity], severity_name((enum severity)severity),
            plural ? "s" : "");
        comma = ", ";
    }
}

void text_verdict(struct flow *flow, enum verdict verdict)
{
    static const struct {
        const char *word;
        enum style style;
    } words[] = { [VERDICT_HEALTHY] = { "HEALTHY", STYLE_HEALTHY },
        [VERDICT_WARNING] = { "WARNING", STYLE_WARNING },
        [VERDICT_CRITICAL] = { "CRITICAL", STYLE_CRITICAL } };
    flow_line(flow);
    flow_text(flow, words[verdict].style, words[verdict].word);
    flow_column(flow, strlen(words[verdict].word) + 2);
    flow->indent = flow->column;
}

/* True if a finding that answers the user's question has a fault. */
static bool explains_fault(const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        if (diagnosis->findings[i].is_answer && diagnosis->findings[i].fault != FAULT_NONE)
            return true;
    }
    return false;
}

void text_whole_verdict(struct flow *flow, const struct diagnosis *diagnosis)
{
    text_verdict(flow, diagnosis->verdict);
    if (diagnosis->verdict != VERDICT_HEALTHY && diagnosis->finding_count > 0)
        flow_text(flow, STYLE_BOLD, diagnosis->findings[0].title);
    else if (diagnosis->snapshot->counts_only && diagnosis->finding_count == 0)
        flow_text(flow, STYLE_PLAIN,
            diagnosis->selected_count == 0
                ? "There is no connection in it; what its numbers mean stands below."
                : "None of these numbers shows a fault by itself; single connections may be stuck all the same.");
    else if (diagnosis->selected_count == 0)
        flow_text(flow, STYLE_PLAIN, "No connection was looked at, so nothing can be said about any.");
    else if (diagnosis->finding_count > 0)
        flow_text(flow, STYLE_PLAIN,
            explains_fault(diagnosis)
                ? "That they are stuck is not proven; what they mean, and what would help, stands below."
                : "Nothing has to be done; what is worth knowing stands below.");
    else if (diagnosis->ignored_count > 0)
        flow_text(flow, STYLE_PLAIN, "No connection is stuck, but for those that are ignored.");
    else if (diagnosis_count_gaps(diagnosis) > 0)
        flow_text(
            flow, STYLE_PLAIN, "No connection that could be judged is stuck; what could not be seen stands below.");
    else
        flow_text(flow, STYLE_PLAIN, "No connection is stuck.");
    tally(flow, diagnosis);
    flow_line(flow);
}

/* Ignored findings, with the reason and the place in the configuration. */
static void ignored(struct flow *flow, const struct diagnosis *diagnosis)
{
    if (diagnosis->ignored_count == 0)
        return;
    flow_line(flow);
    flow_text(flow, STYLE_BOLD, "Ignored");
    flow_line(flow);
    for (size_t i = 0; i < diagnosis->ignored_count; i++) {
        const struct finding *finding = &diagnosis->ignored[i];
        const struct ignore *ignore = finding->ignored;
        flow_column(flow, LABEL_COLUMN);
        flow_text(flow, STYLE_DIM, "•");
        flow_column(flow, LABEL_COLUMN + 2);
        flow->indent = LABEL_COLUMN + 2;
        flow_printf(flow, STYLE_PLAIN, "%s (%s): %s", finding->id, severity_name(finding->severity), finding->title);
        flow_line(flow);
        flow_column(flow, LABEL_COLUMN + 2);
        flow->indent = LABEL_COLUMN + 4;
        flow_text(flow, STYLE_DIM, "ignored:");
        flow_printf(flow, STYLE_PLAIN, " %s", ignore->reason);
        if (ignore->until != NULL)
            flow_printf(flow, STYLE_PLAIN, ", until %s", ignore->until);
        flow_printf(flow, STYLE_DIM, " (%s, line %u)", ignore->origin.file, ignore->origin.line);
        flow_line(flow);
    }
}

/* The notes of the diagnosis: what is normal although it may look alarming, and what was not judged. */
static void notes(struct flow *flow, const struct diagnosis *diagnosis)
{
    if (diagnosis->notes.count == 0)
        return;
    flow_line(flow);
    flow_text(flow, STYLE_BOLD, "Also seen");
    flow_line(flow);
    for (size_t i = 0; i < diagnosis->notes.count; i++) {
        flow_column(flow, LABEL_COLUMN);
        flow_text(flow, STYLE_DIM, "•");
        flow_column(flow, LABEL_COLUMN + 2);
        flow->indent = LABEL_COLUMN + 2;
        flow_text(flow, STYLE_PLAIN, diagnosis->notes.items[i]);
        flow_line(flow);
    }
}

void text_gaps(struct flow *flow, const struct gap *gaps, size_t count)
{
    if (count == 0)
        return;
    flow_line(flow);
    flow_text(flow, STYLE_WARNING, "Not seen");
    flow_line(flow);
    for (size_t i = 0; i < count; i++) {
        flow_column(flow, LABEL_COLUMN);
        flow_text(flow, STYLE_DIM, "•");
        flow_column(flow, LABEL_COLUMN + 2);
        flow->indent = LABEL_COLUMN + 2;
        flow_text(flow, STYLE_PLAIN, gaps[i].text);
        flow_line(flow);
        flow_column(flow, LABEL_COLUMN + 2);
        flow_text(flow, STYLE_DIM, "To see it:");
        flow_text(flow, STYLE_PLAIN, " ");
        flow->indent = LABEL_COLUMN + 4;
        flow_text(flow, STYLE_PLAIN, gaps[i].remedy);
        flow_line(flow);
    }
}

/* Counts in one line what only the whole report shows, so that the reader knows that it exists. */
static void left_out(struct flow *flow, const struct diagnosis *diagnosis, const struct report_options *options)
{
    size_t gaps = diagnosis_count_gaps(diagnosis);
    const struct {
        const char *name;
        size_t count;
    } parts[] = { { "ignored", diagnosis->ignored_count }, { "also seen", diagnosis->notes.count },
        { "not seen", gaps } };
    const char *comma = "";
    flow_line(flow);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].count == 0)
            continue;
        flow_printf(flow, STYLE_DIM, "%s%s: %zu", comma, parts[i].name, parts[i].count);
        comma = ", ";
    }
    if (*comma != '\0')
        flow_text(flow, STYLE_DIM, ". ");
    flow_printf(flow, STYLE_DIM, "tcpwhy%s tells more", options->arguments != NULL ? options->arguments : "");
    flow_line(flow);
}

/* The cards, in the order of the index. */
static void cards(struct flow *flow, const struct diagnosis *diagnosis, const struct report_options *options)
{
    bool is_whole = options->detail == REPORT_WHOLE || options->all_connections;
    size_t count = diagnosis->finding_count;
    size_t shown = is_whole || count <= REPORT_CARDS ? count : REPORT_CARDS;
    for (size_t i = 0; i < shown; i++)
        text_finding(flow, diagnosis, i + 1, options, !is_whole);
    if (shown == count)
        return;
    flow_line(flow);
    flow_rule(flow);
    flow_printf(flow, STYLE_PLAIN, "Findings %zu to %zu stand in the list above. ", shown + 1, count);
    flow_printf(flow, STYLE_COMMAND, "tcpwhy %zu%s", shown + 1, options->arguments != NULL ? options->arguments : "");
    flow_printf(flow, STYLE_PLAIN, " shows number %zu, ", shown + 1);
    flow_text(flow, STYLE_COMMAND, "-v");
    flow_text(flow, STYLE_PLAIN, " shows all.");
    flow_line(flow);
}

int report_text(const struct diagnosis *diagnosis, const struct report_options *options, FILE *out)
{
    struct flow flow;
    flow_init(&flow, &options->style, out);
    text_headline(&flow, diagnosis, options->tool_version);
    if (options->previous != NULL)
        change_summary(&flow, diagnosis, options->previous);
    text_whole_verdict(&flow, diagnosis);
    if (options->only > 0) {
        text_finding(&flow, diagnosis, options->only, options, false);
        return flow_finish(&flow);
    }
    text_states(&flow, diagnosis, options->previous);
    if (diagnosis->finding_count > 1 || options->detail == REPORT_BRIEF)
        text_index(&flow, diagnosis, options);
    if (options->detail == REPORT_BRIEF) {
        left_out(&flow, diagnosis, options);
        return flow_finish(&flow);
    }
    cards(&flow, diagnosis, options);
    if (options->previous != NULL)
        change_gone(&flow, diagnosis, options->previous);
    ignored(&flow, diagnosis);
    notes(&flow, diagnosis);
    size_t gap_count;
    struct gap *gaps = diagnosis_all_gaps(diagnosis, &gap_count);
    text_gaps(&flow, gaps, gap_count);
    free(gaps);
    return flow_finish(&flow);
}
