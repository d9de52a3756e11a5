#include <stdint.h>
#include <stdio.h>
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

/* With a selection: how much of the finding it takes in. The finding itself is about the whole host. */
static void selected(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding)
{
    if (diagnosis->selected == NULL || (finding->selected_count > 0 && finding->selected_count >= finding->count))
        return;
    text_label(flow, "Selected");
    uint64_t count = finding->selected_count > 0 ? finding->selected_count : finding->selected_ends;
    if (count > 0)
        flow_count(flow, STYLE_PLAIN, count);
    flow_text(flow, STYLE_PLAIN,
        finding->selected_count > 0      ? " of them"
            : finding->selected_ends > 0 ? " of their other ends"
                                         : "their listener, or what waits for it");
    flow_text(flow, STYLE_PLAIN, "; the finding is about the whole host");
    flow_line(flow);
}

/* The length of the first two sentences in bytes. */
static size_t two_sentences(const char *text)
{
    const char *end = text;
    for (int sentence = 0; sentence < 2 && end != NULL; sentence++) {
        end = strstr(end, ". ");
        end = end != NULL ? end + 1 : NULL;
    }
    return end != NULL ? (size_t)(end - text) : strlen(text);
}

static void why(struct flow *flow, const struct finding *finding, bool is_short)
{
    if (finding->why == NULL)
        return;
    struct buf text = { 0 };
    buf_add(&text, finding->why, is_short ? two_sentences(finding->why) : strlen(finding->why));
    text_label(flow, "Why");
    flow_text(flow, STYLE_PLAIN, buf_text(&text));
    flow_line(flow);
    buf_deinit(&text);
}

static void fixes(struct flow *flow, const char *label, const struct fixes *fixes, size_t most)
{
    size_t count = fixes->count < most ? fixes->count : most;
    if (count == 0)
        return;
    size_t column = BODY_COLUMN + (count > 1 ? 2 : 0);
    text_label(flow, label);
    for (size_t i = 0; i < count; i++) {
        flow_column(flow, BODY_COLUMN);
        if (count > 1)
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
        fixes(flow, "For good", &finding->fix_for_good, SIZE_MAX);
    if (first != NULL && finding->will_not_help.count > 0 && same_lines(&first->will_not_help, &finding->will_not_help))
        as_before(flow, "Won't help", number);
    else
        text_lines(flow, "Won't help", &finding->will_not_help, SIZE_MAX);
}

/* A command of tcpwhy, on a line of its own. */
static void command(struct flow *flow, const char *operands, const char *arguments)
{
    flow_column(flow, BODY_COLUMN);
    flow_verbatim(flow, STYLE_DIM, "$ tcpwhy ");
    flow_verbatim(flow, STYLE_DIM, operands);
    flow_verbatim(flow, STYLE_DIM, arguments != NULL ? arguments : "");
    flow_line(flow);
}

static void more(struct flow *flow, const struct finding *finding, size_t number, bool is_short, bool is_selection,
    const struct report_options *options)
{
    char operands[160];
    text_label(flow, "More");
    if (is_short) {
        snprintf(operands, sizeof operands, "%zu", number);
        command(flow, operands, options->arguments);
    }
    snprintf(operands, sizeof operands, "explain %s", finding->id);
    command(flow, operands, NULL);
    if (finding->list_options == NULL)
        return;
    snprintf(operands, sizeof operands, "list %s", finding->list_options);
    bool lists_selected = finding->lists_cause && (!is_selection || finding->selected_count > 0);
    command(flow, operands, lists_selected ? options->list_arguments : options->from_arguments);
}

/*
 * A finding for information has no remedy in its short card, unless it answers the user's question. So the report of a
 * healthy host is short.
 */
static void short_card(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding)
{
    enum { PROOFS = 3, FIXES_NOW = 2, FIXES_FOR_GOOD = 1 };
    selected(flow, diagnosis, finding);
    why(flow, finding, true);
    how_long(flow, finding);
    text_lines(flow, "Proof", &finding->evidence, PROOFS);
    if (finding->severity == SEVERITY_INFO && !finding->is_answer)
        return;
    text_who(flow, diagnosis, finding, true);
    flow_line(flow);
    fixes(flow, "Now", &finding->fix_now, FIXES_NOW);
    fixes(flow, "For good", &finding->fix_for_good, FIXES_FOR_GOOD);
}

static void whole_card(
    struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding, bool all_connections)
{
    selected(flow, diagnosis, finding);
    why(flow, finding, false);
    how_long(flow, finding);
    text_lines(flow, "Proof", &finding->evidence, SIZE_MAX);
    text_lines(flow, "Ruled out", &finding->ruled_out, SIZE_MAX);
    text_who(flow, diagnosis, finding, false);
    text_conns(flow, diagnosis, finding, all_connections);
    flow_line(flow);
    fixes(flow, "Now", &finding->fix_now, SIZE_MAX);
    advice(flow, diagnosis, finding);
}

void text_finding(struct flow *flow, const struct diagnosis *diagnosis, size_t number,
    const struct report_options *options, bool is_short)
{
    const struct finding *finding = &diagnosis->findings[number - 1];
    heading(flow, finding, number, diagnosis->finding_count, options->previous);
    if (is_short)
        short_card(flow, diagnosis, finding);
    else
        whole_card(flow, diagnosis, finding, options->all_connections);
    more(flow, finding, number, is_short, diagnosis->selected != NULL, options);
}

void text_finding_steps(
    struct flow *flow, const struct diagnosis *diagnosis, size_t number, const struct report_options *options)
{
    enum { PROOFS = 3, FIXES_NOW = 2, FIXES_FOR_GOOD = 1 };
    const struct finding *finding = &diagnosis->findings[number - 1];
    heading(flow, finding, number, diagnosis->finding_count, options->previous);
    selected(flow, diagnosis, finding);
    fixes(flow, "Now", &finding->fix_now, FIXES_NOW);
    text_who(flow, diagnosis, finding, true);
    flow_line(flow);
    how_long(flow, finding);
    why(flow, finding, true);
    text_lines(flow, "Proof", &finding->evidence, PROOFS);
    fixes(flow, "For good", &finding->fix_for_good, FIXES_FOR_GOOD);
    more(flow, finding, number, true, diagnosis->selected != NULL, options);
}
