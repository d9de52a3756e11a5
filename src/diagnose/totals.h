#pragma once
/* Numbers of connections that a capture contains instead of rows (snapshot.counts_only), or together with some rows. */
#include "diagnose/context.h"
#include "diagnose/rule.h"

struct selection;

/* If the snapshot has only numbers: adds those in the selected states (NULL: all) to selected_count and by_state. */
void totals_count(const struct selection *selection, struct diagnosis *diagnosis);
/* If the snapshot has only numbers: calls judge_count of each rule for each number of a selected state. */
void totals_add_findings(const struct context *context, struct diagnosis *diagnosis, struct finding_list *list);
/*
 * The number in the capture that counts the connections of this group, if the capture has both rows and numbers. 0: it
 * has no such number, or the number may contain other connections too.
 */
uint64_t totals_of_group(const struct snapshot *snapshot, const struct group *group);
/* If rows were left out of the capture: changes the number in the finding to that number, or to "at least N". */
void totals_correct_count(
    const struct snapshot *snapshot, const struct group *group, struct arena *arena, struct finding *finding);
/* Adds notes about the counters and settings of a capture without rows, also if nothing is wrong. */
void totals_add_notes(const struct context *context, struct diagnosis *diagnosis);
