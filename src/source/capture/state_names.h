#pragma once
/* Finds the states of words fast: a capture repeats a few spellings millions of times. */
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/state.h"

enum { STATE_WORDS_MAX = 64 }; /* further words are parsed each time */

/* The first, the second and the last eight bytes of a word. Up to 24 bytes this is the whole word. */
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

/* As state_parse(), but remembers the result. A word of more than 24 bytes is STATE_UNKNOWN. */
enum conn_state state_words_find(struct state_words *words, const char *text, size_t length);
void state_words_deinit(struct state_words *words);
