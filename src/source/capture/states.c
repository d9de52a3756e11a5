#include "source/capture/states.h"

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

enum conn_state state_words_find(struct state_words *words, const char *text, size_t length)
{
    if (length == 0 || length > sizeof(struct state_key))
        return STATE_UNKNOWN;
    struct state_key key = key_of(text, length);
    size_t slot = ((key.first ^ key.last << 1 ^ length) * 0x9e3779b97f4a7c15ULL) >> (64 - STATE_SLOT_BITS);
    struct state_word *word = &words->slots[slot];
    bool is_it = word->length == length && word->key.first == key.first && word->key.second == key.second &&
        word->key.last == key.last;
    if (!is_it) {
        *word = (struct state_word){ .key = key, .length = (uint8_t)length };
        word->state = (uint8_t)parse(text, length);
    }
    return (enum conn_state)word->state;
}
