#pragma once
/*
 * The hash table of this program. It finds numbers, such as indexes into an array, by a hash of what they stand for:
 * open addressing, at most half full. The caller tells equals from strangers with the same hash.
 *
 * Hashes are keyed (base/hash.h): nobody outside can choose texts that collide. But a capture may hold as many equal
 * rows as it likes, which would make every search as long as the table. So a walk ends after a number of steps, and
 * what does not fit into such a run is not kept: chance alone makes none so long.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_NONE = UINT32_MAX, HASH_STEPS_MAX = 256 };

/* Zeroed, it is empty and grows as numbers are added. */
struct hash_index {
    uint32_t *slots;
    uint32_t
        *tags; /* of each slot the low half of its hash, to put it elsewhere when the table grows; NULL: it does not */
    size_t mask, count;
    size_t steps_max; /* of a walk; 0: HASH_STEPS_MAX */
};

/* The numbers that may stand for what was hashed, one after the other. */
struct hash_walk {
    size_t slot;
    size_t left; /* steps until it ends */
};

/* For at most `most` numbers: it does not grow, and needs half the memory. Release it with hash_index_deinit(). */
void hash_index_init(struct hash_index *index, size_t most);
void hash_index_deinit(struct hash_index *index);
/* Of hash_index_add(): twice as many slots. */
void hash_index_grow(struct hash_index *index);

static inline struct hash_walk hash_index_walk(const struct hash_index *index, uint64_t hash)
{
    size_t most = index->steps_max != 0 ? index->steps_max : HASH_STEPS_MAX;
    return (struct hash_walk){ .slot = hash & index->mask, .left = index->slots != NULL ? most : 0 };
}

/* HASH_NONE: there are no more. */
static inline uint32_t hash_walk_next(const struct hash_index *index, struct hash_walk *walk)
{
    if (walk->left-- == 0) {
        walk->left = 0;
        return HASH_NONE;
    }
    uint32_t number = index->slots[walk->slot];
    walk->slot = (walk->slot + 1) & index->mask;
    return number;
}

/* Puts another number in the place of the one that the walk has given last. */
static inline void hash_walk_replace(struct hash_index *index, const struct hash_walk *walk, uint32_t number)
{
    index->slots[(walk->slot - 1) & index->mask] = number;
}

static inline void hash_index_add(struct hash_index *index, uint64_t hash, uint32_t number)
{
    if ((index->slots == NULL || index->tags != NULL) && (index->count + 1) * 2 > index->mask + (index->slots != NULL))
        hash_index_grow(index);
    assert(index->slots != NULL);
    struct hash_walk walk = hash_index_walk(index, hash);
    for (; walk.left > 0; walk.left--, walk.slot = (walk.slot + 1) & index->mask) {
        if (index->slots[walk.slot] == HASH_NONE) {
            index->slots[walk.slot] = number;
            if (index->tags != NULL)
                index->tags[walk.slot] = (uint32_t)hash;
            index->count++;
            return;
        }
    }
}

/* The same, after a walk for this hash that has met no equal: it ended where the number belongs. */
static inline void hash_walk_add(struct hash_index *index, const struct hash_walk *walk, uint64_t hash, uint32_t number)
{
    size_t slot = (walk->slot - 1) & index->mask;
    if (index->tags != NULL || index->slots == NULL || index->slots[slot] != HASH_NONE) {
        hash_index_add(index, hash, number);
        return;
    }
    index->slots[slot] = number;
    index->count++;
}
