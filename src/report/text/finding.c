#include <string.h>

#include "base/text.h"
#include "model/host.h"
#include "report/text/change.h"
#include "report/text/parts.h"

/* "CRITICAL  close-wait-leak · certain · fault: local application" */
static void heading(
    struct sheet *sheet, const struct finding *finding, size_t number, size_t of, const struct diagnosis *previous)
{
    static const char *const severities[] = { "INFO", "WARNING", "CRITICAL" };
    static const char *const faults[] = { [FAULT_NONE] = "nobody’s fault",
        [FAULT_LOCAL_APPLICATION] = "fault: local application",
        [FAULT_PEER_APPLICATION] = "fault: peer application",
        [FAULT_PEER_OR_PATH] = "fault: peer or network path",
        [FAULT_HOST_SETTINGS] = "fault: host settings" };
    sheet_line(sheet);
    sheet_rule(sheet);
    const char *severity = severities[finding->severity];
    sheet_text(sheet, text_severity_ink(finding->severity), severity);
    sheet_column(sheet, text_width(severity) + 2);
    sheet->indent = sheet->column;
    sheet_text(sheet, INK_BOLD, finding->id);
    sheet_printf(sheet, INK_PLAIN, " · %s · %s", confidence_name(finding->confidence), faults[finding->fault]);
    if (finding->host != NULL) {
        sheet_text(sheet, INK_PLAIN, " · ");
        sheet_value(sheet, INK_PLAIN, finding->host->name, 64);
    }
    if (of > 1)
        sheet_printf(sheet, INK_DIM, " · %zu\xc2\xa0of\xc2\xa0%zu", number, of);
    if (previous != NULL)
        change_of_finding(sheet, finding, previous);
    sheet_line(sheet);
    sheet_text(sheet, INK_BOLD, finding->title);
    sheet_line(sheet);
    sheet_line(sheet);
}

static bool look_the_same(uint64_t one_ms, uint64_t other_ms)
{
    struct buf one = { 0 }, other = { 0 };
    text_duration(&one, one_ms);
    text_duration(&other, other_ms);
    bool same = strcmp(buf_text(&one), buf_text(&other)) == 0;
    buf_deinit(&one);
    buf_deinit(&other);
    return same;
}

static void lasting(struct sheet *sheet, const struct finding *finding, uint64_t ms)
{
    sheet_text(sheet, INK_PLAIN, finding->age_at_least ? " at\xc2\xa0least\xc2\xa0" : " ");
    sheet_duration(sheet, INK_PLAIN, ms);
}

static void ages(struct sheet *sheet, const struct finding *finding)
{
    if (!finding->age_known) {
        sheet_text(sheet, INK_DIM, "not known");
        return;
    }
    sheet_text(sheet, INK_PLAIN, finding->count == 1 ? "in this state for" : "the oldest");
    lasting(sheet, finding, finding->oldest_ms);
    if (finding->count > 1 && !look_the_same(finding->oldest_ms, finding->median_ms)) {
        sheet_text(sheet, INK_PLAIN, ", half of them");
        lasting(sheet, finding, finding->median_ms);
    }
}

static void give_up(struct sheet *sheet, const struct finding *finding)
{
    bool one_time = look_the_same(finding->first_give_up_ms, finding->last_give_up_ms);
    sheet_text(sheet, INK_PLAIN,
        finding->count == 1 ? "; the kernel gives it up in "
            : one_time      ? "; the kernel gives them up in "
                            : "; the kernel gives up the first in ");
    sheet_duration(sheet, INK_PLAIN, finding->first_give_up_ms);
    if (!one_time) {
        sheet_text(sheet, INK_PLAIN, ", the last in ");
        sheet_duration(sheet, INK_PLAIN, finding->last_give_up_ms);
    }
}

static void how_long(struct sheet *sheet, const struct finding *finding)
{
    if (!finding->age_known && !finding->give_up_known)
        return;
    text_label(sheet, "Age");
    ages(sheet, finding);
    if (finding->give_up_known)
        give_up(sheet, finding);
    sheet_line(sheet);
}

static void paragraph(struct sheet *sheet, const char *label, const char *text)
{
    if (text == NULL)
        return;
    text_label(sheet, label);
    sheet_text(sheet, INK_PLAIN, text);
    sheet_line(sheet);
}

