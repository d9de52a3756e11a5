#pragma once
/*
 * TIME_WAIT.
 */
#include "diagnose/rule.h"

struct time_wait_overflow {
    uint32_t netns;
    int64_t used, limit; /* entries; limit 0: unknown */
    int64_t skipped;     /* since the namespace was made */
    int64_t rise;        /* of them, in the last rise_ms */
    uint64_t rise_ms;
    bool rise_known;
};
DECLARE_RULE(time_wait_churn);
DECLARE_ASSESSMENT(time_wait_overflow);
void time_wait_overflow_describe(const struct time_wait_overflow *facts, struct arena *arena, struct finding *finding);
