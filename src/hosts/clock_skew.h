#pragma once
/* Hosts whose snapshots were taken at different times, each by its own clock. */
#include "model/host.h"

/* Too long for an end that one shows to be that of a connection which the other shows; or nobody knows how long. */
bool hosts_are_apart(const struct host *one, const struct host *other);
/* Notes how far apart the hosts were looked at. */
void hosts_note_times(struct snapshot *snapshot);
