#pragma once
/* Hosts whose snapshots were taken at different times. Each time is from the host's own clock. */
#include "model/host.h"

/*
 * True if the snapshots of two hosts are so far apart that their ends must not be paired: ports may have been reused
 * since. Also true if one of the times is not known.
 */
bool hosts_are_apart(const struct host *one, const struct host *other);
/* Notes a gap if the snapshots were taken too far apart. */
void hosts_note_times(struct snapshot *snapshot);
