#pragma once
/*
 * What a person may decide about the findings: when each is worth which severity, for one service other than for the
 * rest, and what is known and not to be reported as a fault. Read from configuration files by src/config.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/select.h"

/*
 * When a finding is worth which severity; 0: this measure does not raise it. The defaults are a row for each finding in
 * src/diagnose/rule_table.c.
 */
struct limits {
    uint64_t min_count;            /* fewer connections of one owner and service than this are normal */
    uint64_t min_without_age;      /* the same where their source shows no timers: then their number has to tell */
    uint64_t settle_ms;            /* younger than this is the state's normal life */
    uint64_t warning_count;        /* connections */
    uint64_t warning_age_ms;       /* of the oldest, whatever the count */
    uint64_t critical_count;       /* connections, when the oldest is at least … */
    uint64_t critical_age_ms;      /* … this old */
    uint64_t critical_without_age; /* connections, where their ages are not known: then their number has to tell */
    uint64_t warning_percent;      /* of what runs out: descriptors, ports, orphans, memory */
    uint64_t critical_percent;
    uint64_t severity_at_most; /* enum severity */
};

enum limit_kind { LIMIT_NUMBER, LIMIT_TIME, LIMIT_SHARE, LIMIT_SEVERITY };

/* What the members of struct limits are called in a configuration. */
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

/* Where something was said. */
struct origin {
    const char *file; /* NULL: nowhere, it is the default */
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

/* Connections that are known to be as they are. */
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
    struct service *services; /* the first that fits counts */
    size_t service_count, service_capacity;
    struct ignore *ignores; /* likewise */
    size_t ignore_count, ignore_capacity;
};

void policy_init(struct policy *policy);
void policy_deinit(struct policy *policy);

/* Sets what was not set before, and replaces what was. */
void policy_set(struct limit_settings *settings, const struct limit_setting *setting);
const struct limit_setting *policy_find(const struct limit_settings *settings, const char *finding, unsigned limit);
/* Changes the limits as the settings want them for this finding. */
void policy_apply(const struct limit_settings *settings, const char *finding, struct limits *limits);

bool ignore_is_over(const struct ignore *ignore, uint64_t now_ms);
