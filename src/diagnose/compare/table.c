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
    free(table->slots);
    *table = (struct diff_table){ 0 };
}

static bool is_key(const struct diff_key *one, const struct diff_key *other)
{
    return one->state == other->state && one->pid == other->pid && value_equal(&one->process, &other->process) &&
        value_equal(&one->service, &other->service);
}

static uint32_t *slot_of(const struct diff_table *table, const struct diff_key *key)
{
    uint64_t hash = hash_mix((uint64_t)key->pid << 8 | (uint64_t)key->state);
    size_t slot = value_hash(&key->service, value_hash(&key->process, hash)) & (table->slot_count - 1);
    while (table->slots[slot] != NO_INDEX && !is_key(&table->keys[table->slots[slot]], key))
        slot = (slot + 1) & (table->slot_count - 1);
    return &table->slots[slot];
}

static void grow_slots(struct diff_table *table)
{
    table->slot_count = table->slot_count ? table->slot_count * 2 : 256;
    table->slots = xrealloc_array(table->slots, table->slot_count, sizeof *table->slots);
    memset(table->slots, 0xff, table->slot_count * sizeof *table->slots); /* NO_INDEX */
    for (size_t i = 0; i < table->count; i++)
        *slot_of(table, &table->keys[i]) = (uint32_t)i;
}

uint32_t diff_table_index(struct diff_table *table, const struct diff_key *key)
{
    size_t stride = TALLY_KINDS * table->snapshots;
    if (table->count * 2 >= table->slot_count)
        grow_slots(table);
    uint32_t *slot = slot_of(table, key);
    if (*slot != NO_INDEX)
        return *slot;
    if (table->count == table->capacity) {
        xvec_grow((void **)&table->keys, table->count, &table->capacity, sizeof *table->keys);
        table->tallies = xrealloc_array(table->tallies, table->capacity, stride * sizeof *table->tallies);
    }
    table->keys[table->count] = *key;
    memset(table->tallies + table->count * stride, 0, stride * sizeof *table->tallies);
    *slot = (uint32_t)table->count++;
    return *slot;
}

uint32_t *diff_table_tally(const struct diff_table *table, uint32_t index, enum diff_tally tally)
{
    return table->tallies + ((size_t)index * TALLY_KINDS + tally) * table->snapshots;
}
