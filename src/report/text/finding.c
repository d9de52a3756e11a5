#include <string.h>

#include "base/text.h"
#include "model/host.h"
#include "report/text/change.h"
#include "report/text/parts.h"

/* "CRITICAL  close-wait-leak · certain · fault: local application" */
static void heading(
    struct flow *flow, const struct finding *finding, size_t number, size_t of, const struct diagnosis *previous)
{
    static const char *const severities[] = { "INFO", "WARNING", "CRITICAL" };
    static const char *const faults[] = { [FAULT_NONE] = "nobody’s fault",
        [FAULT_LOCAL_APPLICATION] = "fault: local application",
        [FAULT_PEER_APPLICATION] = "fault: peer application",
        [FAULT_PEER_OR_PATH] = "fault: peer or network path",
        [FAULT_HOST_SETTINGS] = "fault: host settings" };
    flow_line(flow);
    flow_rule(flow);
    const char *severity = severities[finding->severity];
    flow_text(flow, text_severity_style(finding->severity), severity);
    flow_column(flow, text_width(severity) + 2);
    flow->indent = flow->column;
    flow_text(flow, STYLE_BOLD, finding->id);
    flow_printf(flow, STYLE_PLAIN, " · %s · %s", confidence_name(finding->confidence), faults[finding->fault]);
    if (finding->host != NULL) {
        flow_text(flow, STYLE_PLAIN, " · ");
        flow_value(flow, STYLE_PLAIN, finding->host->name, 64);
    }
    if (of > 1)
        flow_printf(flow, STYLE_DIM, " · %zu\xc2\xa0of\xc2\xa0%zu", number, of);
    if (previous != NULL)
        change_of_finding(flow, finding, previous);
    flow_line(flow);
    flow_text(flow, STYLE_BOLD, finding->title);
    flow_line(flow);
    flow_line(flow);
}

static bool format_equally(uint64_t one_ms, uint64_t other_ms)
{
    struct buf one = { 0 }, other = { 0 };
    text_duration(&one, one_ms);
    text_duration(&other, other_ms);
    bool same = strcmp(buf_text(&one), buf_text(&other)) == 0;
    buf_deinit(&one);
    buf_deinit(&other);
    return same;
}

static void lasting(struct flow *flow, const struct finding *finding, uint64_t ms)
{
    flow_text(flow, STYLE_PLAIN, finding->age_at_least ? " at\xc2\xa0least\xc2\xa0" : " ");
    flow_duration(flow, STYLE_PLAIN, ms);
}

static void ages(struct flow *flow, const struct finding *finding)
{
    if (!finding->age_known) {
        flow_text(flow, STYLE_DIM, "not known");
        return;
    }
    flow_text(flow, STYLE_PLAIN, finding->count == 1 ? "in this state for" : "the oldest");
    lasting(flow, finding, finding->oldest_ms);
    if (finding->count > 1 && !format_equally(finding->oldest_ms, finding->median_ms)) {
        flow_text(flow, STYLE_PLAIN, ", half of them");
        lasting(flow, finding, finding->median_ms);
    }
}

static void give_up(struct flow *flow, const struct finding *finding)
{
    bool one_time = format_equally(finding->first_give_up_ms, finding->last_give_up_ms);
    flow_text(flow, STYLE_PLAIN,
        finding->count == 1 ? "; the kernel gives it up in "
            : one_time      ? "; the kernel gives them up in "
                            : "; the kernel gives up the first in ");
    flow_duration(flow, STYLE_PLAIN, finding->first_give_up_ms);
    if (!one_time) {
        flow_text(flow, STYLE_PLAIN, ", the last in ");
        flow_duration(flow, STYLE_PLAIN, finding->last_give_up_ms);
    }
}

static void how_long(struct flow *flow, const struct finding *finding)
{
    if (!finding->age_known && !finding->give_up_known)
        return;
    text_label(flow, "Age");
    ages(flow, finding);
    if (finding->reset_count > 0) {
        flow_text(flow, STYLE_PLAIN, ", at most ");
        flow_duration(flow, STYLE_PLAIN, finding->oldest_at_most_ms);
        flow_text(flow, STYLE_PLAIN, "; keepalive sets the clock back");
    }
    if (finding->give_up_known)
        give_up(flow, finding);
    flow_line(flow);
}

