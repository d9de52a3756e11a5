#pragma once
/* The network namespaces of a host, and looking into them. */
#include "model/snapshot.h"

/* The index of the namespace with this inode, added where it is new; NO_INDEX without memory. */
uint32_t netns_add(struct snapshot *snapshot, uint64_t inode);

/*
 * Puts the namespace of the caller and those of /run/netns into the snapshot beside those that the walk over
 * processes found, and names them all. *ret_own is the index of the caller's. Returns 0 or a negative errno.
 */
int netns_list(struct snapshot *snapshot, uint32_t *ret_own);

/* Called in a namespace, with its index. */
typedef int (*netns_visit)(struct snapshot *snapshot, uint32_t netns, void *data);

/*
 * Calls `visit` inside the namespace, and comes back. Returns what it returned, or a negative errno: -EPERM and
 * -EACCES where the caller may not enter, -ENOENT where it has gone. Moves the calling thread only.
 */
int netns_enter(struct snapshot *snapshot, uint32_t netns, netns_visit visit, void *data);
