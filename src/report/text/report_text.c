#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "model/previous.h"
#include "model/policy.h"
#include "report/text/change.h"
#include "report/report.h"
#include "report/text/parts.h"

enum ink text_severity_ink(enum severity severity)
{
    static const enum ink inks[] = {
        [SEVERITY_INFO] = INK_INFO, [SEVERITY_WARNING] = INK_WARNING, [SEVERITY_CRITICAL] = INK_CRITICAL
    };
    return inks[severity];
}

void text_label(struct sheet *sheet, const char *label)
{
    sheet_fresh_line(sheet);
    sheet_column(sheet, LABEL_COLUMN);
    sheet_text(sheet, INK_BOLD, label);
    sheet_column(sheet, BODY_COLUMN);
    sheet->indent = BODY_COLUMN;
}

void text_lines(struct sheet *sheet, const char *label, const struct lines *lines)
{
    if (lines->count == 0)
        return;
    text_label(sheet, label);
    for (size_t i = 0; i < lines->count; i++) {
        sheet_column(sheet, BODY_COLUMN);
        sheet->indent = BODY_COLUMN;
        if (lines->count > 1) {
            sheet_text(sheet, INK_DIM, "•");
            sheet_column(sheet, BODY_COLUMN + 2);
            sheet->indent = BODY_COLUMN + 2;
        }
        sheet_text(sheet, INK_PLAIN, lines->items[i]);
        sheet_line(sheet);
    }
}

/* "Linux 6.18.44" */
static void operating_system(struct sheet *sheet, const struct snapshot *snapshot)
{
    static const char *const proper[][2] = { { "linux", "Linux" }, { "windows", "Windows" }, { "macos", "macOS" },
        { "freebsd", "FreeBSD" }, { "solaris", "Solaris" } };
    const char *os = snapshot->os ? snapshot->os : "system unknown";
    for (size_t i = 0; i < sizeof proper / sizeof *proper; i++) {
        if (strcmp(os, proper[i][0]) == 0)
            os = proper[i][1];
    }
    sheet_text(sheet, INK_PLAIN, os);
    if (snapshot->kernel != NULL) {
        sheet_text(sheet, INK_PLAIN, " ");
        sheet_value(sheet, INK_PLAIN, snapshot->kernel, 40);
    }
}

