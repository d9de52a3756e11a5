#pragma once
/*
 * Owners and sockets from eBPF iterators: the kernel hands over what a diagnosis needs and nothing else, for all
 * descriptors of the host in one walk. bpf.c is built where the build finds what makes the programs, else bpf_absent.c.
 */
#include "base/error.h"
#include "model/snapshot.h"
#include "source/linux/owners.h"

struct bpf_source;

/*
 * Whether there is so much to read here that loading the programs pays. Cheap, and only a guess.
 */
bool bpf_source_pays(void);

/*
 * Loads the programs. Returns 0, or a negative errno where that cannot be: not built in, not permitted, or a kernel that
 * lacks something they need; err names it and the way out. Release with bpf_source_free(), which takes NULL too.
 */
int bpf_source_new(struct bpf_source **ret_bpf, struct error *err);
void bpf_source_free(struct bpf_source *bpf);

/*
 * What owners_walk() does, without /proc: the snapshot's holders, the processes that hold TCP sockets, and the namespaces,
 * those of single threads included. Call once. Returns 0 or a negative errno, with the snapshot as it was.
 */
int bpf_source_walk(struct bpf_source *bpf, struct owners *owners, struct snapshot *snapshot);

/*
 * What sock_diag_read() does: appends the TCP sockets of the network namespace that the calling thread is in, which is
 * `netns` of the snapshot. After bpf_source_walk(), which met the bound ones. Returns 0 or a negative errno, with nothing
 * appended.
 */
int bpf_source_read(struct bpf_source *bpf, struct snapshot *snapshot, uint16_t netns);
