#pragma once
/* Makes findings from groups. */
#include "diagnose/answer.h"
#include "diagnose/rule.h"

/*
 * Fills in what does not depend on the rule, and calls the rule's describe(). `parts`: see answer_parts(). Strings and
 * arrays are in the arena.
 */
void finding_make(const struct context *context, const struct answer_part *parts, const struct group *group,
    struct arena *arena, struct finding *ret_finding);

/* Fills in owner, processes and peers from finding->conns and conn_count. */
void finding_fill_from_conns(const struct context *context, struct arena *arena, struct finding *finding);

/*
 * True if the number of connections alone makes the finding critical: their ages are not known, or known only from the
 * time between two snapshots, and there are too many for a state that normally lasts a moment (critical_without_age).
 */
bool finding_is_critical_by_number(const struct group *group, const struct limits *limits);

/*
 * Adds a finding with the rule's id and fault, severity info and confidence certain. The pointer is valid until the
 * next finding is added.
 */
struct finding *finding_list_add(struct finding_list *list, const struct rule *rule);

/*
 * Lowers the confidence to likely if the oldest connection is younger than certain_ms, or if keepalive may reset the
 * clocks. Does nothing if a previous snapshot has confirmed the group.
 */
void finding_lower_confidence(const struct group *group, uint64_t certain_ms, struct finding *finding);
