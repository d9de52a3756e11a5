#pragma once
/*
 * Walks over the processes in /proc. It finds the network namespaces, and which process holds which socket. Several
 * threads share the work. The caller can do something else meanwhile.
 */
#include <dirent.h>
#include <stdatomic.h>

#include "base/parallel.h"
#include "source/linux/netns.h"

/* What the walk finds. */
enum walk_aim {
    WALK_NETNS = 1 << 0, /* the namespaces that processes are in */
    /* the holders, the processes that hold sockets, and the namespaces that descriptors refer to */
    WALK_DESCRIPTORS = 1 << 1,
    /* whether any process has half as many descriptors open as its limit allows; this reads no descriptor */
    WALK_NEAR_LIMIT = 1 << 2,
    /*
     * Finds every descriptor that stays open during the walk, also if the process opens and closes others meanwhile,
     * and if a thread has a descriptor table of its own (unshare() with CLONE_FILES). It takes half as long again.
     */
    WALK_CAREFULLY = 1 << 3,
};

/* Processes whose descriptors may not be read, or could not be read in peace. */
struct walk_hidden {
    size_t unsettled; /* how many processes began or ended during the last walk; 0 if that was not looked for */
    unsigned processes;
    uint32_t pid; /* the lowest pid of them, and its name */
    char name[64];
};

struct walk_visit;

/* The results of one thread. */
struct walker {
    struct holder *holders;
    size_t holder_count, holder_capacity;
    struct netns *fd_netns; /* namespaces that a descriptor refers to; perhaps no process is in them */
    size_t fd_netns_count, fd_netns_capacity;
    struct walk_hidden hidden;
    bool near_limit;
};

struct walk {
    unsigned aims;
    DIR *folder;               /* /proc */
    bool knows_sizes;          /* the size of /proc/PID/fd is the number of descriptors: Linux 6.2, proc_fd_getattr() */
    struct walk_visit *visits; /* one for each process */
    size_t visit_count, visit_capacity;
    atomic_size_t next; /* index of the visit that the next free thread takes */
    bool near_limit;    /* the result of WALK_NEAR_LIMIT; walk_end() sets it */
    struct walker walkers[PARALLEL_MAX];
    struct parallel parallel;
};

/*
 * Starts the walk in other threads. On a computer with one core, or with few processes, it does the whole walk before
 * it returns. Returns 0, or a negative errno if /proc cannot be opened.
 */
int walk_begin(struct walk *walk, unsigned aims);

/*
 * Waits for the end of the walk. Adds the namespaces, the holders, and the processes that hold sockets (pid, descriptor
 * counts, namespace) to the snapshot, in the order of the pids. Call it once after each walk_begin() that succeeded.
 */
void walk_end(struct walk *walk, struct netns_map *map, struct walk_hidden *ret_hidden);
