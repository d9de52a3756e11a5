#pragma once
/* What connections can be grouped by. */
#include <stddef.h>

#include "query/column.h"
#include "model/listeners.h"

struct key_source {
    struct field_source fields;
    struct listeners listeners;
    uint8_t v4_prefix, v6_prefix; /* of peer-net */
};

struct key {
    const char *name; /* of --by; in capitals the column's title, with underscores the JSON and CSV key */
    const char *help;
    const char *field; /* the field that it is, or NULL: get */
    struct value (*get)(const struct key_source *source, const struct conn *conn);
};

/* A key that was asked for, with its field looked up. */
struct key_use {
    const struct key *key;
    const struct field *field;
};

enum { KEYS_MAX = 8 }; /* that can be combined */

/* NULL past the end. */
const struct key *key_at(size_t index);
/* In any case, underscores for hyphens; false where there is none. */
bool key_find(const char *name, struct key_use *ret_use);
const char *key_nearest(const char *name);
struct value key_value(const struct key_use *use, struct key_source *source, uint32_t conn_index);
