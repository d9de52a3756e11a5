#pragma once
/* Numbers of connections by state, of a capture that has no rows: snapshot.counts_only. */
#include "diagnose/context.h"
#include "diagnose/rule.h"

struct selection;

/* How many connections there are by the totals, and of them, what the selection of states takes in. */
void totals_count(const struct selection *selection, struct diagnosis *diagnosis);
/* Lets the rules judge the numbers: judge_count of struct rule. */
void totals_judge(const struct context *context, struct diagnosis *diagnosis, struct finding_list *list);
/* Tells what counters and settings mean that need no finding. */
void totals_note(const struct context *context, struct diagnosis *diagnosis);
