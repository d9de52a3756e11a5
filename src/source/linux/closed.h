#pragma once
/*
 * Finds TCP sockets that a process has open and that are in no table of the kernel. Their connection has ended (it was
 * reset, it timed out, or both ends closed it after shutdown()), but the process has not called close(). The state of
 * such a socket is CLOSE. A socket that was created and never connected has the same state.
 *
 * The search costs time only on a host that seems to have many such sockets.
 */
#include "model/snapshot.h"

/*
 * True if the kernel has allocated at least 10 more TCP sockets than the snapshot has. False if the snapshot does not
 * have the connections of all states. The kernel's count is of the whole host: in a container, the sockets of other
 * containers count too.
 */
bool closed_may_be_held(const struct snapshot *snapshot);

/*
 * Appends the closed sockets with their holders. The connections and holders of the snapshot must have been joined;
 * `unmatched` is what owners_join() returned. `streams_only`: all holders are of TCP sockets or their relatives (MPTCP,
 * SMC). `with_bpf`: eBPF may be tried. Returns 0, or -ENOMEM if the array of connections cannot grow.
 */
int closed_find(struct snapshot *snapshot, size_t unmatched, bool streams_only, bool with_bpf);
