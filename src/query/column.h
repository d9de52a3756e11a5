#pragma once
/*
 * The fields of a connection that `list` can show. One table gives the columns, JSON keys, CSV header, sort keys and
 * their help.
 */
#include <stdbool.h>
#include <stddef.h>

#include "model/diagnosis.h"
#include "model/value.h"

/* Where the values come from. Threads must not share it, because it caches the last cgroup. */
struct field_source {
    const struct snapshot *snapshot;
    const struct diagnosis *diagnosis;
    const struct cgroup *last_cgroup;
};

struct field {
    const char *name; /* for --columns and --sort; in capitals it is the column's title */
    const char *key;  /* the key in JSON and CSV; NULL: the name */
    const char *unit; /* "s", "bytes", or "" */
    const char *help;
    bool right; /* the column is aligned to the right */
    bool shown; /* shown if the user asks for no columns */

    struct value (*get)(const struct field *field, struct field_source *source, uint32_t conn_index);
    /* Appends words after the value, only in text output; or NULL. */
    void (*add_words)(struct field_source *source, uint32_t conn_index, struct buf *out);

    /* For fields that are a member of struct conn: its offset, its size, its bit in conn.present, its kind. */
    uint16_t offset, size, present;
    uint8_t kind; /* enum value_kind */
};

enum { FIELD_MAX = 64 }; /* greater than the number of fields */

/* NULL past the end. */
const struct field *field_at(size_t index);
/* Upper and lower case are equal, so are hyphens and underscores. NULL if there is no such field. */
const struct field *field_find(const char *name);
/* The known name that is most similar to a misspelt one, or NULL. */
const char *field_nearest(const char *name);
const char *field_key(const struct field *field);
struct value field_value(const struct field *field, struct field_source *source, uint32_t conn_index);
