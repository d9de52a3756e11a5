#pragma once
/*
 * Walks over the holders of a connection, by descriptor or by process. Do not add holders during a walk.
 *
 *   for (struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next(snapshot, h))
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/* The holder at this index (conn.holder or holder.next), or NULL for NO_INDEX. */
static inline struct holder *holders_at(const struct snapshot *snapshot, uint32_t index)
{
    return index != NO_INDEX ? &snapshot->holders[index] : NULL;
}

/* NULL: nobody is known to hold it. */
static inline struct holder *holders_first(const struct snapshot *snapshot, const struct conn *conn)
{
    return holders_at(snapshot, conn->holder);
}

static inline struct holder *holders_next(const struct snapshot *snapshot, const struct holder *holder)
{
    return holders_at(snapshot, holder->next);
}

/* The first descriptor of the next process. The descriptors of one process are next to each other in the list, because
 * sources read one process after the other. */
static inline struct holder *holders_next_process(const struct snapshot *snapshot, const struct holder *holder)
{
    uint32_t process = holder->process;
    struct holder *next = holders_next(snapshot, holder);
    while (next != NULL && next->process == process)
        next = holders_next(snapshot, next);
    return next;
}

static inline struct process *holders_process(const struct snapshot *snapshot, const struct holder *holder)
{
    return &snapshot->processes[holder->process];
}

/* How many processes hold it; several descriptors of one process count once. */
unsigned holders_count_processes(const struct snapshot *snapshot, const struct conn *conn);
/* Decrements tcp_sockets of each process that holds the connection. For a connection that is removed, or whose holders
 * turn out to be wrong. */
void holders_drop(struct snapshot *snapshot, const struct conn *conn);
