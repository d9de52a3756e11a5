#pragma once
/* The network namespaces of a host, and looking into them. */
#include <sys/types.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

/* The namespaces of a snapshot by inode: a host of containers may have thousands. */
struct netns_map {
    struct snapshot *snapshot;
    struct hash_index index; /* by inode */
    dev_t nsfs;              /* the file system of namespaces, known when the own one has been found */
};

void netns_map_init(struct netns_map *map, struct snapshot *snapshot);
void netns_map_deinit(struct netns_map *map);
/* The index of the namespace with this inode, or NO_INDEX. */
uint32_t netns_find(const struct netns_map *map, uint64_t inode);
/* The same, but added where it is new; NO_INDEX without memory. */
uint32_t netns_intern(struct netns_map *map, uint64_t inode);

/* The namespace of the calling thread, added where it is new. Returns 0 or a negative errno. */
int netns_find_own(struct netns_map *map, uint32_t *ret_own);
/* Adds those of /run/netns with their names. */
void netns_find_named(struct netns_map *map);
/* Names all that have no name yet. `own` is the caller's. */
void netns_name(struct netns_map *map, uint32_t own);

/* Called in a namespace, with its index. */
typedef int (*netns_visit)(struct snapshot *snapshot, uint32_t netns, void *data);

/*
 * Calls `visit` inside the namespace, and comes back. Returns what it returned, or a negative errno: -EPERM and
 * -EACCES where the caller may not enter, -ENOENT where it has gone. Moves the calling thread only.
 */
int netns_enter(struct snapshot *snapshot, uint32_t netns, netns_visit visit, void *data);
