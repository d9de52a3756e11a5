#pragma once
/*
 * Structs as JSON objects. One table of fields for each struct drives the writer and the reader, so they cannot differ.
 * An unknown field has no key.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/json_read.h"

enum record_kind {
    RECORD_NUMBER,  /* uint8_t … uint64_t; 0 is unknown, unless the field has presence bits or is `needed` */
    RECORD_BOOL,    /* false has no key */
    RECORD_FLAG,    /* only presence bits: true, or no key */
    RECORD_TEXT,    /* const char *; NULL: unknown */
    RECORD_LETTER,  /* char; '?' and NUL: unknown */
    RECORD_NAME,    /* uint8_t, one of `names` */
    RECORD_STATE,   /* uint8_t, enum conn_state */
    RECORD_ADDRESS, /* struct ip */
    RECORD_INDEX,   /* uint32_t; NO_INDEX: unknown */
    RECORD_LIMIT,   /* uint32_t; 0: unknown; UINT32_MAX: "none" */
    RECORD_FD,      /* int; -1: unknown */
};

/* One field of a struct. */
struct record_field {
    const char *key;
    uint8_t kind; /* enum record_kind */
    uint8_t size;
    bool needed; /* an object without this key is refused */
    uint16_t offset;
    uint32_t present;         /* presence bits of the field; 0: it has none */
    const char *const *names; /* ends with NULL */
};

struct record {
    const struct record_field *fields; /* at most 64; the last one has no key */
    /* where the struct has its presence bits, `present_size` bytes; 0 bytes: it has none */
    uint16_t present_offset;
    uint8_t present_size;
};

enum { RECORD_FIELDS_MAX = 64 };

/* Writes the members of an open object. */
void record_write(struct json *json, const struct record *record, const void *object);

/* Reads a member that the table does not have: its value is next. Returns 0 or a negative errno. */
typedef int (*record_other)(void *data, struct json_reader *reader);

/*
 * Reads the members of an object up to its end. For the outermost object, the document must end there too. The caller
 * zeroes the struct, and sets indexes to NO_INDEX and descriptors to -1. Texts are copied into the arena. Unknown
 * members go to `other`; if it is NULL, they are skipped. Returns 0, or -EINVAL: not JSON, a value does not fit its
 * field, or a needed field is missing.
 */
int record_read(struct json_reader *reader, const struct record *record, void *object, struct arena *arena,
    record_other other, void *data);
