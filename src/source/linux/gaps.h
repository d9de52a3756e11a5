#pragma once
/* What could not be seen of this host, in words: each notes a gap where there is one. */
#include "source/linux/proc_walk.h"

/*
 * A descriptor refers to it somewhere, but nowhere that could be seen. A new one, opened since the walk, is no riddle.
 */
bool gaps_is_unowned(const struct conn *conn);

void gaps_note_netns(struct snapshot *snapshot, unsigned refused, const char *example, int why);
void gaps_note_owners(struct snapshot *snapshot, const struct walk_hidden *hidden);
void gaps_note_counters(struct snapshot *snapshot, unsigned unread, int why);
/* Netlink was refused for this reason; or, with 0, /proc/net/tcp was asked for. */
void gaps_note_proc(struct snapshot *snapshot, int netlink_refusal);
