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
    const char *name; /* for --by; in capitals the column's title, with underscores the JSON and CSV key */
    const char *help;
    const char *field; /* the name of the field that gives the value; NULL: get() gives it */
    struct value (*get)(const struct key_source *source, const struct conn *conn);
};

/* A key that the user asked for, and its field if it has one. */
struct key_use {
    const struct key *key;
    const struct field *field;
};

enum { KEYS_MAX = 8 }; /* how many keys can be combined */

/* NULL past the end. */
const struct key *key_at(size_t index);
/* Upper and lower case are equal, so are hyphens and underscores. Returns false if there is no such key. */
bool key_find(const char *name, struct key_use *ret_use);
/* The known name that is most similar to a misspelt one, or NULL. */
const char *key_nearest(const char *name);
struct value key_value(const struct key_use *use, struct key_source *source, uint32_t conn_index);
