#pragma once
/*
 * A JSON reader (RFC 8259) that hands out token by token and allocates nothing but for a string with escapes: for
 * documents of many small lines. It is strict, but for one thing, the same that the writer may do: \udc80 … \udcff
 * alone stand for the bytes 80 … ff, which were not UTF-8 (as Python's "surrogateescape" has it).
 *
 * What it reads may be hostile: depth is bounded, a string with NUL is an error, and after an error there are no more
 * tokens.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum json_token {
    JSON_BAD, /* not JSON; nothing follows */
    JSON_DONE,
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,    /* text, length */
    JSON_STRING, /* text, length */
    JSON_NUMBER, /* number, negative, whole */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

enum { JSON_DEPTH_MAX = 32 };

struct json_reader {
    const char *at, *end;
    struct buf decoded; /* of the last string that had escapes */

    /* Of the last token. The text is not NUL-terminated, and holds until the next token. */
    const char *text;
    size_t length;
    uint64_t number; /* its absolute value */
    bool negative;
    bool whole; /* it is an integer that fits; else the number is of no use */

    unsigned depth;
    uint32_t objects; /* a bit for each depth: an object, not an array */
    uint8_t expects;  /* see json_read.c */
};

void json_reader_init(struct json_reader *reader);
void json_reader_deinit(struct json_reader *reader);
/* Begins a document of `length` bytes, which have to stay while it is read. */
void json_read(struct json_reader *reader, const char *bytes, size_t length);

enum json_token json_next(struct json_reader *reader);
/* Reads over the rest of the value that began with this token. False where that is not JSON. */
bool json_skip(struct json_reader *reader, enum json_token token);
/* Whether the last token's text is this. */
bool json_text_is(const struct json_reader *reader, const char *text);
