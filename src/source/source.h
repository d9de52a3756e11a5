#pragma once
/*
 * Where snapshots come from. The platform's folder (linux/) provides source_read(); the build chooses it.
 *
 * A source reports what it saw and, as gaps, what it could not see. It judges nothing.
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
    bool own_netns_only; /* do not look into other network namespaces */
    uint32_t states;     /* STATE_BIT()s to read; 0: all */
    /*
     * Of them, those that the question is about, 0: all. Where no connection is in one, nobody's descriptors are looked
     * through.
     * With `asks_holders` only its holders are of interest, not whose listener it came to.
     */
    uint32_t asked;
    bool asks_holders;
    /*
     * Owners cost the most. Where this is given and says no, of a snapshot that has all but the owners, nobody's
     * descriptors are looked through; unless some process is near its limit of them, or the source comes by owners
     * cheaply.
     */
    bool (*needs_owners)(const struct snapshot *snapshot, const void *data);
    const void *data;
};

/*
 * Fills an initialised snapshot from this host. Returns 0, or a negative errno with err filled when nothing could be
 * read at all; what could be read only in part is a gap.
 */
int source_read(const struct source_options *options, struct snapshot *snapshot, struct error *err);

/*
 * Reads the counters again, of the namespaces that the snapshot is about. What they were goes to *ret_previous, an
 * initialised snapshot that refers to strings of the first and is fit to be its `previous`.
 * Counters that cannot be read again are a gap, and their rise is unknown.
 */
void source_read_counters(struct snapshot *snapshot, struct snapshot *ret_previous);
