#pragma once
/* What messages of a system's log tell, which stand in the text of a capture: snapshot.logged. */
#include "diagnose/rule.h"

/*
 * Each message is the proof of a finding: of one that the connections have led to already, or of a new one. A new one
 * is likely at most: when it was written, and whether it is still so, nobody knows.
 */
void logged_judge(const struct context *context, struct arena *arena, struct finding_list *list);
