#pragma once
/* Numbers in each snapshot, by what they are of. */
#include <stddef.h>
#include <stdint.h>
#include "base/hash_index.h"
#include "model/value.h"
#include "model/state.h"

struct diff_key {
    struct value process; /* unknown: not known, or any */
    struct value service; /* likewise */
    uint32_t pid;         /* 0: likewise */
    enum conn_state state;
};

enum diff_tally {
    TALLY_COUNT,
    TALLY_STAYED,   /* were there in the look before too */
    TALLY_CORE,     /* were there in all looks before */
    TALLY_SETTLED,  /* and for diff.settle_snapshots looks */
    TALLY_REMAINED, /* of those that had settled by the look before */
    TALLY_KINDS
};

struct diff_table {
    struct diff_key *keys;
    uint32_t *tallies;
    size_t count, capacity, snapshots;
    struct hash_index index;
};

void diff_table_init(struct diff_table *table, size_t snapshots);
void diff_table_deinit(struct diff_table *table);
/* The index of that key, which is added, with tallies of 0, where it is new. */
uint32_t diff_table_index(struct diff_table *table, const struct diff_key *key);
/* The numbers for each look; they move when a key is added. */
uint32_t *diff_table_tally(const struct diff_table *table, uint32_t index, enum diff_tally tally);
