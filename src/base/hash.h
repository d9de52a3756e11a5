#pragma once
/* Hashing for tables whose size is a power of two. */
#include <stdint.h>

/*
 * Lets every bit of a number act on every low bit, as the tables use those. A multiplication alone carries bits only
 * upwards: the last byte of an IPv4 address, in a word as it is in memory, stands at the very top.
 */
static inline uint64_t hash_mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
    hash *= 0xc4ceb9fe1a85ec53ULL;
    return hash ^ hash >> 32;
}

/* `count` words, from `seed` on. */
static inline uint64_t hash_words(uint64_t seed, const uint64_t *words, unsigned count)
{
    uint64_t hash = hash_mix(seed);
    for (unsigned i = 0; i < count; i++)
        hash = hash_mix(hash ^ words[i]);
    return hash;
}
