#include "base/hash.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

uint64_t hash_key;
/* An odd factor, as secret as the key. */
static uint64_t hash_factor;

/*
 * Runs before main(), so no thread sees the key change. Early in the boot there may be no random numbers yet; then the
 * key comes from the time.
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

/* XORs both halves of the product, so that each bit of the word changes bits above and below it. */
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
