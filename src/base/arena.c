#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_BYTES = 16 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){ 0 };
}

void arena_deinit(struct arena *arena)
{
    while (arena->newest != NULL) {
        struct arena_block *block = arena->newest;
        arena->newest = block->older;
        free(block);
    }
    arena->used = 0;
}

void arena_join(struct arena *arena, struct arena *other)
{
    struct arena_block **oldest = &arena->newest;
    while (*oldest != NULL)
        oldest = &(*oldest)->older;
    if (arena->newest == NULL)
        arena->used = other->used;
    *oldest = other->newest;
    *other = (struct arena){ 0 };
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    size_t start = (arena->used + align - 1) & ~(align - 1);
    if (arena->newest == NULL || start > arena->newest->size || size > arena->newest->size - start) {
        size_t block_size = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        struct arena_block *block = xcalloc(1, sizeof *block + block_size);
        block->older = arena->newest;
        block->size = block_size;
        arena->newest = block;
        start = 0;
    }
    arena->used = start + size;
    return arena->newest->bytes + start;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    char usual[256]; /* most texts fit, and are formatted only once */
    va_list again;
    va_copy(again, args);
    char *text;
    int length = vsnprintf(usual, sizeof usual, format, args);
    if (length < 0) {
        text = arena_strdup(arena, "");
    } else if ((size_t)length < sizeof usual) {
        text = arena_strndup(arena, usual, (size_t)length);
    } else {
        text = arena_alloc(arena, (size_t)length + 1);
        vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}
