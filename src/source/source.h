#pragma once
/*
 * The source of snapshots. Each platform has a folder (linux/) that defines these functions; the build chooses one.
 *
 * A source reports what it has read, and a gap for each thing that it could not read. It makes no diagnosis.
 */
#include <stdbool.h>

#include "base/error.h"
#include "model/snapshot.h"

enum source_kind {
    SOURCE_AUTO,    /* the fastest that works here */
    SOURCE_BPF,     /* Linux: eBPF iterators */
    SOURCE_NETLINK, /* Linux: NETLINK_SOCK_DIAG */
    SOURCE_PROC,    /* Linux: /proc/net/tcp and tcp6 */
};

struct source_options {
    enum source_kind kind;
    bool own_netns_only; /* reads only the network namespace of this process */
    uint32_t states;     /* STATE_BIT()s to read; 0: all */
    /*
     * The states that the user asked for, a subset of `states`; 0: all. If no connection is in one of them, the
     * descriptors of the processes are not read. With `asks_holders` they are not read either if no such connection
     * can have a holder (conn->inode is 0); the listener that it came through is then of no interest.
     */
    uint32_t asked;
    bool asks_holders;
    /*
     * A process whose network namespace the user asked for. It is in the snapshot although it may have no TCP socket.
     * 0: none.
     */
    uint32_t netns_pid;
    /*
     * Finding the owners is the most expensive step. The source calls this function, if it is not NULL, with a snapshot
     * that is complete except for the owners. If the function returns false, the owners are not searched, except when a
     * process is near its limit of descriptors, when many closed sockets may still be open, or when the source finds
     * owners cheaply (eBPF).
     */
    bool (*needs_owners)(const struct snapshot *snapshot, const void *data);
    const void *data; /* the second argument of needs_owners() */
};

/*
 * Reads this host into an initialised snapshot. What can be read only in part becomes a gap. Returns 0, or a negative
 * errno with err filled if nothing can be read.
 */
int source_read(const struct source_options *options, struct snapshot *snapshot, struct error *err);

/*
 * Reads the counters of the snapshot's network namespaces again. The values of the first reading move to *ret_previous,
 * an initialised snapshot that can serve as `previous` of this one. It points to strings of `snapshot`, which must
 * outlive it. Where the second reading fails, the rates stay unknown and the snapshot gets a gap.
 */
void source_read_counters(struct snapshot *snapshot, struct snapshot *ret_previous);
