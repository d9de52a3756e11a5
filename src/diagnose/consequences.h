#pragma once
/* Findings that only follow from others. */
#include "diagnose/rule.h"

/*
 * One root cause, one finding: what names a connection as its cause is cited by the finding about that connection,
 * which becomes as severe as it was, and goes. Where there is no such finding it stays.
 */
void consequences_fold(const struct snapshot *snapshot, struct arena *arena, struct finding_list *list);
