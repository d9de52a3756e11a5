#pragma once
/*
 * What a rule is, and the table of them.
 * 
 * A diagnosis runs in four steps: the cause of each connection (the first rule that applies), the folding of
 * connections with one cause, one owner and one service into groups, the facts of each group, and its description as a
 * finding.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "diagnose/context.h"
#include "model/diagnosis.h"

struct group;

enum { ACTION_MAX = 20 };

/* Where findings are put. */
struct finding_list {
    struct finding *items;
    size_t count, capacity;
    bool wants_rates; /* see struct diagnosis */
};

/*
 * A rule is either about connections (states, applies, word) or about the host: a process, a port range (assess). One
 * about connections may have assess() too, where only counters read twice can tell: it then says so in wants_rates.
 */
struct rule {
    const char *id;
    uint32_t states;   /* STATE_BIT()s it is about; 0: it is about the host */
    uint32_t looks_at; /* besides these, to judge: it is not asked where the snapshot lacks them */
    uint32_t tells_by; /* besides both, to word a finding; with fewer, it says less */
    enum fault fault;
    const char *action; /* see struct finding; at most ACTION_MAX columns */
    /* Whether this is why the connection is in its state; rules that stand earlier in the table have declined. */
    bool (*applies)(const struct context *context, const struct conn *conn, const struct limits *limits);
    /* Fills in title, why, evidence, ruled_out and the fixes; may lower the confidence and raise the severity. */
    void (*describe)(
        const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
    /* Adds its findings, as many as there are, by finding_list_add(). Called when all connections have their causes. */
    void (*assess)(
        const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list);
    /*
     * Where only numbers of connections are known (snapshot.counts_only): adds a finding about so many in one state, if
     * they are worth one. by_count.h
     */
    void (*judge_count)(const struct context *context, const struct rule *rule, const struct total *total,
        struct arena *arena, struct finding_list *list);
    struct limits limits;
    bool holds_moving; /* one row proves it: a second look confirms it although bytes have moved */
    bool one_port;     /* what it tells is about one port, or one listener: never folded over several */
};

/* In order: the first that applies is the cause. Number 0 is none: "normal". */
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
