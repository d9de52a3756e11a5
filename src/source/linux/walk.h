#pragma once
/*
 * One walk over /proc: who holds which socket, and which network namespaces there are.
 *
 * The walk comes before the sockets are read. A socket that has been stuck for a while existed during both, so it
 * cannot seem to have no owner; only one that was opened in between can, and it is too young to matter.
 */
#include "source/linux/netns.h"

/* Processes whose descriptors may not be read, for the gaps. */
struct walk_hidden {
    unsigned processes;
    uint32_t pid; /* the first of them */
    char name[64];
};

/*
 * Fills the snapshot's holders and its processes that hold sockets (pid, descriptor counts, namespace), both in the order
 * of their PIDs, and its namespaces. Returns 0 or a negative errno (no /proc, no memory).
 */
int walk_processes(struct netns_map *netns, struct walk_hidden *ret_hidden);
