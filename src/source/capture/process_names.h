#pragma once
/* The processes that a capture names, found by PID or, where it has none, by name. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

struct pids {
    struct hash_index index;
    uint32_t last; /* the one found last: rows of one process stand together */
};

/*
 * The index of the snapshot's process of that PID (0: not known, then the name decides), made when it is new. A name is
 * kept where it had none; it may be empty. NO_INDEX: no memory.
 */
uint32_t pids_find(struct pids *pids, struct snapshot *snapshot, uint32_t pid, const char *name, size_t length);
/* Names the process of that PID, where there is one without a name. */
void pids_name(const struct pids *pids, struct snapshot *snapshot, uint32_t pid, const char *name, size_t length);
void pids_deinit(struct pids *pids);
/* Marks the connection as held by the process, by a descriptor or FD_UNKNOWN. False without memory. */
void pids_hold(struct snapshot *snapshot, struct conn *conn, uint32_t process, uint32_t fd);