static void fixes(struct sheet *sheet, const char *label, const struct fixes *fixes)
{
    if (fixes->count == 0)
        return;
    size_t column = BODY_COLUMN + (fixes->count > 1 ? 2 : 0);
    text_label(sheet, label);
    for (size_t i = 0; i < fixes->count; i++) {
        sheet_column(sheet, BODY_COLUMN);
        if (fixes->count > 1)
            sheet_text(sheet, INK_DIM, "•");
        sheet_column(sheet, column);
        sheet->indent = column;
        sheet_text(sheet, INK_PLAIN, fixes->items[i].text);
        sheet_line(sheet);
        if (fixes->items[i].command == NULL)
            continue;
        sheet_column(sheet, column);
        sheet_verbatim(sheet, INK_DIM, "$ ");
        sheet_verbatim(sheet, INK_COMMAND, fixes->items[i].command);
        sheet_line(sheet);
    }
}

static bool same_text(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool same_lines(const struct lines *one, const struct lines *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (!same_text(one->items[i], other->items[i]))
            return false;
    }
    return true;
}

static bool same_fixes(const struct fixes *one, const struct fixes *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (!same_text(one->items[i].text, other->items[i].text) ||
            !same_text(one->items[i].command, other->items[i].command))
            return false;
    }
    return true;
}

/* The first finding of the same id, whose general advice need not be read twice; NULL for that one itself. */
static const struct finding *first_of_kind(
    const struct diagnosis *diagnosis, const struct finding *finding, size_t *ret_number)
{
    for (size_t i = 0; &diagnosis->findings[i] != finding; i++) {
        *ret_number = i + 1;
        if (strcmp(diagnosis->findings[i].id, finding->id) == 0)
            return &diagnosis->findings[i];
    }
    return NULL;
}

static void as_before(struct sheet *sheet, const char *label, size_t number)
{
    text_label(sheet, label);
    sheet_printf(sheet, INK_DIM, "as for finding %zu above", number);
    sheet_line(sheet);
}

/* Advice that holds for every finding of its kind: in full for the first only. */
static void advice(struct sheet *sheet, const struct diagnosis *diagnosis, const struct finding *finding)
{
    size_t number = 0;
    const struct finding *first = first_of_kind(diagnosis, finding, &number);
    if (first != NULL && finding->fix_for_good.count > 0 && same_fixes(&first->fix_for_good, &finding->fix_for_good))
        as_before(sheet, "For good", number);
    else
        fixes(sheet, "For good", &finding->fix_for_good);
    if (first != NULL && finding->will_not_help.count > 0 && same_lines(&first->will_not_help, &finding->will_not_help))
        as_before(sheet, "Won't help", number);
    else
        text_lines(sheet, "Won't help", &finding->will_not_help);
}

/* The capture has to be given again. */
static void from_option(struct sheet *sheet, const struct snapshot *snapshot)
{
    const char *before = NULL;
    for (size_t i = 0; i < hosts_count(snapshot); i++) {
        const struct host *host = hosts_at(snapshot, i);
        const char *from = host != NULL ? host->from : snapshot->from;
        bool again = before != NULL && from != NULL && strcmp(before, from) == 0; /* several hosts in one file */
        before = from;
        struct buf word = { 0 };
        if (from != NULL && !again && text_shell_quote(&word, from))
            sheet_printf(sheet, INK_DIM, " --from %s", buf_text(&word));
        buf_deinit(&word);
    }
}

static void more(struct sheet *sheet, const struct snapshot *snapshot, const struct finding *finding, bool brief)
{
    text_label(sheet, "More");
    sheet_printf(sheet, INK_DIM, "tcpwhy explain %s", finding->id);
    sheet_line(sheet);
    if (finding->conn_count > 0) { /* else no connection has it as its cause */
        sheet_column(sheet, BODY_COLUMN);
        sheet->indent = BODY_COLUMN + 2;
        sheet_printf(sheet, INK_DIM, "tcpwhy %s --cause %s", brief ? "--all" : "list", finding->id);
        from_option(sheet, snapshot);
        sheet_line(sheet);
    }
}

void text_finding(
    struct sheet *sheet, const struct diagnosis *diagnosis, size_t number, const struct report_options *options)
{
    const struct finding *finding = &diagnosis->findings[number - 1];
    heading(sheet, finding, number, diagnosis->finding_count, options->previous);
    paragraph(sheet, "Why", finding->why);
    how_long(sheet, finding);
    text_lines(sheet, "Proof", &finding->evidence);
    /* What is only worth knowing is told in short, unless everything is asked for: a healthy host has a short report. */
    bool brief = finding->severity == SEVERITY_INFO && !options->all_connections;
    if (brief) {
        sheet_line(sheet);
        more(sheet, diagnosis->snapshot, finding, brief);
        return;
    }
    text_lines(sheet, "Ruled out", &finding->ruled_out);
    text_who(sheet, diagnosis, finding);
    text_conns(sheet, diagnosis, finding, options->all_connections);
    sheet_line(sheet);
    fixes(sheet, "Now", &finding->fix_now);
    advice(sheet, diagnosis, finding);
    more(sheet, diagnosis->snapshot, finding, brief);
}
