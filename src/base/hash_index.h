#pragma once
/*
 * The hash table of this program. It stores 32-bit numbers, usually indexes into an array of the caller, by the hash of
 * the element. It uses open addressing and is at most half full. Different elements may have the same hash, so the
 * caller compares the elements.
 *
 * Hashes are keyed (base/hash.h), so nobody outside can choose texts that collide. But a capture may contain very many
 * equal rows, and each search would then walk over all of them. So a walk ends after steps_max steps. A number that
 * finds no free slot within these steps is not stored. Different rows practically never make so long a run.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_NONE = UINT32_MAX, HASH_STEPS_MAX = 256 };

/* A zeroed hash_index is empty and grows as numbers are added. */
struct hash_index {
    uint32_t *slots;
    uint32_t *tags; /* the low half of the hash for each slot, needed to grow; NULL: the table does not grow */
    size_t mask, count;
    size_t steps_max; /* the longest walk; 0: HASH_STEPS_MAX */
};

/* Steps through the numbers that may have the wanted hash. */
struct hash_walk {
    size_t slot;
    size_t left; /* steps until it ends */
};

/*
 * Makes a table of fixed size for at most `most` numbers. It needs half the memory of one that grows. Release it with
 * hash_index_deinit().
 */
void hash_index_init(struct hash_index *index, size_t most);
void hash_index_deinit(struct hash_index *index);
/* Doubles the number of slots. For hash_index_add() only. */
void hash_index_grow(struct hash_index *index);

static inline struct hash_walk hash_index_walk(const struct hash_index *index, uint64_t hash)
{
    size_t most = index->steps_max != 0 ? index->steps_max : HASH_STEPS_MAX;
    return (struct hash_walk){ .slot = hash & index->mask, .left = index->slots != NULL ? most : 0 };
}

/* Returns the next number, or HASH_NONE where there are no more. */
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

/* Replaces the number that hash_walk_next() returned last. */
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

/* As hash_index_add(), after a walk for this hash that found no equal. That walk ended at the free slot. */
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
