#pragma once
/* Finds the holders of sockets and the network namespaces of processes with eBPF iterators, as proc_walk.h does. */
#include <stdatomic.h>

#include "base/hash_index.h"
#include "base/parallel.h"
#include "source/linux/bpf/bpf_parse.h"
#include "source/linux/proc_walk.h"

struct task_netns;

struct bpf_owners {
    /* The caller sets these before the first call. */
    int tasks_link, files_link; /* descriptors of the iterators' links */
    unsigned hz;

    struct netns_map *map;
    struct snapshot *snapshot;
    struct parallel parallel;
    atomic_bool begun; /* a thread has begun the walk over the descriptors */
    int result;        /* of that walk: 0 or a negative errno */
    bool has_walked;   /* that walk has ended without an error */

    struct task_netns *tasks; /* sorted by tid: the kernel returns them in this order */
    size_t task_count, task_capacity;
    struct process process; /* the process whose descriptors came last; pid 0: none yet */
    struct {
        uint32_t pid, tid;      /* its process, and the thread through which the kernel found it */
        uint32_t process;       /* index of its process */
        bool is_new;            /* false: the same table has come before, through another thread */
        bool is_first;          /* the first of its process; others belong to threads with a table of their own */
    } table;                    /* the descriptor table that comes now */
    struct task_netns *leaders; /* processes whose first thread has ended; tid is the thread that they were found by */
    size_t leader_count, leader_capacity;
    struct hash_index leader_pids;
    struct bpf_bound_conn *bounds;
    size_t bound_count, bound_capacity;
    struct netns *fd_netns; /* namespaces that a descriptor refers to */
    size_t fd_netns_count, fd_netns_capacity;
};

/* Do the work of bpf_walk_begin() and bpf_walk_end() of bpf.h. */
int bpf_owners_begin(struct bpf_owners *owners, struct netns_map *map, unsigned aims);
int bpf_owners_end(struct bpf_owners *owners);
void bpf_owners_deinit(struct bpf_owners *owners);

/* Does the work of bpf_source_add_bound() of bpf.h. */
int bpf_owners_add_bound(struct bpf_owners *owners, uint32_t netns, size_t first);
