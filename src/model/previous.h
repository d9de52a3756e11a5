#pragma once
/*
 * Two looks at one host: which connections the earlier one has seen too, and whether anything has happened to them
 * since.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"

/*
 * Makes `earlier`, which must outlive the snapshot's use, the look that has to confirm what is concluded from the
 * snapshot, and finds each connection in it: by cookie, or, where a source has none, by namespace, both ends and
 * inode. Returns 0 or -ENOMEM.
 */
int snapshot_confirm(struct snapshot *snapshot, const struct snapshot *previous);

/* The same connection in the look that confirms; NULL where it was not there yet, or where there is no such look. */
const struct conn *previous_conn(const struct snapshot *snapshot, const struct conn *conn);
/* It was in the same state in that look, and no byte has moved since, as far as the source can tell. */
bool previous_stayed(const struct snapshot *snapshot, const struct conn *conn);
/* The least time between the readings of one connection in both looks; 0 without such a look. */
uint64_t previous_apart_ms(const struct snapshot *snapshot);
