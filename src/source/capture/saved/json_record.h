#pragma once
/*
 * Structs as JSON objects: one table of fields for each struct writes it and reads it, so that the two cannot drift. A
 * field that is unknown has no key.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/json_read.h"

enum record_kind {
    RECORD_NUMBER,  /* uint8_t … uint64_t; 0 is unknown, unless a presence bit or `needed` says otherwise */
    RECORD_BOOL,    /* false has no key */
    RECORD_FLAG,    /* nothing but its presence bits: true, or no key */
    RECORD_TEXT,    /* const char *; NULL: unknown */
    RECORD_LETTER,  /* char; '?' and NUL: unknown */
    RECORD_NAME,    /* uint8_t, one of `names` */
    RECORD_STATE,   /* uint8_t, enum conn_state */
    RECORD_ADDRESS, /* struct ip */
    RECORD_INDEX,   /* uint32_t; NO_INDEX: unknown */
    RECORD_LIMIT,   /* uint32_t; 0: unknown; UINT32_MAX: "none" */
    RECORD_FD,      /* int; -1: unknown */
};

struct record_field {
    const char *key;
    uint8_t kind; /* enum record_kind */
    uint8_t size;
    bool needed; /* an object without it is not understood */
    uint16_t offset;
    uint32_t present;         /* bits that say that it is known; 0: it has none */
    const char *const *names; /* up to NULL */
};

struct record {
    const struct record_field *fields; /* up to one without a key; 64 at most */
    uint16_t present_offset;           /* of the presence bits: `present_size` bytes; none where that is 0 */
    uint8_t present_size;
};

enum { RECORD_FIELDS_MAX = 64 };

/* Writes the members of an object that is open. */
void record_write(struct json *json, const struct record *record, const void *object);

/* A member that the table does not have. Returns 0 (its value was read, or skipped) or a negative errno. */
typedef int (*record_other)(void *data, struct json_reader *reader);

/*
 * Reads the members of an object up to its end, which is that of the document where it is the outermost one, into a
 * struct that is zeroed but for indexes and descriptors (NO_INDEX, -1). Texts go to the arena. Members that nobody
 * knows are skipped. Returns 0, or -EINVAL where that is not JSON, a value does not fit its field, or a needed one is
 * missing.
 */
int record_read(struct json_reader *reader, const struct record *record, void *object, struct arena *arena,
    record_other other, void *data);
