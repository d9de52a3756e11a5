#pragma once
/*
 * What somebody asks about. Who pastes a few rows, or selects one port or process, wants to know about these, however
 * few they are: what they are is told at length. And where a paste shows by itself that they are stuck, or that a state
 * that lasts for a moment is that of most of them, it is a warning.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose/context.h"
#include "diagnose/group.h"

/* How many connections each rule has, and in how many groups: as many as there are rules. */
struct answer_part {
    uint64_t conns;
    uint32_t groups;
};

struct answer_part *answer_parts(const struct group *groups, size_t count, struct arena *arena);
/* Whether the group is, or is with few others of the same cause, most of what was asked about. */
bool answer_is(const struct context *context, const struct answer_part *parts, const struct group *group);
/* Raises an answer that is a fault, and no more than worth knowing on a whole host. */
void answer_judge(
    const struct context *context, const struct answer_part *parts, const struct group *group, struct finding *finding);
