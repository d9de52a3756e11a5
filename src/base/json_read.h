#pragma once
/*
 * A JSON reader (RFC 8259) that returns one token at a time. It allocates memory only for strings with escapes. It is
 * strict, with one exception that json.h can write too: a lone \udc80 … \udcff stands for one byte 80 … ff that was not
 * UTF-8 (as Python's "surrogateescape").
 *
 * The input may be hostile. The depth is limited. A string with NUL is an error. After an error no more tokens follow.
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

    /* The value of the last token. The text is not NUL-terminated, and is valid until the next token is read. */
    const char *text;
    size_t length;
    uint64_t number; /* its absolute value */
    bool negative;
    bool whole; /* it is an integer that fits; else the number is of no use */

    unsigned depth;
    uint32_t objects; /* one bit for each depth; set: an object; not set: an array */
    uint8_t expects;  /* see json_read.c */
};

void json_reader_init(struct json_reader *reader);
void json_reader_deinit(struct json_reader *reader);
/* Begins a document of `length` bytes. The caller keeps the bytes until the document is read. */
void json_read(struct json_reader *reader, const char *bytes, size_t length);

enum json_token json_next(struct json_reader *reader);
/* Skips the rest of the value that began with this token. Returns false if that is not JSON. */
bool json_skip(struct json_reader *reader, enum json_token token);
/* True if the text of the last token is `text`. */
bool json_text_is(const struct json_reader *reader, const char *text);
