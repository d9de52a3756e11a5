#include "base/hash_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SLOTS_FIRST = 64 };

static void set_slots(struct hash_index *index, size_t count)
{
    index->slots = xrealloc_array(NULL, count, sizeof *index->slots);
    memset(index->slots, 0xff, count * sizeof *index->slots); /* HASH_NONE */
    index->mask = count - 1;
    index->count = 0;
}

void hash_index_init(struct hash_index *index, size_t most)
{
    size_t count = SLOTS_FIRST;
    while (count < most * 2)
        count *= 2;
    *index = (struct hash_index){ 0 };
    set_slots(index, count);
}

void hash_index_deinit(struct hash_index *index)
{
    free(index->slots);
    free(index->tags);
    *index = (struct hash_index){ 0 };
}

void hash_index_grow(struct hash_index *index)
{
    struct hash_index old = *index;
    size_t count = old.slots != NULL ? (old.mask + 1) * 2 : SLOTS_FIRST;
    index->tags = xrealloc_array(NULL, count, sizeof *index->tags);
    set_slots(index, count);
    for (size_t i = 0; old.slots != NULL && i <= old.mask; i++) {
        if (old.slots[i] != HASH_NONE)
            hash_index_add(index, old.tags[i], old.slots[i]);
    }
    free(old.slots);
    free(old.tags);
}
