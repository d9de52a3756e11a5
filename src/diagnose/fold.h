#pragma once
/* Used by group.c only: the key of a group, and the folding of many keys into fewer. */
#include "base/hash_index.h"
#include "diagnose/stuck.h"
#include "model/snapshot.h"

/* Stuck connections with equal keys are one group. */
struct fold_key {
    struct ip remote; /* of outgoing connections; zero if any_address */
    uint32_t owner;   /* index of a process, which stands for its copies too; or NO_INDEX */
    uint32_t netns;
    uint32_t uid;  /* only if any_port and the holder was not seen: then only the user tells connections apart */
    uint16_t port; /* the local port of incoming, the remote port of outgoing connections; 0 if any_port */
    uint8_t rule;  /* index into rules */
    uint8_t incoming;
    uint8_t any_address; /* folded over many remote addresses */
    uint8_t any_port;    /* folded over many ports */
    uint8_t listened;    /* only if any_port: this host listens on each of the ports */
    uint8_t service;     /* context_service() */
    uint8_t ignored;     /* 1 + index of the ignore that matches it; 0: it counts */
    uint8_t kin;         /* the owner stands for several processes that were started one by one: kin.c */
    uint8_t spare[2];    /* no padding: keys are hashed and compared as bytes */
};

/* Numbers keys 0, 1, 2 … in the order in which they are added. */
struct fold_key_table {
    struct fold_key *keys;
    size_t count, capacity;
    struct hash_index index;
};

/* The number of the key; a new key is added. */
uint32_t fold_key_number(struct fold_key_table *table, const struct fold_key *key);
void fold_key_table_deinit(struct fold_key_table *table);

/* Folds keys that differ only by many addresses or ports. Renumbers stuck[i].group, which is the number of a key. */
void fold_keys(const struct snapshot *snapshot, struct stuck *stuck, size_t count, struct fold_key_table *keys);
