#pragma once
/*
 * Orphaned sockets, and the limit of them.
 */
#include "diagnose/rule.h"

struct orphan_limit {
    int64_t orphans, limit;
    int64_t aborted;      /* connections reset for it in the last rise_ms */
    int64_t aborted_ever; /* or for want of memory */
    uint64_t rise_ms;
    uint64_t by_state[STATE_COUNT]; /* of those that could be seen */
};
DECLARE_ASSESSMENT(orphan_limit);
void orphan_limit_describe(const struct orphan_limit *facts, struct arena *arena, struct finding *finding);
