#pragma once
/* Merges findings that only follow from another finding into that one. */
#include "diagnose/rule.h"

/*
 * One root cause gives one finding. A finding may name a connection as its cause (finding.cause). If there is a finding
 * about that connection, the first finding is removed: its sentence `cited` becomes evidence of the other finding, and
 * the higher severity of the two remains. If there is no such finding, it stays.
 */
void consequences_fold(const struct snapshot *snapshot, struct arena *arena, struct finding_list *list);
