#pragma once
/*
 * Who holds which socket, from one walk over /proc.
 *
 * The walk comes before the sockets are read. A socket that has been stuck for a while existed during both, so it
 * cannot seem to have no owner; only one that was opened in between can, and it is too young to matter.
 */
#include "model/snapshot.h"

struct owners {
    /* The first holder of each inode: open addressing, NO_INDEX where free. */
    uint32_t *table;
    size_t slots;
    /* What could not be read, for the gaps. */
    unsigned hidden_processes;
    uint32_t hidden_pid; /* one of them */
    char hidden_name[64];
};

/*
 * Fills the snapshot's holders, its processes that hold sockets (pid, descriptor counts, namespace) and its
 * namespaces. Returns 0 or a negative errno (no /proc, no memory). Release with owners_deinit() in any case.
 */
int owners_walk(struct owners *owners, struct snapshot *snapshot);
void owners_deinit(struct owners *owners);

/* What owners_walk() does in the end, for holders that came otherwise: makes the table. Returns 0 or -ENOMEM. */
int owners_index(struct owners *owners, struct snapshot *snapshot);

/* Ties the connections to their holders, and drops the processes that have no TCP socket. */
void owners_join(const struct owners *owners, struct snapshot *snapshot);
