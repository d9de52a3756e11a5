#pragma once
/*
 * Which network namespaces of a host are connected, as far as their connections prove it. Isolated networks, as
 * containers have, may use the same addresses: that an address fits says nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

struct netns_links {
    uint64_t *items; /* two indexes of namespaces, the smaller one in the upper half */
    size_t count, capacity;
};

/* Finds them. Release with netns_links_deinit(). */
void netns_links_find(struct netns_links *links, const struct snapshot *snapshot);
void netns_links_deinit(struct netns_links *links);
/* Whether a connection was seen that has its ends in these two. */
bool netns_links_have(const struct netns_links *links, uint32_t one, uint32_t other);
