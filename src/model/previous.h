#pragma once
/*
 * Two snapshots of one host: which connections are in the previous snapshot too, and whether they have changed since.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"

/*
 * Finds each connection of the snapshot in the previous snapshot: by cookie, or, if the source has none, by namespace,
 * both ends and inode. Conclusions about the snapshot must then hold for both. `previous` must outlive the snapshot.
 */
void snapshot_confirm(struct snapshot *snapshot, const struct snapshot *previous);

/* The same connection in the previous snapshot. NULL if it is not there, or if no snapshot confirms. */
const struct conn *previous_conn(const struct snapshot *snapshot, const struct conn *conn);
/* True if it is in the previous snapshot in the same state, and no byte has moved since as far as the source shows. */
bool previous_stayed(const struct snapshot *snapshot, const struct conn *conn);
/* The shortest possible time between the two readings of one connection. 0 if no snapshot confirms. */
uint64_t previous_apart_ms(const struct snapshot *snapshot);
