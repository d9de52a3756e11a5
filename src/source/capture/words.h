#pragma once
/* The words of a line: what stands between spaces and tabs. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct word {
    const char *text;
    size_t length;
};

/*
 * At most `most` of them; *ret_rest, if not NULL, is where the next one would begin. Returns how many; where there is none,
 * the first is empty.
 */
static inline unsigned words_split(const char *text, struct word *words, unsigned most, const char **ret_rest)
{
    unsigned count = 0;
    words[0] = (struct word){ .text = text };
    for (;;) {
        while (*text == ' ' || *text == '\t')
            text++;
        if (*text == '\0' || count == most)
            break;
        const char *start = text;
        while ((unsigned char)*text > ' ' || (*text != ' ' && *text != '\t' && *text != '\0'))
            text++;
        words[count++] = (struct word){ .text = start, .length = (size_t)(text - start) };
    }
    if (ret_rest != NULL)
        *ret_rest = text;
    return count;
}

static inline bool word_is(const struct word *word, const char *text)
{
    return strlen(text) == word->length && memcmp(word->text, text, word->length) == 0;
}

static inline bool word_starts(const struct word *word, const char *text)
{
    size_t length = strlen(text);
    return word->length >= length && memcmp(word->text, text, length) == 0;
}

/* A whole word as a decimal number that fits. */
static inline bool word_number(const struct word *word, uint64_t most, uint64_t *ret_value)
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
