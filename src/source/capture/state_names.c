#include "source/capture/state_names.h"

#include <stdbool.h>
#include <string.h>

static enum conn_state parse(const char *text, size_t length)
{
    char word[sizeof(struct state_key) + 1];
    memcpy(word, text, length);
    word[length] = '\0';
    return state_parse(word);
}

/* No length is a variable of memcpy() here: that would be a call. */
static struct state_key key_of(const char *text, size_t length)
{
    struct state_key key = { 0 };
    uint32_t head, tail;
    if (length >= 8) {
        memcpy(&key.first, text, 8);
        memcpy(&key.last, text + length - 8, 8);
        if (length > 16)
            memcpy(&key.second, text + 8, 8);
    } else if (length >= 4) {
        memcpy(&head, text, 4);
        memcpy(&tail, text + length - 4, 4);
        key.first = head;
        key.last = tail;
    } else {
        for (size_t i = 0; i < length; i++)
            key.first = key.first << 8 | (unsigned char)text[i];
    }
    return key;
}

static bool is_it(const struct state_word *word, const struct state_key *key, size_t length)
{
    return word->length == length && word->key.first == key->first && word->key.second == key->second &&
        word->key.last == key->last;
}

enum conn_state state_words_find(struct state_words *words, const char *text, size_t length)
{
    enum { TRIES = 4, MASK = sizeof words->slots / sizeof *words->slots - 1 };
    if (length == 0 || length > sizeof(struct state_key))
        return STATE_UNKNOWN;
    struct state_key key = key_of(text, length);
    size_t first = ((key.first ^ key.last << 1 ^ length) * 0x9e3779b97f4a7c15ULL) >> (64 - STATE_SLOT_BITS);
    struct state_word *word = &words->slots[first]; /* gives way where all are taken */
    for (size_t slot = first; slot < first + TRIES; slot++) {
        struct state_word *other = &words->slots[slot & MASK];
        if (is_it(other, &key, length))
            return (enum conn_state)other->state;
        if (other->length == 0) {
            word = other;
            break;
        }
    }
    *word = (struct state_word){ .key = key, .length = (uint8_t)length, .state = (uint8_t)parse(text, length) };
    return (enum conn_state)word->state;
}
