#pragma once
/*
 * What is said of ages, also of those of which only bounds are known because keepalive sets their clock back.
 */
#include "diagnose/group.h"

/*
 * "for at least 14 s", "the oldest for at least 4 h 12 min, half of them for 20 min or more"; where clocks are set
 * back, "the oldest for at least 3 s and at most 12 min: how long is not known". Empty where the ages are unknown.
 */
const char *phrases_ages(struct arena *arena, const struct group *group);
/*
 * Evidence: why the age is not known, what it is judged by instead, and what would tell. Nothing where no clock is set
 * back.
 */
void phrases_clock_set_back(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);
