#pragma once
/* Finds the processes of a capture by PID, or by name if there is no PID. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

struct pids {
    struct hash_index index;
    uint32_t last; /* the process found last: rows of one process are often adjacent */
};

/*
 * Finds or adds the process with that PID; if the PID is 0 (unknown), the process with that name. The name may be
 * empty; it is stored if the process has none. Returns the index of the process in the snapshot.
 */
uint32_t pids_find(struct pids *pids, struct snapshot *snapshot, uint32_t pid, const char *name, size_t length);
/* Gives the process with that PID its name, if it exists and has none. */
void pids_name(const struct pids *pids, struct snapshot *snapshot, uint32_t pid, const char *name, size_t length);
void pids_deinit(struct pids *pids);
/* Adds the process as a holder of the connection, with this descriptor or FD_UNKNOWN. */
void pids_hold(struct snapshot *snapshot, struct conn *conn, uint32_t process, uint32_t fd);
