#pragma once
/*
 * What there is to say of one connection. One table drives the columns of the list, its JSON keys, its CSV header,
 * what can be sorted by, and the help to all of them.
 */
#include <stdbool.h>
#include <stddef.h>

#include "model/diagnosis.h"
#include "model/value.h"

/* Where the values come from. Not to be shared between threads: it remembers the last cgroup it looked up. */
struct field_source {
    const struct snapshot *snapshot;
    const struct diagnosis *diagnosis;
    const struct cgroup *last_cgroup;
};

struct field {
    const char *name; /* of --columns and --sort; in capitals the column's title */
    const char *key;  /* in JSON and CSV; NULL: the name */
    const char *unit; /* "s", "bytes", or "" */
    const char *help;
    bool right; /* the column stands to the right */
    bool shown; /* unless other columns are asked for */

    struct value (*get)(const struct field *field, struct field_source *source, uint32_t conn_index);
    /* What only text adds after the value, or NULL. */
    void (*add_words)(struct field_source *source, uint32_t conn_index, struct buf *out);

    /* For the fields that are a member of struct conn: where, how large, of which kind, and when it is known. */
    uint16_t offset, size, present;
    uint8_t kind; /* enum value_kind */
};

enum { FIELD_MAX = 64 }; /* more than there are */

/* NULL past the end. */
const struct field *field_at(size_t index);
/* In any case, hyphens for underscores; NULL where there is none. */
const struct field *field_find(const char *name);
/* The name that comes nearest to a misspelt one. */
const char *field_nearest(const char *name);
const char *field_key(const struct field *field);
struct value field_value(const struct field *field, struct field_source *source, uint32_t conn_index);
