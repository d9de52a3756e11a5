#pragma once
/*
 * Hashing for base/hash_index.h. hash_number(), hash_words() and hash_bytes() depend on a key that is drawn anew for
 * each run of the program, so that nobody can make up input whose hashes collide. No result may depend on their order.
 */
#include <stddef.h>
#include <stdint.h>

/* The key of this run; set before main(), and never after. */
extern uint64_t hash_key;

/*
 * Mixes a number so that every bit changes the low bits, which the tables use. A multiplication alone moves bits only
 * upwards, and the last byte of an IPv4 address is the top byte of its word in memory. This function does not use the
 * key: its result is the same in every run.
 */
static inline uint64_t hash_mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
    hash *= 0xc4ceb9fe1a85ec53ULL;
    return hash ^ hash >> 32;
}

static inline uint64_t hash_number(uint64_t number)
{
    return hash_mix(number ^ hash_key);
}

/* Hashes `count` words, beginning with `seed`. */
static inline uint64_t hash_words(uint64_t seed, const uint64_t *words, unsigned count)
{
    uint64_t hash = hash_number(seed);
    for (unsigned i = 0; i < count; i++)
        hash = hash_mix(hash ^ words[i]);
    return hash;
}

/* Hashes bytes from outside, beginning with `seed`. Each word is multiplied by a secret factor and folded. */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length);
/* For tests that count instructions: the same key in each run. */
void hash_set_key(uint64_t key, uint64_t factor);
