#pragma once
/*
 * Reads sockets and their owners with eBPF iterators. The kernel returns only what a diagnosis needs, and all
 * descriptors of the host in one walk. If the build cannot make the programs, bpf_absent.c takes the place of bpf.c.
 */
#include "base/error.h"
#include "source/linux/proc_walk.h"

struct bpf_source;

/* Returns the kernel's HZ, or 0 if it is unknown. */
unsigned bpf_ticks_per_second(void);
/*
 * True if /proc shows the PID namespace of this process. The iterators return the pids of that namespace, but /proc may
 * have been mounted in another one.
 */
bool bpf_is_proc_ours(void);

/*
 * Estimates whether this host has so many open files that loading the programs pays. `owners`: the owners are needed in
 * any case, not only perhaps. The call is cheap.
 */
bool bpf_source_pays(bool owners);

/*
 * Loads the programs. Returns 0, or a negative errno if they are not built in, not permitted, or need something that
 * the kernel lacks; err says what to do. Release the source with bpf_source_free(), which accepts NULL.
 */
int bpf_source_new(struct bpf_source **ret_bpf, struct error *err);
void bpf_source_free(struct bpf_source *bpf);

/*
 * Do the work of walk_begin() and walk_end() without /proc. They also find a namespace in which there is only a thread
 * that is not the first of its process, and no process is hidden from them. The caller must not access the snapshot's
 * processes, holders and namespaces between the two calls.
 */
int bpf_walk_begin(struct bpf_source *bpf, struct netns_map *map, unsigned aims);
int bpf_walk_end(struct bpf_source *bpf);

/*
 * Appends the TCP sockets of the calling thread's network namespace, whose index in the snapshot is `netns`. The
 * counters of that namespace must have been read. Returns 0, or a negative errno with nothing appended.
 *
 * Sockets that are bound, but neither listen nor are connected, are in a table that no iterator walks over. The walk
 * over the descriptors finds them. If that walk has ended, bpf_source_read() appends them. If not, the caller calls
 * bpf_source_add_bound() after it; `first` is the index of the namespace's first connection.
 */
int bpf_source_read(struct bpf_source *bpf, struct snapshot *snapshot, uint32_t netns);
int bpf_source_add_bound(struct bpf_source *bpf, uint32_t netns, size_t first);
/* True if the STATE_BIT()s contain a state whose sockets only the walk over the descriptors finds. */
bool bpf_source_needs_walk(uint32_t states);
