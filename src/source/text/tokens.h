#pragma once
/*
 * The words of a line: what stands between blanks, which are the bytes up to ' '. Captures have millions of lines, so
 * that blanks are found eight bytes at a time, and words from the edges in a mask of 64.
 */
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct token {
    const char *text;
    size_t length;
};

/* Of eight bytes: bit i is set where byte i is a blank. */
static inline uint64_t blanks_of_8(const char *text)
{
    static const uint64_t low_bits = 0x7f7f7f7f7f7f7f7f, ones = 0x0101010101010101;
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    bytes = le64toh(bytes);
    /* From ' ' + 1 on, adding carries into a byte's highest bit; bytes beyond ASCII have it. */
    uint64_t others = ((bytes & low_bits) + (0x7f - ' ') * ones) | bytes;
    /* Each byte's highest bit, moved to the lowest, goes to its place in the highest byte. */
    return ((~others >> 7 & ones) * 0x0102040810204080) >> 56;
}

/* The same of up to 64 bytes; those that are not there are blanks. */
static inline uint64_t blanks_of_64(const char *text, size_t length)
{
    enum { MOST = 64, STEP = 8 };
    size_t at = 0;
    uint64_t blanks = length < MOST ? ~0ULL << length : 0;
    length = length < MOST ? length : MOST;
    for (; at + STEP <= length; at += STEP)
        blanks |= blanks_of_8(text + at) << at;
    if (at < length && at > 0) /* the last eight, some of them once more */
        return blanks | blanks_of_8(text + length - STEP) << (length - STEP);
    for (; at < length; at++)
        blanks |= (uint64_t)((unsigned char)text[at] <= ' ') << at;
    return blanks;
}

/*
 * At most `most` of them; *ret_rest, if not NULL, is where the next one would begin. Returns how many; where there is
 * none, the first is empty.
 */
static inline unsigned tokens_split(
    const char *text, size_t length, struct token *words, unsigned most, const char **ret_rest)
{
    enum { BLOCK = 64 };
    const char *const end = text + length;
    const char *rest = end, *start = NULL; /* of the word that is open */
    unsigned count = 0;
    words[0] = (struct token){ .text = text };
    for (;; text += BLOCK) {
        uint64_t blanks = blanks_of_64(text, (size_t)(end - text));
        uint64_t edges = blanks ^ (blanks << 1 | (start == NULL));
        for (; edges != 0; edges &= edges - 1) {
            const char *edge = text + __builtin_ctzll(edges);
            if (start != NULL) {
                words[count++] = (struct token){ .text = start, .length = (size_t)(edge - start) };
                start = NULL;
            } else if (count < most) {
                start = edge;
            } else {
                rest = edge;
                break;
            }
        }
        if (rest != end || end - text < BLOCK)
            break;
    }
    if (ret_rest != NULL)
        *ret_rest = rest;
    return count;
}

static inline bool word_is(const struct token *word, const char *text)
{
    return strlen(text) == word->length && memcmp(word->text, text, word->length) == 0;
}

static inline bool word_starts(const struct token *word, const char *text)
{
    size_t length = strlen(text);
    return word->length >= length && memcmp(word->text, text, length) == 0;
}

/* A whole word as a decimal number that fits. */
static inline bool word_number(const struct token *word, uint64_t most, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < word->length; i++) {
        unsigned digit = (unsigned)(word->text[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret_value = value;
    return word->length > 0 && value <= most;
}
