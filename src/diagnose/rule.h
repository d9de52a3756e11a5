#pragma once
/*
 * The type of a rule, and the table of all rules.
 *
 * A diagnosis has four steps. (1) Each connection gets a cause: the first rule that applies. (2) Connections with the
 * same cause, owner and service are folded into groups. (3) Each group's facts are computed. (4) The rule describes the
 * group as a finding.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "diagnose/context.h"
#include "model/diagnosis.h"

struct group;

enum { ACTION_MAX = 20 };
struct finding_list {
    struct finding *items;
    size_t count, capacity;
    bool wants_rates; /* see struct diagnosis */
};

/*
 * A rule is about connections (states, applies, describe), or about the host: a process, a port range (assess). A rule
 * about connections may have assess() too, if some findings can only be seen in counters.
 */
struct rule {
    const char *id;
    uint32_t states;   /* STATE_BIT()s of the connections that it is about; 0: it is about the host */
    uint32_t looks_at; /* other states that it needs to judge; without them in the snapshot, the rule is not used */
    uint32_t tells_by; /* further states that make its findings more precise */
    enum fault fault;
    const char *action; /* see struct finding; at most ACTION_MAX columns */
    /* True if this is the cause of the connection's state. Called only if no earlier rule of the table applies. */
    bool (*applies)(const struct context *context, const struct conn *conn, const struct limits *limits);
    /* Fills in title, why, evidence, ruled_out and the fixes. May change confidence, severity and fault. */
    void (*describe)(
        const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
    /* Adds any number of findings with finding_list_add(). Called when all connections have their causes. */
    void (*assess)(
        const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list);
    /*
     * For a snapshot that has only numbers of connections (snapshot.counts_only). Adds a finding about the number of
     * connections in one state, if it is high enough. See by_count.h.
     */
    void (*judge_count)(const struct context *context, const struct rule *rule, const struct total *total,
        struct arena *arena, struct finding_list *list);
    struct limits limits; /* the defaults */
    bool holds_moving;    /* bytes may pass on such a connection: a previous snapshot confirms it all the same */
    bool answers_few;     /* min_count only keeps it from a busy host: who asks about fewer gets an answer */
    bool one_port;        /* its findings are about one port or listener: its groups are never folded over ports */
};

/* The first rule that applies is the cause. Number 0 is not a rule: "normal". */
extern const struct rule rules[];
extern const unsigned rule_count;

/* --- for the headers of rules/ ------------------------------------------------------------------------------------ */

#define DECLARE_RULE(name)                                                                                             \
    bool name##_applies(const struct context *context, const struct conn *conn, const struct limits *limits);          \
    void name##_describe(                                                                                              \
        const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)

#define DECLARE_ASSESSMENT(name)                                                                                       \
    void name##_assess(                                                                                                \
        const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
