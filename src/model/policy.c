#include "model/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/diagnosis.h"

#define ROW(member, named, of_kind, words)                                                                             \
    {                                                                                                                  \
        .name = (named), .kind = (of_kind), .offset = offsetof(struct limits, member), .help = (words)                 \
    }

const struct limit_info limit_infos[LIMIT_COUNT] = {
    ROW(min_count, "least_count", LIMIT_NUMBER, "fewer connections of one owner and service are normal"),
    ROW(min_without_age, "least_count_blind", LIMIT_NUMBER, "the same where the source shows no timers"),
    ROW(settle_ms, "settle", LIMIT_TIME, "younger connections are normal"),
    ROW(warning_count, "warning_count", LIMIT_NUMBER, "so many connections are a warning"),
    ROW(warning_age_ms, "warning_age", LIMIT_TIME,
        "an oldest connection of this age is a warning, whatever their number"),
    ROW(critical_count, "critical_count", LIMIT_NUMBER, "so many connections are critical"),
    ROW(critical_age_ms, "critical_age", LIMIT_TIME, "... once the oldest is of this age"),
    ROW(critical_without_age, "critical_count_blind", LIMIT_NUMBER,
        "... or, where the ages are not known, once there are so many"),
    ROW(warning_percent, "warning_percent", LIMIT_SHARE, "so much of what runs out in use is a warning"),
    ROW(critical_percent, "critical_percent", LIMIT_SHARE, "so much of it in use is critical"),
    ROW(severity_at_most, "severity_at_most", LIMIT_SEVERITY,
        "never graver than this, whatever shows: info, warning or critical"),
};

static uint64_t *member_of(struct limits *limits, unsigned limit)
{
    return (uint64_t *)(void *)((char *)limits + limit_infos[limit].offset);
}

uint64_t limit_value(const struct limits *limits, unsigned limit)
{
    struct limits copy = *limits;
    return *member_of(&copy, limit);
}

/* --- values ----------------------------------------------------------------------------------------------------- */

static void format_time(uint64_t ms, struct buf *out)
{
    static const struct {
        uint64_t ms;
        const char *unit;
    } units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };
    for (size_t i = 0; ms > 0 && i < sizeof units / sizeof *units; i++) {
        if (ms % units[i].ms == 0) {
            buf_printf(out, "%" PRIu64 "%s", ms / units[i].ms, units[i].unit);
            return;
        }
    }
    buf_printf(out, ms > 0 ? "%" PRIu64 "ms" : "%" PRIu64, ms);
}

void limit_format(unsigned limit, uint64_t value, struct buf *out)
{
    switch (limit_infos[limit].kind) {
    case LIMIT_NUMBER:
        buf_printf(out, "%" PRIu64, value);
        return;
    case LIMIT_TIME:
        format_time(value, out);
        return;
    case LIMIT_SHARE:
        buf_printf(out, "%" PRIu64 "%%", value);
        return;
    case LIMIT_SEVERITY:
        buf_str(out, severity_name((enum severity)value));
        return;
    }
}

static int parse_share(const char *text, uint64_t *ret_percent)
{
    char number[8];
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '%')
        length--;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (length == 0 || length >= sizeof number)
        return -EINVAL;
    memcpy(number, text, length);
    number[length] = '\0';
    return text_parse_number(number, 100, ret_percent);
}

static int parse_severity(const char *text, uint64_t *ret_severity)
{
    for (int severity = SEVERITY_INFO; severity <= SEVERITY_CRITICAL; severity++) {
        if (strcmp(text, severity_name((enum severity)severity)) == 0) {
            *ret_severity = (uint64_t)severity;
            return 0;
        }
    }
    return -EINVAL;
}

int limit_parse(unsigned limit, const char *text, uint64_t *ret_value, struct error *err)
{
    switch (limit_infos[limit].kind) {
    case LIMIT_NUMBER:
        if (text_parse_number(text, UINT32_MAX, ret_value) == 0)
            return 0;
        return error_set(err, -EINVAL, text, "is not a number of connections (0: this does not count)");
    case LIMIT_TIME:
        if (text_parse_duration(text, ret_value) == 0)
            return 0;
        return error_set(err, -EINVAL, text, "is not a time: 90s, 5m, 2h, 1d (0: this does not count)");
    case LIMIT_SHARE:
        if (parse_share(text, ret_value) == 0 && *ret_value > 0)
            return 0;
        return error_set(err, -EINVAL, text, "is not a share: 1%% to 100%%");
    case LIMIT_SEVERITY:
        break;
    }
    if (parse_severity(text, ret_value) == 0)
        return 0;
    return error_set(err, -EINVAL, text, "is not a severity: info, warning or critical");
}

/* --- the policy ------------------------------------------------------------------------------------------------- */

void policy_init(struct policy *policy)
{
    *policy = (struct policy){ 0 };
    arena_init(&policy->arena);
}

void policy_deinit(struct policy *policy)
{
    for (size_t i = 0; i < policy->service_count; i++)
        free(policy->services[i].settings.items);
    free(policy->settings.items);
    free(policy->services);
    free(policy->ignores);
    arena_deinit(&policy->arena);
    *policy = (struct policy){ 0 };
}

static struct limit_setting *find(const struct limit_settings *settings, const char *finding, unsigned limit)
{
    for (size_t i = 0; i < settings->count; i++) {
        struct limit_setting *setting = &settings->items[i];
        if (setting->limit == limit && strcmp(setting->finding, finding) == 0)
            return setting;
    }
    return NULL;
}

const struct limit_setting *policy_find(const struct limit_settings *settings, const char *finding, unsigned limit)
{
    return find(settings, finding, limit);
}

void policy_set(struct limit_settings *settings, const struct limit_setting *setting)
{
    struct limit_setting *old = find(settings, setting->finding, setting->limit);
    if (old == NULL) {
        xvec_grow((void **)&settings->items, settings->count, &settings->capacity, sizeof *settings->items);
        old = &settings->items[settings->count++];
    }
    *old = *setting;
}

void policy_apply(const struct limit_settings *settings, const char *finding, struct limits *limits)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct limit_setting *setting = &settings->items[i];
        if (strcmp(setting->finding, finding) == 0)
            *member_of(limits, setting->limit) = setting->value;
    }
}

bool ignore_is_over(const struct ignore *ignore, uint64_t now_ms)
{
    return ignore->until != NULL && now_ms >= ignore->until_ms;
}
