#pragma once
/*
 * Which network namespaces of a host are connected with each other. The proof is a connection that has one end in each.
 * A fitting address is no proof, because the isolated networks of containers often use the same addresses.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

struct netns_links {
    uint64_t *items; /* two indexes of namespaces, the smaller one in the upper half */
    size_t count, capacity;
};

/* Fills `links`, which must be zero. The caller releases it with netns_links_deinit(). */
void netns_links_find(struct netns_links *links, const struct snapshot *snapshot);
void netns_links_deinit(struct netns_links *links);
/* True if the snapshot has a connection with one end in each of these two; they are indexes of namespaces. */
bool netns_links_have(const struct netns_links *links, uint32_t one, uint32_t other);