static void paragraph(struct flow *flow, const char *label, const char *text)
{
    if (text == NULL)
        return;
    text_label(flow, label);
    flow_text(flow, STYLE_PLAIN, text);
    flow_line(flow);
}

static void fixes(struct flow *flow, const char *label, const struct fixes *fixes)
{
    if (fixes->count == 0)
        return;
    size_t column = BODY_COLUMN + (fixes->count > 1 ? 2 : 0);
    text_label(flow, label);
    for (size_t i = 0; i < fixes->count; i++) {
        flow_column(flow, BODY_COLUMN);
        if (fixes->count > 1)
            flow_text(flow, STYLE_DIM, "•");
        flow_column(flow, column);
        flow->indent = column;
        flow_text(flow, STYLE_PLAIN, fixes->items[i].text);
        flow_line(flow);
        if (fixes->items[i].command == NULL)
            continue;
        flow_column(flow, column);
        flow_verbatim(flow, STYLE_DIM, "$ ");
        flow_verbatim(flow, STYLE_COMMAND, fixes->items[i].command);
        flow_line(flow);
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

/* The first finding with this id, or NULL if this one is the first. Its general advice is not repeated. */
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

static void as_before(struct flow *flow, const char *label, size_t number)
{
    text_label(flow, label);
    flow_printf(flow, STYLE_DIM, "as for finding %zu above", number);
    flow_line(flow);
}

/* General advice. It is printed in full only for the first finding with this id. */
static void advice(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding)
{
    size_t number = 0;
    const struct finding *first = first_of_kind(diagnosis, finding, &number);
    if (first != NULL && finding->fix_for_good.count > 0 && same_fixes(&first->fix_for_good, &finding->fix_for_good))
        as_before(flow, "For good", number);
    else
        fixes(flow, "For good", &finding->fix_for_good);
    if (first != NULL && finding->will_not_help.count > 0 && same_lines(&first->will_not_help, &finding->will_not_help))
        as_before(flow, "Won't help", number);
    else
        text_lines(flow, "Won't help", &finding->will_not_help);
}

/* Appends the --from options, so that the command reads the same captures. */
static void from_option(struct flow *flow, const struct snapshot *snapshot)
{
    const char *before = NULL;
    for (size_t i = 0; i < hosts_count(snapshot); i++) {
        const struct host *host = hosts_at(snapshot, i);
        const char *from = host != NULL ? host->from : snapshot->from;
        bool again = before != NULL && from != NULL && strcmp(before, from) == 0; /* several hosts in one file */
        before = from;
        struct buf word = { 0 };
        if (from != NULL && !again && text_shell_quote(&word, from))
            flow_printf(flow, STYLE_DIM, " --from %s", buf_text(&word));
        buf_deinit(&word);
    }
}

static void more(struct flow *flow, const struct snapshot *snapshot, const struct finding *finding, bool brief)
{
    text_label(flow, "More");
    flow_printf(flow, STYLE_DIM, "tcpwhy explain %s", finding->id);
    flow_line(flow);
    if (finding->conn_count > 0) { /* for a finding about the whole host, no connection has this cause */
        flow_column(flow, BODY_COLUMN);
        flow->indent = BODY_COLUMN + 2;
        flow_printf(flow, STYLE_DIM, "tcpwhy %s --cause %s", brief ? "--all" : "list", finding->id);
        from_option(flow, snapshot);
        flow_line(flow);
    }
}

void text_finding(
    struct flow *flow, const struct diagnosis *diagnosis, size_t number, const struct report_options *options)
{
    const struct finding *finding = &diagnosis->findings[number - 1];
    heading(flow, finding, number, diagnosis->finding_count, options->previous);
    paragraph(flow, "Why", finding->why);
    how_long(flow, finding);
    text_lines(flow, "Proof", &finding->evidence);
    /* An INFO finding is shortened unless everything is wanted, so that the report of a healthy host is short. */
    bool brief = finding->severity == SEVERITY_INFO && !options->all_connections && !finding->is_answer;
    if (brief) {
        flow_line(flow);
        more(flow, diagnosis->snapshot, finding, brief);
        return;
    }
    text_lines(flow, "Ruled out", &finding->ruled_out);
    text_who(flow, diagnosis, finding);
    text_conns(flow, diagnosis, finding, options->all_connections);
    flow_line(flow);
    fixes(flow, "Now", &finding->fix_now);
    advice(flow, diagnosis, finding);
    more(flow, diagnosis->snapshot, finding, brief);
}
