#pragma once
/*
 * The finding of a group: all that does not depend on the rule.
 */
#include "diagnose/answer.h"
#include "diagnose/rule.h"

/* The finding of a group: all that does not depend on the rule, then the rule's words. `parts`: answer_parts(). */
void finding_make(const struct context *context, const struct answer_part *parts, const struct group *group,
    struct arena *arena, struct finding *ret_finding);

/* Owner, processes and peers of the connections that stand in it (conns, conn_count). */
void finding_fill_from_conns(const struct context *context, struct arena *arena, struct finding *finding);

/* So many that they cannot all be passing, although how old they are is not known. */
bool finding_is_critical_by_number(const struct group *group, const struct limits *limits);

/*
 * A new finding of the rule with its id and fault, severity info, confidence certain; the pointer holds until the next.
 */
struct finding *finding_list_add(struct finding_list *list, const struct rule *rule);

/* Lowers the confidence to likely where the oldest is younger than that and no second look has confirmed it. */
void finding_judge_age(const struct group *group, uint64_t certain_ms, struct finding *finding);
