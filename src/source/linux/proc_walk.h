#pragma once
/*
 * A walk over /proc: which network namespaces there are, and who holds which socket. Several threads share it, and the
 * caller can do something else while they are at it.
 */
#include <dirent.h>
#include <stdatomic.h>

#include "base/parallel.h"
#include "source/linux/netns.h"

/* What to look for. */
enum walk_aim {
    WALK_NETNS = 1 << 0,       /* namespaces in which somebody lives */
    WALK_DESCRIPTORS = 1 << 1, /* holders, the processes that hold sockets, and namespaces that a descriptor keeps */
    WALK_CROWDED = 1 << 2, /* whether a process has half of the descriptors open that it may; without looking at them */
    /*
     * Every descriptor that stays open is seen, even where the process opens and closes others at full speed, and also
     * those of threads that have a table of their own (unshare() with CLONE_FILES). It takes half as long again.
     */
    WALK_CAREFULLY = 1 << 3,
};

/* Processes whose descriptors may not be read, for the gaps. */
struct walk_hidden {
    unsigned processes;
    uint32_t pid; /* the first of them */
    char name[64];
};

struct walk_visit;

/* What one thread found. */
struct walker {
    struct holder *holders;
    size_t holder_count, holder_capacity;
    struct netns *kept; /* namespaces that a descriptor keeps: nobody need live in them */
    size_t kept_count, kept_capacity;
    struct walk_hidden hidden;
    bool crowded;
};

struct walk {
    unsigned aims;
    DIR *folder;
    bool knows_sizes; /* the size of /proc/PID/fd is the number of descriptors: Linux 6.2, proc_fd_getattr() */
    struct walk_visit *visits;
    size_t visit_count, visit_capacity;
    atomic_size_t next;
    bool crowded; /* the answer to WALK_CROWDED, after walk_end() */
    struct walker walkers[PARALLEL_MAX];
    struct parallel parallel;
};

/* Begins in other threads, or with one core does it all. Returns 0 or a negative errno: there is no /proc. */
int walk_begin(struct walk *walk, unsigned aims);

/*
 * Waits for the end, and fills the snapshot's namespaces, its holders and its processes that hold sockets (pid,
 * descriptor counts, namespace), these in the order of their PIDs. Once, after walk_begin() succeeded.
 */
void walk_end(struct walk *walk, struct netns_map *map, struct walk_hidden *ret_hidden);
