#pragma once
/*
 * Who holds which socket, and in which network namespaces somebody is, from eBPF iterators: what proc_walk.h finds in
 * /proc.
 */
#include <stdatomic.h>

#include "base/hash_index.h"
#include "base/parallel.h"
#include "source/linux/bpf/bpf_parse.h"
#include "source/linux/proc_walk.h"

struct task_netns;

struct bpf_owners {
    /* To be set before all else */
    int tasks_link, files_link; /* of the iterators */
    unsigned hz;

    struct netns_map *map;
    struct snapshot *snapshot;
    struct parallel parallel;
    atomic_bool begun; /* the walk over descriptors, by some thread */
    int result;        /* of it */
    bool has_walked;   /* it has ended, without an error */

    struct task_netns *tasks; /* by tid, as the kernel walks over them */
    size_t task_count, task_capacity;
    struct process process; /* the latest whose descriptors came; pid 0: none yet */
    struct {
        uint32_t pid, tid;  /* whose it is; the thread through which it is seen */
        uint32_t process;   /* index of the holders' process */
        bool is_taken;      /* false: it was seen before */
        bool is_first;      /* of its process; the others are those of threads with a table of their own */
    } table;                /* of descriptors, the one that comes now */
    struct task_netns *led; /* processes that were seen through another thread than their first, which had ended */
    size_t led_count, led_capacity;
    struct hash_index led_pids;
    struct bpf_bound_conn *bounds;
    size_t bound_count, bound_capacity;
    struct netns *kept; /* namespaces that a descriptor keeps */
    size_t kept_count, kept_capacity;
};

/*
 * As bpf_walk_begin() and bpf_walk_end(), of bpf.h. The snapshot's processes and holders are not to be touched between.
 */
int bpf_owners_begin(struct bpf_owners *owners, struct netns_map *map, unsigned aims);
int bpf_owners_end(struct bpf_owners *owners);
void bpf_owners_deinit(struct bpf_owners *owners);

/* As bpf_source_add_bound() of bpf.h. */
int bpf_owners_add_bound(struct bpf_owners *owners, uint32_t netns, size_t first);
