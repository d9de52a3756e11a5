#pragma once
/*
 * What a user may decide about the findings: which limits give which severity, other limits for a service, and which
 * known connections are not reported as a fault. src/config reads it from configuration files.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/select.h"

/*
 * The limits that decide a finding's severity. 0: this limit does not raise the severity. src/diagnose/rule_table.c has
 * one row of defaults for each finding.
 */
struct limits {
    uint64_t min_count;            /* fewer connections of one owner and service than this are normal */
    uint64_t min_without_age;      /* min_count for sources that show no timers: only the number is known */
    uint64_t settle_ms;            /* younger than this is the state's normal life */
    uint64_t warning_count;        /* connections */
    uint64_t warning_age_ms;       /* of the oldest, whatever the count */
    uint64_t critical_count;       /* connections, when the oldest is at least … */
    uint64_t critical_age_ms;      /* … this old */
    uint64_t critical_without_age; /* connections, if their ages are not known */
    uint64_t warning_percent;      /* used share of a limited resource: descriptors, ports, orphans, memory */
    uint64_t critical_percent;
    uint64_t severity_at_most; /* enum severity */
};

enum limit_kind { LIMIT_NUMBER, LIMIT_TIME, LIMIT_SHARE, LIMIT_SEVERITY };

/* The name of each member of struct limits in a configuration. */
struct limit_info {
    const char *name;
    enum limit_kind kind;
    size_t offset;
    const char *help;
};

enum { LIMIT_COUNT = 11 };
extern const struct limit_info limit_infos[LIMIT_COUNT];

uint64_t limit_value(const struct limits *limits, unsigned limit);
/* As it is written in a configuration: "10", "5m", "80 %", "warning". */
void limit_format(unsigned limit, uint64_t value, struct buf *out);
/* Returns 0, or -EINVAL with err filled. */
int limit_parse(unsigned limit, const char *text, uint64_t *ret_value, struct error *err);

/* The place in a configuration file that a setting comes from. */
struct origin {
    const char *file; /* NULL: it is the default */
    unsigned line;
};

/* "warning_count = 20" in the section of a finding. */
struct limit_setting {
    const char *finding;
    unsigned limit; /* index into limit_infos */
    uint64_t value;
    struct origin origin;
};

struct limit_settings {
    struct limit_setting *items;
    size_t count, capacity;
};

/* Other limits for some connections. */
struct service {
    const char *name;
    struct selection selection;
    struct limit_settings settings;
    struct origin origin;
};

/* Connections that the user knows about: their findings do not count. */
struct ignore {
    const char *name;
    struct selection selection;
    const char *reason;
    const char *until; /* the last day, "2026-12-31", or NULL */
    uint64_t until_ms; /* its end, UTC, since 1970 */
    struct origin origin;
};

enum { POLICY_SERVICES_MAX = 100, POLICY_IGNORES_MAX = 200 };

struct policy {
    struct arena arena;
    struct limit_settings settings;
    struct service *services; /* the first that fits a connection applies */
    size_t service_count, service_capacity;
    struct ignore *ignores; /* the first that fits applies */
    size_t ignore_count, ignore_capacity;
};

void policy_init(struct policy *policy);
void policy_deinit(struct policy *policy);

/* Adds a setting, or replaces the setting of the same finding and limit. */
void policy_set(struct limit_settings *settings, const struct limit_setting *setting);
const struct limit_setting *policy_find(const struct limit_settings *settings, const char *finding, unsigned limit);
/* Changes `limits` by the settings of this finding. */
void policy_apply(const struct limit_settings *settings, const char *finding, struct limits *limits);

bool ignore_is_over(const struct ignore *ignore, uint64_t now_ms);
