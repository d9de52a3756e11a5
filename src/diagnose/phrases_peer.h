#pragma once
/*
 * What several rules say of the other ends that were seen.
 */
#include "diagnose/group.h"

/* "this host", or the name of the one where the first process that holds other ends is. */
const char *phrases_reader_where(struct arena *arena, const struct finding *finding);
/* To look at that process; false where none was seen. */
bool phrases_fix_reader(struct arena *arena, const struct context *context, struct finding *finding);
/* The other ends that were seen too: their hosts, states and processes, as evidence. In phrases_peer.c. */
void phrases_pairs(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);

/* Evidence where peers took back a window that they had offered; nothing where none did. */
void phrases_taken_back(struct arena *arena, const struct group *group, struct lines *evidence);
