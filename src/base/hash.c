#include "base/hash.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

uint64_t hash_key;
/* A factor that is as secret as the key: odd. */
static uint64_t hash_factor;

/*
 * Before main(), so that no thread sees it change. Early in the boot there may be no randomness yet: then the time
 * serves.
 */
__attribute__((constructor)) static void draw_key(void)
{
    uint64_t drawn[2];
    if (getrandom(drawn, sizeof drawn, GRND_NONBLOCK) != (ssize_t)sizeof drawn) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        drawn[0] = hash_mix((uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)&now);
        drawn[1] = hash_mix(drawn[0]);
    }
    hash_set_key(drawn[0], drawn[1]);
}

void hash_set_key(uint64_t key, uint64_t factor)
{
    hash_key = key;
    hash_factor = factor | 1;
}

/* Both halves of the product: each bit of the word acts on bits above and below it. */
static uint64_t fold(uint64_t hash, uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * hash_factor;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    uint64_t hash = seed ^ hash_key, word;
    size_t left = length;
    for (; left > sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = fold(hash, word);
    }
    word = 0;
    memcpy(&word, at, left);
    return hash_mix(fold(hash, word) + length);
}
