#pragma once
/*
 * Findings that answer the user's question. A user who pastes a few rows, or selects a port or a process, wants to know
 * about these connections, however few they are. So their findings are shown in full. They become a warning if the
 * paste alone shows that the connections are stuck, or that most of them are in a state that normally lasts a moment.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose/context.h"
#include "diagnose/group.h"

/* The connections that the user asks about, and the groups, of one rule. */
struct answer_part {
    uint64_t conns;
    uint32_t groups;
};

/* Counts them for each rule; the array, in the arena, has rule_count elements. */
struct answer_part *answer_parts(const struct group *groups, size_t count, struct arena *arena);
/*
 * True if the group is at least half of what the user asks about. Also true if all groups of its rule are so together,
 * and there are at most three of them.
 */
bool answer_is(const struct context *context, const struct answer_part *parts, const struct group *group);
/* Raises the severity from info to warning, if the finding answers a paste and is a fault that the paste proves. */
void answer_raise_severity(
    const struct context *context, const struct answer_part *parts, const struct group *group, struct finding *finding);
