#pragma once
/*
 * The other ends of connections, where they were seen too.
 */
#include "diagnose/group.h"
#include "diagnose/stuck.h"

/* The states, as STATE_BIT()s, in which the other end of a connection in this one can be. */
uint32_t pair_opposites(enum conn_state state);

/* Finds the other end of each stuck connection where it is on this host. */
void pair_find(const struct snapshot *snapshot, struct stuck *stuck, size_t count);

/* Notes as a gap of the diagnosis where ends were not paired because strangers have the same addresses. */
void pair_note_unsure(const struct stuck *stuck, size_t count, struct diagnosis *diagnosis);

/* Other ends of the group may have been seen, at another host, without being known as such. */
bool pair_is_hidden(const struct context *context, const struct group *group);
