#include "source/linux/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "model/holders.h"

/* The first holder of each inode: open addressing, NO_INDEX where free. */
struct table {
    uint32_t *slots;
    size_t size;
};

static size_t slot_of(const struct table *table, const struct snapshot *snapshot, uint32_t inode)
{
    enum { IN_A_ROW = 16 };
    /* Sockets that were opened one after the other have numbers in a row, and are met in a row: one line of the cache. */
    size_t slot = (hash_mix(inode / IN_A_ROW) * IN_A_ROW + inode % IN_A_ROW) & (table->size - 1);
    while (table->slots[slot] != NO_INDEX && snapshot->holders[table->slots[slot]].inode != inode)
        slot = (slot + 1) & (table->size - 1);
    return slot;
}

static int table_init(struct table *table, struct snapshot *snapshot)
{
    table->size = 64;
    while (table->size < snapshot->holder_count * 2)
        table->size *= 2;
    table->slots = malloc(table->size * sizeof *table->slots);
    if (table->slots == NULL)
        return -ENOMEM;
    memset(table->slots, 0xff, table->size * sizeof *table->slots); /* NO_INDEX */
    /*
     * From the last to the first, each put before those of the same socket: their lists keep the order of the walk.
     */
    for (size_t i = snapshot->holder_count; i-- > 0;) {
        size_t slot = slot_of(table, snapshot, snapshot->holders[i].inode);
        snapshot->holders[i].next = table->slots[slot];
        table->slots[slot] = (uint32_t)i;
    }
    return 0;
}

static void join(const struct table *table, struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        struct conn *conn = &snapshot->conns[i];
        if (conn->inode == 0)
            continue;
        conn->holder = table->slots[slot_of(table, snapshot, conn->inode)];
        for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h))
            holders_process(snapshot, h)->tcp_sockets++;
    }
}

int owners_join(struct snapshot *snapshot)
{
    struct table table;
    int result = table_init(&table, snapshot);
    if (result < 0)
        return result;
    for (size_t i = 0; i < snapshot->process_count; i++)
        snapshot->processes[i].tcp_sockets = 0;
    join(&table, snapshot);
    free(table.slots);
    return 0;
}

void owners_drop_others(struct snapshot *snapshot)
{
    uint32_t *moved_to = xrealloc_array(NULL, snapshot->process_count, sizeof *moved_to);
    uint32_t kept = 0;
    for (size_t i = 0; i < snapshot->process_count; i++) {
        moved_to[i] = snapshot->processes[i].tcp_sockets > 0 ? kept : NO_INDEX;
        if (moved_to[i] != NO_INDEX)
            snapshot->processes[kept++] = snapshot->processes[i];
    }
    snapshot->process_count = kept;
    /* The holders of other sockets than TCP's stay, but nothing leads to them. */
    for (size_t i = 0; i < snapshot->holder_count; i++)
        snapshot->holders[i].process = moved_to[snapshot->holders[i].process];
    free(moved_to);
}
