#pragma once
/* Phrases about the other ends of connections, on this host or another, that were seen too. */
#include "diagnose/group.h"

/*
 * The host of the process that holds most of the other ends: "this host", or its name. Call it only if
 * finding->counterpart_count > 0.
 */
const char *phrases_reader_where(struct arena *arena, const struct finding *finding);
/* Adds how to examine that process. Returns false if none was seen. */
bool phrases_fix_reader(struct arena *arena, const struct context *context, struct finding *finding);
/* Adds the other ends that were seen: their hosts, states and processes; and which hosts do not have them. */
void phrases_pairs(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);

/* Adds how many peers took their window back (DELIVERY_WINDOW_TAKEN_BACK). Nothing if none did. */
void phrases_taken_back(struct arena *arena, const struct group *group, struct lines *evidence);
