#include "source/capture/states.h"

#include <string.h>

enum conn_state state_words_find(struct state_words *words, const char *text, size_t length)
{
    if (length == 0 || length >= STATE_WORD_MOST)
        return STATE_UNKNOWN;
    uint64_t head = 0;
    memcpy(&head, text, length < sizeof head ? length : sizeof head);
    size_t slot = ((head ^ length) * 0x9e3779b97f4a7c15ULL) >> (64 - STATE_SLOT_BITS);
    struct state_word *word = &words->slots[slot];
    if (word->length == length && memcmp(word->text, text, length) == 0)
        return (enum conn_state)word->state;
    *word = (struct state_word){ .length = (uint8_t)length };
    memcpy(word->text, text, length);
    word->state = (uint8_t)state_parse(word->text);
    return (enum conn_state)word->state;
}
