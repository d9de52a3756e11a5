#pragma once
/* Phrases about ages, also if keepalive resets the clocks and only bounds are known. */
#include "diagnose/group.h"

/*
 * "for at least 14 s", "the oldest for at least 4 h 12 min, half of them for 20 min or more". If keepalive may reset
 * the clocks, "the oldest for at least 3 s and at most 12 min: how long is not known". "" if the ages are not known.
 */
const char *phrases_ages(struct arena *arena, const struct group *group);
/*
 * If keepalive may reset the clocks: adds that the age is not known, what is judged instead, and what would show the
 * age.
 */
void phrases_clock_set_back(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);
/*
 * For a source without clocks and timers. Adds how long the connections have been in their state, if the source prints
 * it; otherwise, if it prints when they were made, that they have not been in their state for longer.
 */
void phrases_shown_ages(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);