/* "2026-01-31 12:03:11 UTC" */
static void moment(struct sheet *sheet, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[64];
    if (gmtime_r(&seconds, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        return;
    sheet_text(sheet, INK_PLAIN, " · ");
    sheet_kept(sheet, INK_PLAIN, text);
}

static void elapsed(struct sheet *sheet, uint32_t us)
{
    if (us < 10 * 1000 * 1000)
        sheet_printf(sheet, INK_DIM, "%" PRIu32 ".%" PRIu32 "\xc2\xa0ms", us / 1000, us % 1000 / 100);
    else
        sheet_duration(sheet, INK_DIM, us / 1000);
}

/* "web.txt, from ss: 4,312 rows, 12 other lines" */
static void origin(struct sheet *sheet, const struct snapshot *snapshot)
{
    if (snapshot->origin == NULL)
        return;
    bool is_file = snapshot->from != NULL && strcmp(snapshot->from, "-") != 0;
    if (is_file)
        sheet_value(sheet, INK_DIM, snapshot->from, sheet->width / 2);
    else
        sheet_text(sheet, INK_DIM, "standard input");
    sheet_text(sheet, INK_DIM, " · ");
    sheet_text(sheet, INK_DIM, snapshot->origin);
    sheet_line(sheet);
}

static void headline(struct sheet *sheet, const struct diagnosis *diagnosis, const char *version)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    sheet_printf(sheet, INK_BOLD, "tcpwhy %s", version);
    sheet_text(sheet, INK_PLAIN, " · ");
    sheet_value(sheet, INK_BOLD, snapshot->host_name ? snapshot->host_name : "host unknown", 64);
    sheet_text(sheet, INK_PLAIN, " · ");
    operating_system(sheet, snapshot);
    moment(sheet, snapshot->taken_at_ms);
    sheet_line(sheet);
    origin(sheet, snapshot);

    sheet_count(sheet, INK_DIM, diagnosis->selected_count);
    if (diagnosis->selected_count != snapshot->conn_count) {
        sheet_text(sheet, INK_DIM, " of ");
        sheet_count(sheet, INK_DIM, snapshot->conn_count);
    }
    sheet_text(sheet, INK_DIM,
        diagnosis->selected_count == 1 && snapshot->conn_count == 1 ? " connection looked at in "
                                                                    : " connections looked at in ");
    elapsed(sheet, snapshot->elapsed_us);
    if (snapshot->netns_count > 1)
        sheet_printf(sheet, INK_DIM, " · %zu network namespaces", snapshot->netns_count);
    if (snapshot->confirms) {
        sheet_text(sheet, INK_DIM, " · two looks, ");
        sheet_duration(sheet, INK_DIM, earlier_apart_ms(snapshot));
        sheet_text(sheet, INK_DIM, " apart");
    }
    sheet_line(sheet);
}

/* "3 findings: 1 critical, 2 info", where there is more than the one that the verdict names. */
static void tally(struct sheet *sheet, const struct diagnosis *diagnosis)
{
    size_t counts[SEVERITY_CRITICAL + 1] = { 0 };
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        counts[diagnosis->findings[i].severity]++;
    if (diagnosis->finding_count < 2)
        return;
    size_t column = sheet->indent;
    sheet_line(sheet);
    sheet_column(sheet, column);
    sheet_printf(sheet, INK_DIM, "%zu findings: ", diagnosis->finding_count);
    const char *comma = "";
    for (int severity = SEVERITY_CRITICAL; severity >= SEVERITY_INFO; severity--) {
        if (counts[severity] == 0)
            continue;
        bool plural = severity == SEVERITY_WARNING && counts[severity] > 1;
        sheet_printf(sheet, INK_DIM, "%s%zu %s%s", comma, counts[severity], severity_name((enum severity)severity),
            plural ? "s" : "");
        comma = ", ";
    }
}

void text_verdict(struct sheet *sheet, enum verdict verdict)
{
    static const struct {
        const char *word;
        enum ink ink;
    } words[] = { [VERDICT_HEALTHY] = { "HEALTHY", INK_HEALTHY },
        [VERDICT_WARNING] = { "WARNING", INK_WARNING },
        [VERDICT_CRITICAL] = { "CRITICAL", INK_CRITICAL } };
    sheet_line(sheet);
    sheet_text(sheet, words[verdict].ink, words[verdict].word);
    sheet_column(sheet, strlen(words[verdict].word) + 2);
    sheet->indent = sheet->column;
}

static void verdict(struct sheet *sheet, const struct diagnosis *diagnosis)
{
    text_verdict(sheet, diagnosis->verdict);
    if (diagnosis->verdict != VERDICT_HEALTHY && diagnosis->finding_count > 0)
        sheet_text(sheet, INK_BOLD, diagnosis->findings[0].title);
    else if (diagnosis->selected_count == 0)
        sheet_text(sheet, INK_PLAIN, "No connection was looked at, so nothing can be said about any.");
    else if (diagnosis->finding_count > 0)
        sheet_text(sheet, INK_PLAIN, "Nothing has to be done; what is worth knowing stands below.");
    else if (diagnosis->ignored_count > 0)
        sheet_text(sheet, INK_PLAIN, "No connection is stuck, but for those that are ignored.");
    else if (diagnosis->snapshot->gap_count > 0)
        sheet_text(
            sheet, INK_PLAIN, "No connection that could be judged is stuck; what could not be seen stands below.");
    else
        sheet_text(sheet, INK_PLAIN, "No connection is stuck.");
    tally(sheet, diagnosis);
    sheet_line(sheet);
}

/* What is known to be so, and by whose word. */
static void ignored(struct sheet *sheet, const struct diagnosis *diagnosis)
{
    if (diagnosis->ignored_count == 0)
        return;
    sheet_line(sheet);
    sheet_text(sheet, INK_BOLD, "Ignored");
    sheet_line(sheet);
    for (size_t i = 0; i < diagnosis->ignored_count; i++) {
        const struct finding *finding = &diagnosis->ignored[i];
        const struct ignore *ignore = finding->ignored;
        sheet_column(sheet, LABEL_COLUMN);
        sheet_text(sheet, INK_DIM, "•");
        sheet_column(sheet, LABEL_COLUMN + 2);
        sheet->indent = LABEL_COLUMN + 2;
        sheet_printf(sheet, INK_PLAIN, "%s (%s): %s", finding->id, severity_name(finding->severity), finding->title);
        sheet_line(sheet);
        sheet_column(sheet, LABEL_COLUMN + 2);
        sheet->indent = LABEL_COLUMN + 4;
        sheet_text(sheet, INK_DIM, "ignored:");
        sheet_printf(sheet, INK_PLAIN, " %s", ignore->reason);
        if (ignore->until != NULL)
            sheet_printf(sheet, INK_PLAIN, ", until %s", ignore->until);
        sheet_printf(sheet, INK_DIM, " (%s, line %u)", ignore->origin.file, ignore->origin.line);
        sheet_line(sheet);
    }
}

/* What looks alarming and is not, and what was not judged. */
static void notes(struct sheet *sheet, const struct diagnosis *diagnosis)
{
    if (diagnosis->notes.count == 0)
        return;
    sheet_line(sheet);
    sheet_text(sheet, INK_BOLD, "Also seen");
    sheet_line(sheet);
    for (size_t i = 0; i < diagnosis->notes.count; i++) {
        sheet_column(sheet, LABEL_COLUMN);
        sheet_text(sheet, INK_DIM, "•");
        sheet_column(sheet, LABEL_COLUMN + 2);
        sheet->indent = LABEL_COLUMN + 2;
        sheet_text(sheet, INK_PLAIN, diagnosis->notes.items[i]);
        sheet_line(sheet);
    }
}

void text_gaps(struct sheet *sheet, const struct gap *gaps, size_t count)
{
    if (count == 0)
        return;
    sheet_line(sheet);
    sheet_text(sheet, INK_WARNING, "Not seen");
    sheet_line(sheet);
    for (size_t i = 0; i < count; i++) {
        sheet_column(sheet, LABEL_COLUMN);
        sheet_text(sheet, INK_DIM, "•");
        sheet_column(sheet, LABEL_COLUMN + 2);
        sheet->indent = LABEL_COLUMN + 2;
        sheet_text(sheet, INK_PLAIN, gaps[i].text);
        sheet_line(sheet);
        sheet_column(sheet, LABEL_COLUMN + 2);
        sheet_text(sheet, INK_DIM, "To see it:");
        sheet_text(sheet, INK_PLAIN, " ");
        sheet->indent = LABEL_COLUMN + 4;
        sheet_text(sheet, INK_PLAIN, gaps[i].remedy);
        sheet_line(sheet);
    }
}

int report_text(const struct diagnosis *diagnosis, const struct report_options *options, FILE *out)
{
    struct sheet sheet;
    sheet_init(&sheet, &options->style, out);
    headline(&sheet, diagnosis, options->tool_version);
    if (options->previous != NULL)
        change_summary(&sheet, diagnosis, options->previous);
    verdict(&sheet, diagnosis);
    text_states(&sheet, diagnosis, options->previous);
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        text_finding(&sheet, diagnosis, i + 1, options);
    if (options->previous != NULL)
        change_gone(&sheet, diagnosis, options->previous);
    ignored(&sheet, diagnosis);
    notes(&sheet, diagnosis);
    text_gaps(&sheet, diagnosis->snapshot->gaps, diagnosis->snapshot->gap_count);
    return sheet_finish(&sheet);
}
