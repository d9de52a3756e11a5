#pragma once
/*
 * Removes connections that were read twice. The kernel returns sockets in batches and unlocks its tables between two
 * batches. A socket that moves to another place meanwhile, such as a connection that becomes a TIME_WAIT mini-socket,
 * may be returned again.
 */
#include "model/snapshot.h"

/*
 * Removes duplicates among the connections from index `first` on. The one that was read last stays. Connections are
 * equal if their cookies are; without cookies, if both endpoints and, for listeners, the inode are.
 */
void duplicates_drop(struct snapshot *snapshot, size_t first);
