#include "model/ends_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

int ends_set_init(struct ends_set *set, const struct snapshot *snapshot, ends_reader ends_of)
{
    size_t slots = 16;
    while (slots < snapshot->conn_count * 2)
        slots *= 2;
    *set = (struct ends_set){ snapshot, ends_of, malloc(slots * sizeof *set->slots), slots - 1 };
    if (set->slots == NULL)
        return -ENOMEM;
    memset(set->slots, 0xff, slots * sizeof *set->slots); /* NO_INDEX */
    return 0;
}

void ends_set_deinit(struct ends_set *set)
{
    free(set->slots);
    *set = (struct ends_set){ 0 };
}

static bool same_ends(const struct ends *one, const struct ends *other)
{
    return one->local_port == other->local_port && one->remote_port == other->remote_port && one->host == other->host &&
        ip_equal(&one->local, &other->local) && ip_equal(&one->remote, &other->remote);
}

static uint32_t *find_slot(const struct ends_set *set, const struct ends *ends)
{
    uint64_t words[5] = { 0, 0, 0, 0,
        (uint64_t)ends->host << 32 | (uint32_t)ends->local_port << 16 | ends->remote_port };
    memcpy(words, ends->local.bytes, sizeof ends->local.bytes);
    memcpy(words + 2, ends->remote.bytes, sizeof ends->remote.bytes);
    size_t slot = hash_words(0, words, 5) & set->mask;
    for (; set->slots[slot] != NO_INDEX; slot = (slot + 1) & set->mask) {
        struct ends there = set->ends_of(set->snapshot, &set->snapshot->conns[set->slots[slot]]);
        if (same_ends(&there, ends))
            break;
    }
    return &set->slots[slot];
}

void ends_set_add(struct ends_set *set, uint32_t conn)
{
    struct ends ends = set->ends_of(set->snapshot, &set->snapshot->conns[conn]);
    *find_slot(set, &ends) = conn;
}

bool ends_set_has(const struct ends_set *set, const struct ends *ends)
{
    return *find_slot(set, ends) != NO_INDEX;
}
