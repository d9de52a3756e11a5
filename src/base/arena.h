#pragma once
/*
 * Memory that is given back all at once: the strings and small arrays of a snapshot or a diagnosis.
 *
 * An allocation never fails; without memory the program ends (memory.h).
 */
#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *newest;
    size_t used; /* bytes taken in the newest block */
};

void arena_init(struct arena *arena);
void arena_deinit(struct arena *arena);

/* Moves all memory of `other` into `arena`. `other` is empty afterwards. */
void arena_join(struct arena *arena, struct arena *other);

/* Returns memory that is zeroed, aligned for any type, and valid until arena_deinit(). */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull, malloc));
/* Copies `length` bytes and ends them with a NUL. */
char *arena_strndup(struct arena *arena, const char *text, size_t length) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3), returns_nonnull));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), returns_nonnull));
