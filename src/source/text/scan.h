#pragma once
/*
 * Scanning of a text that ends with a NUL. Each function reads one item at *text and moves *text behind it. The
 * functions are inline because captures have millions of rows.
 */
#include <stdbool.h>
#include <stdint.h>

static inline void skip_spaces(const char **text)
{
    while (**text == ' ')
        (*text)++;
}

static inline bool scan_char(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

/* Scans a hexadecimal number of at most `digits_max` digits. False if there is no digit. */
static inline bool scan_hex(const char **text, unsigned digits_max, uint64_t *ret_value)
{
    uint64_t value = 0;
    unsigned digits = 0;
    for (; digits < digits_max; digits++, (*text)++) {
        char c = **text;
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            break;
        value = value << 4 | digit;
    }
    *ret_value = value;
    return digits > 0;
}

/* Scans a decimal number, after any spaces. False if there is no digit, or if the number needs more than 64 bits. */
static inline bool scan_decimal(const char **text, uint64_t *ret_value)
{
    skip_spaces(text);
    const char *first = *text;
    uint64_t value = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value))
            return false;
    }
    *ret_value = value;
    return *text > first;
}
