/*
 * One snapshot may not show who holds a connection, or on which ports the host listens. Another snapshot with the same
 * connection may show it. The track takes it to be true for the whole life of the connection.
 */
#include "diagnose/compare/track.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/compare/match.h"

static uint32_t begin_track(struct diff_tracks *tracks)
{
    xvec_grow((void **)&tracks->items, tracks->count, &tracks->capacity, sizeof *tracks->items);
    tracks->items[tracks->count] = (struct diff_track){ .owner_snapshot = NO_INDEX, .seen_snapshot = NO_INDEX };
    return (uint32_t)tracks->count++;
}

static void update_track(
    struct diff_track *track, bool is_new, const struct context *context, uint32_t number, uint32_t conn_index)
{
    const struct conn *conn = &context->snapshot->conns[conn_index];
    if (conn->holder != NO_INDEX) {
        track->owner_snapshot = number;
        track->owner_conn = conn_index;
    }
    if (track->listened)
        return;
    track->listened = conn_is_listener(conn) || context_listener(context, conn) != NULL;
    if (track->listened || is_new)
        track->incoming = track->listened || context_is_incoming(context, conn);
}

void diff_tracks_init(
    struct diff_tracks *tracks, const struct snapshot *const *snapshots, const struct context *contexts, size_t count)
{
    *tracks = (struct diff_tracks){ 0 };
    for (size_t number = 0; number < count; number++) {
        const struct snapshot *now = snapshots[number];
        uint32_t *matches = number > 0 ? diff_match(snapshots[number - 1], now) : NULL;
        uint32_t *of = xrealloc_array(NULL, now->conn_count, sizeof *of);
        tracks->of[number] = of;
        for (size_t i = 0; i < now->conn_count; i++) {
            bool is_new = matches == NULL || matches[i] == NO_INDEX;
            of[i] = is_new ? begin_track(tracks) : tracks->of[number - 1][matches[i]];
            update_track(&tracks->items[of[i]], is_new, &contexts[number], (uint32_t)number, (uint32_t)i);
        }
        free(matches);
    }
}

void diff_tracks_deinit(struct diff_tracks *tracks)
{
    for (size_t i = 0; i < DIFF_SNAPSHOTS_MAX; i++)
        free(tracks->of[i]);
    free(tracks->items);
    *tracks = (struct diff_tracks){ 0 };
}
