#include "source/capture/state_names.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"

static enum conn_state parse(const char *text, size_t length)
{
    char word[sizeof(struct state_key) + 1];
    memcpy(word, text, length);
    word[length] = '\0';
    return state_parse(word);
}

/* All lengths of memcpy() are constants, so that the compiler makes no calls. */
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
    if (length == 0 || length > sizeof(struct state_key))
        return STATE_UNKNOWN;
    struct state_key key = key_of(text, length);
    uint64_t hash = hash_number(key.first ^ key.last << 1 ^ length);
    struct hash_walk walk = hash_index_walk(&words->index, hash);
    for (uint32_t number; (number = hash_walk_next(&words->index, &walk)) != HASH_NONE;) {
        if (is_it(&words->items[number], &key, length))
            return (enum conn_state)words->items[number].state;
    }
    enum conn_state state = parse(text, length);
    if (words->count < STATE_WORDS_MAX) {
        hash_index_add(&words->index, hash, words->count);
        words->items[words->count++] = (struct state_word){
            .key = key, .length = (uint8_t)length, .state = (uint8_t)state
        };
    }
    return state;
}

void state_words_deinit(struct state_words *words)
{
    hash_index_deinit(&words->index);
}

static bool is_letter(unsigned char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte >= 0x80;
}

static bool is_name(const char *text, size_t length)
{
    enum { LEAST = 4 };
    size_t letters = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (!is_letter(byte) && byte != '_' && (i == 0 || byte < '0' || byte > '9'))
            return false;
        letters += is_letter(byte);
    }
    return letters >= LEAST;
}

bool unknown_states_add(struct unknown_states *unknown, const char *text, size_t length)
{
    char word[sizeof unknown->items->text];
    if (length >= sizeof word || !is_name(text, length))
        return false;
    memcpy(word, text, length);
    word[length] = '\0';
    for (unsigned i = 0; i < unknown->count; i++) {
        if (strcmp(unknown->items[i].text, word) == 0) {
            unknown->items[i].rows++;
            return true;
        }
    }
    if (state_may_begin(word))
        return false;
    if (unknown->count == sizeof unknown->items / sizeof *unknown->items) {
        unknown->other_rows++;
        return true;
    }
    struct unknown_state *added = &unknown->items[unknown->count++];
    added->rows = 1;
    memcpy(added->text, word, length + 1);
    return true;
}

enum conn_state state_by_names(const char *const *names, unsigned count, const char *text, size_t length)
{
    for (unsigned i = 0; i < count; i++) {
        const char *equals = strchr(names[i], '=');
        if (equals != NULL && (size_t)(equals - names[i]) == length && strncasecmp(names[i], text, length) == 0)
            return state_parse(equals + 1);
    }
    return STATE_UNKNOWN;
}
