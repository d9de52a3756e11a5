#include "report/text/change.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "report/text/parts.h"

/* --- matching findings ---------------------------------------------------------------------------------------- */

static bool same_end(const struct endpoint *one, const struct endpoint *other)
{
    if (one->known != other->known || one->any_port != other->any_port)
        return false;
    if (!one->known)
        return true;
    if (!one->any_port && one->port != other->port)
        return false;
    /* The number of addresses changes with the connections that exist at the moment. */
    return one->any_address || other->any_address || ip_equal(&one->address, &other->address);
}

static bool same_subject(const struct finding *one, const struct finding *other)
{
    uint64_t inode = one->netns ? one->netns->inode : 0, other_inode = other->netns ? other->netns->inode : 0;
    return strcmp(one->id, other->id) == 0 && inode == other_inode && same_end(&one->local, &other->local) &&
        same_end(&one->remote, &other->remote);
}

static bool same_process(const struct process *one, const struct process *other)
{
    return one == NULL || other == NULL ? one == other : one->pid == other->pid;
}

static bool same_name(const struct process *one, const struct process *other)
{
    return one != NULL && other != NULL && one->name != NULL && other->name != NULL &&
        strcmp(one->name, other->name) == 0;
}

const struct finding *change_find(const struct diagnosis *diagnosis, const struct finding *finding)
{
    const struct finding *namesake = NULL;
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *other = &diagnosis->findings[i];
        if (!same_subject(finding, other))
            continue;
        if (same_process(finding->owner, other->owner))
            return other;
        if (namesake == NULL && same_name(finding->owner, other->owner))
            namesake = other;
    }
    return namesake;
}

/* --- text ------------------------------------------------------------------------------------------------------- */

void change_format(struct buf *out, uint64_t now, uint64_t before)
{
    if (now == before)
        return;
    buf_str(out, now > before ? "▲" : "▼");
    text_count(out, now > before ? now - before : before - now);
}

/* "12:03:11" */
static void clock_time(const struct diagnosis *diagnosis, char *text, size_t size)
{
    time_t seconds = (time_t)(diagnosis->snapshot->taken_at_ms / 1000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(text, size, "%H:%M:%S", &tm) == 0)
        snprintf(text, size, "before");
}

static size_t count_missing(const struct diagnosis *diagnosis, const struct diagnosis *in)
{
    size_t missing = 0;
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        missing += change_find(in, &diagnosis->findings[i]) == NULL;
    return missing;
}

void change_summary(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous)
{
    char since[16];
    clock_time(previous, since, sizeof since);
    size_t appeared = count_missing(diagnosis, previous), gone = count_missing(previous, diagnosis);
    struct buf connections = { 0 };
    change_format(&connections, diagnosis->selected_count, previous->selected_count);
    flow_printf(flow, STYLE_DIM, "since %s: ", since);
    if (connections.length > 0)
        flow_printf(flow, STYLE_PLAIN, "connections %s", buf_text(&connections));
    else
        flow_text(flow, STYLE_PLAIN, "as many connections");
    if (appeared > 0)
        flow_printf(flow, STYLE_BOLD, " · %zu new finding%s", appeared, appeared == 1 ? "" : "s");
    if (gone > 0)
        flow_printf(flow, STYLE_HEALTHY, " · %zu finding%s gone", gone, gone == 1 ? "" : "s");
    if (appeared == 0 && gone == 0)
        flow_text(flow, STYLE_DIM, " · the same findings");
    if (diagnosis->verdict != previous->verdict)
        flow_printf(flow, STYLE_BOLD, " · the verdict was %s", verdict_name(previous->verdict));
    flow_line(flow);
    buf_deinit(&connections);
}

void change_of_finding(struct flow *flow, const struct finding *finding, const struct diagnosis *previous)
{
    const struct finding *before = change_find(previous, finding);
    if (before == NULL) {
        flow_text(flow, STYLE_PLAIN, " · ");
        flow_text(flow, text_severity_style(finding->severity), "new");
        return;
    }
    struct buf change = { 0 };
    change_format(&change, finding->count, before->count);
    if (change.length > 0) {
        flow_text(flow, STYLE_PLAIN, " · ");
        flow_text(flow, STYLE_BOLD, buf_text(&change));
    }
    if (finding->severity != before->severity)
        flow_printf(flow, STYLE_BOLD, " · was %s", severity_name(before->severity));
    buf_deinit(&change);
}

void change_gone(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous)
{
    if (count_missing(previous, diagnosis) == 0)
        return;
    char since[16];
    clock_time(previous, since, sizeof since);
    flow_line(flow);
    flow_printf(flow, STYLE_HEALTHY, "Gone since %s", since);
    flow_line(flow);
    for (size_t i = 0; i < previous->finding_count; i++) {
        const struct finding *finding = &previous->findings[i];
        if (change_find(diagnosis, finding) != NULL)
            continue;
        flow_column(flow, LABEL_COLUMN);
        flow_text(flow, STYLE_DIM, "•");
        flow_column(flow, LABEL_COLUMN + 2);
        flow->indent = LABEL_COLUMN + 2;
        flow_text(flow, STYLE_BOLD, finding->id);
        flow_text(flow, STYLE_PLAIN, ": ");
        flow_text(flow, STYLE_PLAIN, finding->title);
        flow_line(flow);
    }
}
