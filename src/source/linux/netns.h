#pragma once
/* Finds the network namespaces of a host, names them, and enters them. */
#include <sys/types.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

/* Finds the namespaces of a snapshot by inode. A host of containers may have thousands. */
struct netns_map {
    struct snapshot *snapshot;
    struct hash_index index; /* by inode */
    dev_t nsfs;              /* the file system of namespaces; netns_find_own() sets it */
};

void netns_map_init(struct netns_map *map, struct snapshot *snapshot);
void netns_map_deinit(struct netns_map *map);
/* Returns the index of the namespace with this inode, or NO_INDEX. */
uint32_t netns_find(const struct netns_map *map, uint64_t inode);
/* As netns_find(), but adds a namespace that is new. Never fails. */
uint32_t netns_intern(struct netns_map *map, uint64_t inode);

/* Finds the namespace of the calling thread and adds it if it is new. Returns 0 or a negative errno. */
int netns_find_own(struct netns_map *map, uint32_t *ret_own);
/* Adds the namespaces in /run/netns, with their names. Call netns_find_own() first. */
void netns_find_named(struct netns_map *map);
/* Names the namespaces that have no name yet. `own` is the index of the caller's namespace. */
void netns_name(struct netns_map *map, uint32_t own);

/* Is called inside a namespace, with the index of that namespace. */
typedef int (*netns_visit)(struct snapshot *snapshot, uint32_t netns, void *data);

/*
 * Enters the namespace, calls `visit` and returns to the own namespace. Only the calling thread moves. Returns what
 * `visit` returned, or a negative errno: -EPERM or -EACCES if the caller may not enter, -ENOENT if the namespace has
 * ended.
 */
int netns_enter(struct snapshot *snapshot, uint32_t netns, netns_visit visit, void *data);
