#pragma once
/* What makes stuck connections one group: its key, and the folding of keys into fewer. Of group.c only. */
#include "base/hash_index.h"
#include "diagnose/stuck.h"
#include "model/snapshot.h"

struct fold_key {
    struct ip remote; /* outgoing, unless folded over many addresses */
    uint32_t owner;   /* index of a process that stands for its copies, or NO_INDEX */
    uint32_t netns;
    uint32_t uid; /* folded over ports, of what somebody holds who was not seen: then it is all that tells them apart */
    uint16_t port; /* local if incoming, remote if outgoing; unless folded over many ports */
    uint8_t rule;
    uint8_t incoming;
    uint8_t any_address;
    uint8_t any_port;
    uint8_t listened; /* folded over ports: somebody listens on each */
    uint8_t service;  /* that has limits of its own */
    uint8_t ignored;  /* 1 + by which ignore; 0: it counts */
    uint8_t kin;      /* the owner stands for several processes that were started one by one: kin.c */
    uint8_t spare[2]; /* no padding: keys are hashed and compared as bytes */
};

/* From keys to numbers 0, 1, 2 … in the order in which they come. */
struct fold_key_table {
    struct fold_key *keys;
    size_t count, capacity;
    struct hash_index index;
};

uint32_t fold_key_number(struct fold_key_table *table, const struct fold_key *key);
void fold_key_table_deinit(struct fold_key_table *table);

/* Replaces keys by fewer, and the groups of the stuck connections, which are numbers of keys, with them. */
void fold_keys(const struct snapshot *snapshot, struct stuck *stuck, size_t count, struct fold_key_table *keys);
