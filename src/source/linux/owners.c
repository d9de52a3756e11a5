#include "source/linux/owners.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "model/holders.h"

/*
 * Sockets that were opened one after another have consecutive inodes, and are looked up one after another. This hash
 * puts 16 consecutive inodes next to each other in the table, so that they share cache lines.
 */
static uint64_t hash_of(uint32_t inode)
{
    enum { IN_A_ROW = 16 };
    return hash_number(inode / IN_A_ROW) * IN_A_ROW + inode % IN_A_ROW;
}

/*
 * Returns the first holder of the socket. The kernel chooses the inodes, so nobody can make them collide. Therefore
 * index_holders() allows a walk of any length.
 */
static inline uint32_t first_holder(const struct hash_index *index, const struct snapshot *snapshot, uint32_t inode,
    uint64_t hash, struct hash_walk *walk)
{
    *walk = hash_index_walk(index, hash);
    uint32_t number;
    do
        number = hash_walk_next(index, walk);
    while (number != HASH_NONE && snapshot->holders[number].inode != inode);
    return number;
}

/* Goes from the last holder to the first and puts each before the others of its socket. So the lists are in order. */
static void index_holders(struct hash_index *index, struct snapshot *snapshot)
{
    hash_index_init(index, snapshot->holder_count);
    index->steps_max = index->mask + 1;
    for (size_t i = snapshot->holder_count; i-- > 0;) {
        struct holder *holder = &snapshot->holders[i];
        struct hash_walk walk;
        uint64_t hash = hash_of(holder->inode);
        holder->next = first_holder(index, snapshot, holder->inode, hash, &walk);
        if (holder->next != NO_INDEX)
            hash_walk_replace(index, &walk, (uint32_t)i);
        else
            hash_walk_add(index, &walk, hash, (uint32_t)i);
    }
}

static size_t join(const struct hash_index *index, struct snapshot *snapshot)
{
    size_t matched = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        struct conn *conn = &snapshot->conns[i];
        if (conn->inode == 0)
            continue;
        struct hash_walk walk;
        conn->holder = first_holder(index, snapshot, conn->inode, hash_of(conn->inode), &walk);
        uint32_t last = NO_INDEX;
        for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next(snapshot, h)) {
            holders_process(snapshot, h)->tcp_sockets += h->process != last;
            last = h->process;
            matched++;
        }
    }
    return matched;
}

size_t owners_join(struct snapshot *snapshot)
{
    struct hash_index index;
    index_holders(&index, snapshot);
    for (size_t i = 0; i < snapshot->process_count; i++)
        snapshot->processes[i].tcp_sockets = 0;
    size_t matched = join(&index, snapshot);
    hash_index_deinit(&index);
    return snapshot->holder_count > matched ? snapshot->holder_count - matched : 0;
}

/*
 * True if at least half of the allowed descriptors are open, and at least half of the open ones are sockets (any kind).
 */
static bool is_filled_by_sockets(const struct process *process)
{
    enum { MANY = 32 };
    struct rlimit limit;
    return process->fds_sockets >= MANY && (uint64_t)process->fds_sockets * 2 >= process->fds_open &&
        prlimit((pid_t)process->pid, RLIMIT_NOFILE, NULL, &limit) == 0 && process->fds_open >= limit.rlim_cur / 2;
}

/* True if the process is in the network namespace with that inode; 0 matches any namespace. */
static bool lives_in(const struct process *process, uint64_t netns_inode)
{
    char path[40];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%u/ns/net", process->pid);
    return netns_inode == 0 || (stat(path, &status) == 0 && status.st_ino == netns_inode);
}

void owners_drop_others(struct snapshot *snapshot, uint64_t netns_inode)
{
    uint32_t *moved_to = xrealloc_array(NULL, snapshot->process_count, sizeof *moved_to);
    uint32_t count = 0;
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const struct process *process = &snapshot->processes[i];
        moved_to[i] = process->tcp_sockets > 0 || (is_filled_by_sockets(process) && lives_in(process, netns_inode))
            ? count
            : NO_INDEX;
        if (moved_to[i] != NO_INDEX)
            snapshot->processes[count++] = snapshot->processes[i];
    }
    snapshot->process_count = count;
    /* Holders of sockets that are not TCP stay in the array, but no list contains them. */
    for (size_t i = 0; i < snapshot->holder_count; i++)
        snapshot->holders[i].process = moved_to[snapshot->holders[i].process];
    free(moved_to);
}
