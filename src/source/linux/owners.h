#pragma once
/* Joins sockets with the descriptors that refer to them, by inode. */
#include "model/snapshot.h"

/*
 * Links each connection to its holders, and counts the TCP sockets of each process. Returns the number of holders that
 * belong to no connection.
 */
size_t owners_join(struct snapshot *snapshot);

/*
 * Removes the processes that have no TCP socket. A process whose other sockets use up its descriptors stays. If
 * `netns_inode` is not 0, it stays only if it is in that network namespace.
 */
void owners_drop_others(struct snapshot *snapshot, uint64_t netns_inode);
