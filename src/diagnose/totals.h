#pragma once
/* Numbers of connections by state, of a capture that has no rows: snapshot.counts_only. */
#include "diagnose/context.h"
#include "diagnose/rule.h"

struct selection;

/* How many connections there are by the totals, and of them, what the selection of states takes in. */
void totals_count(const struct selection *selection, struct diagnosis *diagnosis);
/* Lets the rules judge the numbers: judge_count of struct rule. */
void totals_judge(const struct context *context, struct diagnosis *diagnosis, struct finding_list *list);
/*
 * How many the text of the snapshot counts of a group of which it shows some. 0: none, or it may count others with
 * them.
 */
uint64_t totals_of_group(const struct snapshot *snapshot, const struct group *group);
/* Puts that number, or that there are at least so many, into the finding. */
void totals_tell(
    const struct snapshot *snapshot, const struct group *group, struct arena *arena, struct finding *finding);
/* Tells what counters and settings mean that need no finding. */
void totals_note(const struct context *context, struct diagnosis *diagnosis);
