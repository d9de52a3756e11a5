#pragma once
/* Sockets and the descriptors that refer to them, joined by inode. */
#include "model/snapshot.h"

/*
 * Ties the connections to their holders, and counts those of each process. Returns how many holders are of no
 * connection.
 */
size_t owners_join(struct snapshot *snapshot);

/*
 * Drops the processes that have no TCP socket; but for those whose other sockets use up their descriptors.
 * `netns_inode`: only if they live in that network namespace, the one that is looked at; 0: in any.
 */
void owners_drop_others(struct snapshot *snapshot, uint64_t netns_inode);
