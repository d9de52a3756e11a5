#include "source/capture/states.h"

#include <string.h>

enum conn_state state_words_find(struct state_words *words, const char *text, size_t length)
{
    if (length == 0 || length >= STATE_WORD_MOST)
        return STATE_UNKNOWN;
    /* Ends and length tell all spellings of one program apart; where two meet, the later one takes the place. */
    unsigned slot = ((unsigned char)text[0] * 7U + (unsigned char)text[length - 1] * 13U + (unsigned)length * 5U) %
        STATE_SLOTS;
    struct state_word *word = &words->slots[slot];
    if (word->length == length && memcmp(word->text, text, length) == 0)
        return (enum conn_state)word->state;
    *word = (struct state_word){ .length = (uint8_t)length };
    memcpy(word->text, text, length);
    word->state = (uint8_t)state_parse(word->text);
    return (enum conn_state)word->state;
}
