/* The index of a report: one line for each finding. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/host.h"
#include "report/text/change.h"
#include "report/text/parts.h"

enum { GUTTER = 2, OWNER_MAX = 28, OWNER_MIN = 12, WIDE = 110 };

/* The texts of a finding's line. */
struct entry {
    const char *name; /* of the owner */
    struct buf pid, count, age, change;
};

static void entry_deinit(struct entry *entry)
{
    buf_deinit(&entry->pid);
    buf_deinit(&entry->count);
    buf_deinit(&entry->age);
    buf_deinit(&entry->change);
}

static void entry_fill(struct entry *entry, const struct finding *finding, const struct diagnosis *previous)
{
    const struct process *owner = finding->owner;
    *entry = (struct entry){ .name = owner == NULL ? "-" : owner->name != NULL ? owner->name : "" };
    if (owner != NULL && owner->pid != 0)
        buf_printf(&entry->pid, "%s%" PRIu32, owner->name != NULL ? " " : "", owner->pid);
    if (finding->process_count > 1)
        buf_printf(&entry->pid, " +%zu", finding->process_count - 1);
    if (finding->count > 0) /* some are about the whole host */
        text_count(&entry->count, finding->count);
    else
        buf_char(&entry->count, '-');
    if (finding->age_known)
        text_duration(&entry->age, finding->oldest_ms);
    if (previous == NULL)
        return;
    const struct finding *before = change_find(previous, finding);
    if (before == NULL)
        buf_str(&entry->change, "new");
    else
        change_format(&entry->change, finding->count, before->count);
}

/* The width of each column. */
struct widths {
    size_t number, severity, id, owner, count, change, age, action;
};

static void widen(size_t *widest, size_t width)
{
    if (width > *widest)
        *widest = width;
}

static struct widths measure(
    struct flow *flow, const struct diagnosis *diagnosis, const struct report_options *options, size_t width)
{
    struct widths widths = {
        .number = (size_t)snprintf(NULL, 0, "%zu", diagnosis->finding_count),
        .severity = strlen(width >= WIDE ? "CRITICAL" : "CRIT"),
        .owner = strlen("PROCESS"),
        .count = strlen("COUNT"),
    };
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        struct entry entry;
        entry_fill(&entry, finding, options->previous);
        widen(&widths.id, strlen(finding->id));
        widen(&widths.owner, flow_width_of(flow, entry.name) + entry.pid.length);
        widen(&widths.count, text_width(buf_text(&entry.count)));
        widen(&widths.age, text_width(buf_text(&entry.age)));
        widen(&widths.change, text_width(buf_text(&entry.change)));
        widen(&widths.action, finding->action != NULL ? strlen(finding->action) : 0);
        entry_deinit(&entry);
    }
    if (widths.owner > OWNER_MAX)
        widths.owner = OWNER_MAX;
    return widths;
}

static size_t with_gutter(size_t width)
{
    return width > 0 ? width + GUTTER : 0;
}

/* Makes the line fit the terminal: it leaves out the age first, then the action, then the end of the owner's name. */
static void fit(struct widths *widths, size_t width)
{
    size_t fixed = LABEL_COLUMN + widths->number + GUTTER + widths->severity + GUTTER + widths->id + GUTTER +
        widths->count + with_gutter(widths->change);
    size_t owner = widths->owner < OWNER_MIN ? widths->owner : OWNER_MIN;
    if (fixed + with_gutter(widths->owner) + with_gutter(widths->age) + with_gutter(widths->action) > width)
        widths->age = 0;
    if (fixed + with_gutter(owner) + with_gutter(widths->action) > width)
        widths->action = 0;
    fixed += with_gutter(widths->action);
    if (fixed + with_gutter(owner) > width)
        widths->owner = 0;
    else if (fixed + with_gutter(widths->owner) > width)
        widths->owner = width - fixed - GUTTER;
}

static void right_aligned(struct flow *flow, enum style style, const char *text, size_t end)
{
    flow_column(flow, end - text_width(text));
    flow_unbroken(flow, style, text);
}

static void line(struct flow *flow, const struct finding *finding, size_t number, const struct widths *widths,
    const struct report_options *options)
{
    static const char *const severities[][2] = { { "INFO", "INFO" }, { "WARN", "WARNING" }, { "CRIT", "CRITICAL" } };
    struct entry entry;
    char digits[24];
    size_t at = LABEL_COLUMN + widths->number;
    entry_fill(&entry, finding, options->previous);
    if (number == options->chosen)
        flow_text(flow, STYLE_BOLD, ">");
    snprintf(digits, sizeof digits, "%zu", number);
    right_aligned(flow, STYLE_DIM, digits, at);
    flow_column(flow, at += GUTTER);
    flow_text(flow, text_severity_style(finding->severity),
        severities[finding->severity][widths->severity == strlen("CRITICAL")]);
    flow_column(flow, at += widths->severity + GUTTER);
    flow_text(flow, STYLE_BOLD, finding->id);
    flow_column(flow, at += widths->id + GUTTER);
    if (widths->owner > entry.pid.length) {
        flow_value(flow, STYLE_PLAIN, entry.name, widths->owner - entry.pid.length);
        flow_unbroken(flow, STYLE_PLAIN, buf_text(&entry.pid));
    }
    at += with_gutter(widths->owner) + widths->count;
    right_aligned(flow, STYLE_PLAIN, buf_text(&entry.count), at);
    if (widths->change > 0)
        right_aligned(flow, STYLE_BOLD, buf_text(&entry.change), at += GUTTER + widths->change);
    if (widths->age > 0)
        right_aligned(flow, STYLE_DIM, buf_text(&entry.age), at += GUTTER + widths->age);
    if (widths->action > 0) {
        flow_column(flow, at + GUTTER);
        flow_text(flow, STYLE_PLAIN, finding->action);
    }
    flow_line(flow);
    entry_deinit(&entry);
}

static void titles(struct flow *flow, const struct widths *widths)
{
    size_t at = LABEL_COLUMN + widths->number + GUTTER + widths->severity + GUTTER;
    flow_column(flow, at);
    flow_text(flow, STYLE_DIM, "FINDING");
    flow_column(flow, at += widths->id + GUTTER);
    if (widths->owner > 0)
        flow_text(flow, STYLE_DIM, "PROCESS");
    right_aligned(flow, STYLE_DIM, "COUNT", at += with_gutter(widths->owner) + widths->count);
    at += with_gutter(widths->change);
    if (widths->age > 0)
        right_aligned(flow, STYLE_DIM, "AGE", at += GUTTER + widths->age);
    if (widths->action > 0) {
        flow_column(flow, at + GUTTER);
        flow_text(flow, STYLE_DIM, "WHAT TO DO");
    }
    flow_line(flow);
}

void text_index(struct flow *flow, const struct diagnosis *diagnosis, const struct report_options *options)
{
    if (diagnosis->finding_count == 0)
        return;
    struct widths widths = measure(flow, diagnosis, options, flow->width);
    fit(&widths, flow->width);
    flow_line(flow);
    titles(flow, &widths);
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        line(flow, &diagnosis->findings[i], i + 1, &widths, options);
}
