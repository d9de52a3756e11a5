#pragma once
/*
 * Splits a line into tokens. Blanks separate tokens; a blank is any byte from 0 to ' '. Captures have millions of
 * lines. Therefore eight bytes are tested at a time, and tokens are found from the edges in a mask of 64 bits.
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

/* Tests eight bytes: bit i of the result is set if byte i is a blank. */
static inline uint64_t blanks_of_8(const char *text)
{
    static const uint64_t low_bits = 0x7f7f7f7f7f7f7f7f, ones = 0x0101010101010101;
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    bytes = le64toh(bytes);
    /* The addition sets the highest bit of each byte above ' '. A byte beyond ASCII already has that bit. */
    uint64_t others = ((bytes & low_bits) + (0x7f - ' ') * ones) | bytes;
    /* The multiplication gathers bit 0 of the eight bytes in the highest byte. */
    return ((~others >> 7 & ones) * 0x0102040810204080) >> 56;
}

/* Tests up to 64 bytes. If the text has fewer, the bits of the missing bytes are set. */
static inline uint64_t blanks_of_64(const char *text, size_t length)
{
    enum { BITS = 64, STEP = 8 };
    size_t at = 0;
    uint64_t blanks = length < BITS ? ~0ULL << length : 0;
    length = length < BITS ? length : BITS;
    for (; at + STEP <= length; at += STEP)
        blanks |= blanks_of_8(text + at) << at;
    if (at < length && at > 0) /* the last eight bytes; some of them are tested twice */
        return blanks | blanks_of_8(text + length - STEP) << (length - STEP);
    for (; at < length; at++)
        blanks |= (uint64_t)((unsigned char)text[at] <= ' ') << at;
    return blanks;
}

/*
 * Splits a line into at most `max` tokens and returns their number. If `ret_rest` is not NULL, *ret_rest is set to the
 * start of the next token, or to the end of the line. If the line has no token, tokens[0] is empty.
 */
static inline unsigned tokens_split(
    const char *text, size_t length, struct token *tokens, unsigned max, const char **ret_rest)
{
    enum { BLOCK = 64 };
    const char *const end = text + length;
    const char *rest = end, *start = NULL; /* start: of the token that has not ended yet */
    unsigned count = 0;
    tokens[0] = (struct token){ .text = text };
    for (;; text += BLOCK) {
        uint64_t blanks = blanks_of_64(text, (size_t)(end - text));
        uint64_t edges = blanks ^ (blanks << 1 | (start == NULL));
        for (; edges != 0; edges &= edges - 1) {
            const char *edge = text + __builtin_ctzll(edges);
            if (start != NULL) {
                tokens[count++] = (struct token){ .text = start, .length = (size_t)(edge - start) };
                start = NULL;
            } else if (count < max) {
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

/* True if the token is this text. */
static inline bool token_is(const struct token *token, const char *text)
{
    return strlen(text) == token->length && memcmp(token->text, text, token->length) == 0;
}

/* True if the token begins with this text. */
static inline bool token_starts(const struct token *token, const char *text)
{
    size_t length = strlen(text);
    return token->length >= length && memcmp(token->text, text, length) == 0;
}

/* Parses a token as a decimal number. False if it has another character, or if the number is larger than `max`. */
static inline bool token_number(const struct token *token, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < token->length; i++) {
        unsigned digit = (unsigned)(token->text[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret_value = value;
    return token->length > 0 && value <= max;
}
