#pragma once
/* A table that counts connections in each snapshot, by key: the cross table, and the rows made from it. */
#include <stddef.h>
#include <stdint.h>
#include "base/hash_index.h"
#include "model/value.h"
#include "model/state.h"

struct diff_key {
    struct value process; /* its name; VALUE_UNKNOWN: not known, or the key is not by process name */
    struct value service; /* VALUE_UNKNOWN: not known, or the key is not by service */
    uint32_t pid;         /* 0: not known, or the key is not by PID */
    enum conn_state state;
};

/* What is counted in each snapshot. "There" means: with the same key. */
enum diff_tally {
    TALLY_COUNT,    /* all connections */
    TALLY_STAYED,   /* those that were there in the snapshot before too */
    TALLY_CORE,     /* those that were there in every snapshot before */
    TALLY_SETTLED,  /* those that were there in the diff.settle_snapshots snapshots before, too */
    TALLY_REMAINED, /* those that are there, and had settled by the snapshot before */
    TALLY_KINDS
};

struct diff_table {
    struct diff_key *keys;
    uint32_t *tallies; /* for each key, for each tally, for each snapshot */
    size_t count, capacity;
    size_t snapshots; /* how many */
    struct hash_index index;
};

void diff_table_init(struct diff_table *table, size_t snapshots);
void diff_table_deinit(struct diff_table *table);
/*
 * The index of the key. A new key is added, with all tallies 0; earlier pointers from diff_table_tally() are invalid.
 */
uint32_t diff_table_index(struct diff_table *table, const struct diff_key *key);
/* One number for each snapshot. The pointer becomes invalid when a key is added. */
uint32_t *diff_table_tally(const struct diff_table *table, uint32_t index, enum diff_tally tally);
