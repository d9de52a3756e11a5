#pragma once
/*
 * What a fuzz target is: one function that takes any bytes and must come back. libFuzzer calls it (meson
 * -Dfuzz=true), or replay.c does with the files of corpus/NAME.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program if the condition does not hold, in every kind of build. */
#define FUZZ_EXPECT(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* A NUL-terminated copy in memory of its own, so that the sanitizer notices a read beyond it. The caller frees it. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_EXPECT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* A copy of exactly `size` bytes, for the same reason. The caller frees it. */
static inline uint8_t *fuzz_bytes(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    FUZZ_EXPECT(bytes != NULL);
    if (size > 0)
        memcpy(bytes, data, size);
    return bytes;
}
