#include "diagnose/compare/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

void diff_table_init(struct diff_table *table, size_t snapshots)
{
    *table = (struct diff_table){ .snapshots = snapshots };
}

void diff_table_deinit(struct diff_table *table)
{
    free(table->keys);
    free(table->tallies);
    hash_index_deinit(&table->index);
    *table = (struct diff_table){ 0 };
}

static bool is_key(const struct diff_key *one, const struct diff_key *other)
{
    return one->state == other->state && one->pid == other->pid && value_equal(&one->process, &other->process) &&
        value_equal(&one->service, &other->service);
}

static uint64_t hash_of(const struct diff_key *key)
{
    uint64_t hash = hash_number((uint64_t)key->pid << 8 | (uint64_t)key->state);
    return value_hash(&key->service, value_hash(&key->process, hash));
}

uint32_t diff_table_index(struct diff_table *table, const struct diff_key *key)
{
    uint64_t hash = hash_of(key);
    struct hash_walk walk = hash_index_walk(&table->index, hash);
    for (uint32_t number; (number = hash_walk_next(&table->index, &walk)) != HASH_NONE;) {
        if (is_key(&table->keys[number], key))
            return number;
    }
    size_t stride = TALLY_KINDS * table->snapshots;
    if (table->count == table->capacity) {
        xvec_grow((void **)&table->keys, table->count, &table->capacity, sizeof *table->keys);
        table->tallies = xrealloc_array(table->tallies, table->capacity, stride * sizeof *table->tallies);
    }
    table->keys[table->count] = *key;
    memset(table->tallies + table->count * stride, 0, stride * sizeof *table->tallies);
    hash_index_add(&table->index, hash, (uint32_t)table->count);
    return (uint32_t)table->count++;
}

uint32_t *diff_table_tally(const struct diff_table *table, uint32_t index, enum diff_tally tally)
{
    return table->tallies + ((size_t)index * TALLY_KINDS + tally) * table->snapshots;
}
