#pragma once
/*
 * TCP sockets that a process has open and that are in no table of the kernel's: their connections are gone (reset,
 * timed out, closed by both ends after shutdown()), and close() was not called. They have state CLOSE, as has a socket
 * that was only made and not connected yet.
 *
 * Nobody pays for looking at them who does not have many.
 */
#include "model/snapshot.h"

/*
 * Whether there may be many: TCP sockets that the kernel has allocated and that are among none of the snapshot's. Only
 * where it has the connections of all states; in a container, the sockets of others count too.
 */
bool closed_may_be_held(const struct snapshot *snapshot);

/*
 * Appends them, with their holders, to a snapshot whose connections and holders were joined; `unmatched` holders are of
 * none of these. `streams_only`: all holders are of TCP sockets or their kin. `with_bpf`: eBPF may be used where it is
 * permitted. Returns 0 or -ENOMEM.
 */
int closed_find(struct snapshot *snapshot, size_t unmatched, bool streams_only, bool with_bpf);
