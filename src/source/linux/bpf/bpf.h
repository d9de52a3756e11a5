#pragma once
/*
 * Owners and sockets from eBPF iterators: the kernel hands over what a diagnosis needs and nothing else, for all
 * descriptors of the host in one walk. bpf.c is built where the build finds what makes the programs, else bpf_absent.c.
 */
#include "base/error.h"
#include "source/linux/proc_walk.h"

struct bpf_source;

/* The kernel's HZ; 0 where it cannot be told. */
unsigned bpf_ticks_per_second(void);
/* The iterators number processes as this one's PID namespace does, and /proc may have been mounted in another. */
bool bpf_is_proc_ours(void);

/*
 * Whether there is so much to read here that loading the programs pays: with `owners` in any case, else perhaps. Cheap,
 * and only a guess.
 */
bool bpf_source_pays(bool owners);

/*
 * Loads the programs. Returns 0, or a negative errno where that cannot be: not built in, not permitted, or a kernel
 * that lacks something they need; err names it and the way out. Release with bpf_source_free(), which takes NULL too.
 */
int bpf_source_new(struct bpf_source **ret_bpf, struct error *err);
void bpf_source_free(struct bpf_source *bpf);

/*
 * As walk_begin() and walk_end(), in the place of the walk over /proc. Namespaces in which only some thread of a
 * process is are found too, and no process is hidden. Between the two the snapshot's processes, holders and namespaces
 * are not to be touched.
 */
int bpf_walk_begin(struct bpf_source *bpf, struct netns_map *map, unsigned aims);
int bpf_walk_end(struct bpf_source *bpf);

/*
 * The same as sock_diag_read(), after the namespace's counters were read: appends the TCP sockets of the network
 * namespace that the calling thread is in, which is `netns` of the snapshot. Returns 0 or a negative errno, with
 * nothing appended.
 *
 * Those that are bound, and neither listen nor connect, are in a table of the kernel's that no iterator goes over: it
 * is the walk over descriptors that meets them. They are appended if that has ended; else by bpf_source_add_bound(), to
 * the others from index `first` on. bpf_source_needs_walk(): whether they are among the STATE_BIT()s.
 */
int bpf_source_read(struct bpf_source *bpf, struct snapshot *snapshot, uint32_t netns);
int bpf_source_add_bound(struct bpf_source *bpf, uint32_t netns, size_t first);
bool bpf_source_needs_walk(uint32_t states);
