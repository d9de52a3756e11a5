#pragma once
/* Words for states, found fast: a capture repeats a few spellings millions of times. */
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/state.h"

enum { STATE_WORDS_MAX = 64 }; /* what is beyond that is looked up each time */

/* The first, second and last eight bytes of a word: all of it, where it has no more than 24. */
struct state_key {
    uint64_t first, second, last;
};

struct state_word {
    struct state_key key;
    uint8_t length;
    uint8_t state;
};

struct state_words {
    struct state_word items[STATE_WORDS_MAX];
    unsigned count;
    struct hash_index index;
};

/* As state_parse(), and remembers. */
enum conn_state state_words_find(struct state_words *words, const char *text, size_t length);
void state_words_deinit(struct state_words *words);
