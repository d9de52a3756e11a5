#pragma once
/* Follows each connection through all snapshots. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "diagnose/rule.h"
#include "model/diff.h"

/* One connection, in all snapshots in which it appears without a break. */
struct diff_track {
    uint32_t owner_snapshot; /* the last snapshot that shows who holds it; NO_INDEX: none does */
    uint32_t owner_conn;     /* its index in that snapshot */
    bool incoming;
    bool listened; /* `incoming` is known from a listener; otherwise it was concluded from the port numbers */
    /* For counting: */
    bool in_first;          /* it was selected in the first snapshot */
    uint32_t seen_snapshot; /* the last snapshot in which it was counted; NO_INDEX: none yet */
    uint32_t seen_cell;     /* the cell of the cross table that it was counted in there */
    uint32_t seen_since;    /* since this snapshot it has been in that cell, without a break */
};

struct diff_tracks {
    struct diff_track *items;
    size_t count, capacity;
    uint32_t *of[DIFF_SNAPSHOTS_MAX]; /* for each snapshot, for each of its connections: index of its track */
};

/* contexts[i] belongs to snapshots[i]; only its snapshot and its listeners are used. */
void diff_tracks_init(
    struct diff_tracks *tracks, const struct snapshot *const *snapshots, const struct context *contexts, size_t count);
void diff_tracks_deinit(struct diff_tracks *tracks);
