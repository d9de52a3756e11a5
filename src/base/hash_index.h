#pragma once
/*
 * Finds numbers, such as indexes into an array, by a hash of what they stand for: open addressing, at most half full. The
 * caller tells equals from strangers with the same hash.
 *
 * A capture may hold as many equals as it likes, which would make every look-up as long as the table. So a walk ends after
 * a while, and what does not fit into such a run is not kept: chance alone makes none so long.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INDEX_NONE = UINT32_MAX };

struct index_table {
    uint32_t *slots;
    size_t mask;
};

/* The numbers that may stand for what was hashed, one after the other. */
struct index_walk {
    size_t slot;
    unsigned left; /* steps until it ends */
};

/* For as many numbers as `most`. Returns 0 or -ENOMEM; release with index_table_deinit(). */
static inline int index_table_init(struct index_table *table, size_t most)
{
    size_t slots = 16;
    while (slots < most * 2)
        slots *= 2;
    *table = (struct index_table){ .slots = malloc(slots * sizeof *table->slots), .mask = slots - 1 };
    if (table->slots == NULL)
        return -ENOMEM;
    memset(table->slots, 0xff, slots * sizeof *table->slots); /* INDEX_NONE */
    return 0;
}

static inline void index_table_deinit(struct index_table *table)
{
    free(table->slots);
    *table = (struct index_table){ 0 };
}

static inline struct index_walk index_table_walk(const struct index_table *table, uint64_t hash)
{
    enum { STEPS_MAX = 256 };
    return (struct index_walk){ .slot = hash & table->mask, .left = STEPS_MAX };
}

/* INDEX_NONE: there are no more. */
static inline uint32_t index_walk_next(const struct index_table *table, struct index_walk *walk)
{
    if (walk->left-- == 0)
        return INDEX_NONE;
    uint32_t number = table->slots[walk->slot];
    walk->slot = (walk->slot + 1) & table->mask;
    return number;
}

/* Another number in the place of the one that the walk has given last. */
static inline void index_walk_replace(struct index_table *table, const struct index_walk *walk, uint32_t number)
{
    table->slots[(walk->slot - 1) & table->mask] = number;
}

static inline void index_table_add(struct index_table *table, uint64_t hash, uint32_t number)
{
    struct index_walk walk = index_table_walk(table, hash);
    for (; walk.left > 0; walk.left--, walk.slot = (walk.slot + 1) & table->mask) {
        if (table->slots[walk.slot] == INDEX_NONE) {
            table->slots[walk.slot] = number;
            return;
        }
    }
}
