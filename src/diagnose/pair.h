#pragma once
/* Finds the other ends of connections, in this snapshot. */
#include "diagnose/group.h"
#include "diagnose/stuck.h"

/* The states, as STATE_BIT()s, that the other end of a connection in this state can have. */
uint32_t pair_opposites(enum conn_state state);

/* Fills in pair, is_pair_unsure and has_stranger of each stuck connection. `pair` must be NO_INDEX before. */
void pair_find(const struct snapshot *snapshot, struct stuck *stuck, size_t count);

/*
 * Adds a gap to the diagnosis if some ends were not paired because connections in other network namespaces have the
 * same addresses and ports.
 */
void pair_note_unsure(const struct stuck *stuck, size_t count, const bool *selected, struct diagnosis *diagnosis);

/*
 * True if another host may have other ends of the group that cannot be recognised, because a NAT or a proxy hides them:
 * hosts_hide_ends().
 */
bool pair_is_hidden(const struct context *context, const struct group *group);
