#pragma once
/* Connections over all snapshots. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "diagnose/rule.h"
#include "model/diff.h"

/* One connection, from the look in which it came to that before which it went. */
struct diff_track {
    uint32_t owner_look, owner_conn; /* where its owner was seen last; NO_INDEX: nowhere */
    bool incoming, listened;         /* listened: a listener told, not the numbers of its ports */
    /* For counting: */
    bool in_first;       /* was selected in the first look */
    uint32_t seen_look;  /* the last look that it was counted in, … */
    uint32_t seen_cell;  /* … and what it was counted as there, … */
    uint32_t seen_since; /* … without a break since this look */
};

struct diff_tracks {
    struct diff_track *items;
    size_t count, capacity;
    uint32_t *of[DIFF_SNAPSHOTS_MAX]; /* for each look, for each of its connections */
};

/* The contexts are those of the looks; only their listeners are needed. */
void diff_tracks_init(
    struct diff_tracks *tracks, const struct snapshot *const *snapshots, const struct context *contexts, size_t count);
void diff_tracks_deinit(struct diff_tracks *tracks);
