#pragma once
/* Shared by the files of the fixture loader. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fixture.h"

enum { WORDS_MAX = 64 };

struct loader {
    struct snapshot *snapshot;
    const char *name;
    unsigned line;
    struct error *err;

    char *words[WORDS_MAX]; /* of the line, unquoted, in the snapshot's arena */
    size_t word_count;

    uint32_t netns; /* the namespace of the following lines */
    uint32_t next_inode;
    uint64_t next_cookie;
};

/* Fills the error with the line's number. Returns -EINVAL. */
int loader_fail(struct loader *loader, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Splits "key=value" in place; *ret_value is NULL where there is no "=". Returns the key. */
char *loader_key(char *word, char **ret_value);
/* A whole decimal number up to max. */
int loader_number(struct loader *loader, const char *text, uint64_t max, uint64_t *ret_number);
int loader_netns(struct loader *loader, const char *name, uint32_t *ret_index);
/* The index of the process. */
int loader_process(struct loader *loader, const char *pid, uint32_t *ret_index);

/* Lines that are parsed in other files. */
int loader_process_line(struct loader *loader);
int loader_wait_line(struct loader *loader);
int loader_conn_line(struct loader *loader);
