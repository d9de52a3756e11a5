#pragma once
/* Finds the states of words fast: a capture repeats a few spellings millions of times. */
#include <stdbool.h>
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

/* Words that stand where a state is expected, in a language that is not known. */
struct unknown_states {
    struct unknown_state {
        char text[32];
        uint64_t rows;
    } items[4];
    unsigned count;
    uint64_t other_rows; /* with further words */
};

/*
 * Counts the word of a row that is whole otherwise. Returns false if it is no name of a state: too short, not made of
 * letters, or the beginning of a known name.
 */
bool unknown_states_add(struct unknown_states *unknown, const char *text, size_t length);
/* The state that `names` ("LETZTE_ACK=LAST_ACK") give the word, or STATE_UNKNOWN. */
enum conn_state state_by_names(const char *const *names, unsigned count, const char *text, size_t length);

/* As state_parse(), but remembers the result. A word of more than 24 bytes is STATE_UNKNOWN. */
enum conn_state state_words_find(struct state_words *words, const char *text, size_t length);
void state_words_deinit(struct state_words *words);
