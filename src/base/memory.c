#include "base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void out_of_memory(void)
{
    fputs("tcpwhy: out of memory\n", stderr);
    _Exit(3); /* "tcpwhy could not do what was asked" */
}

void *xrealloc_array(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory();
    void *memory = realloc(old, bytes ? bytes : 1);
    if (memory == NULL)
        out_of_memory();
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (memory == NULL)
        out_of_memory();
    return memory;
}

void *xnonnull(void *memory)
{
    if (memory == NULL)
        out_of_memory();
    return memory;
}

int vec_grow(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity ? *capacity : 16;
    size_t bytes;
    if (__builtin_mul_overflow(wanted, *capacity ? 2 : 1, &wanted) || __builtin_mul_overflow(wanted, size, &bytes))
        return -ENOMEM;
    void *memory = realloc(*items, bytes);
    if (memory == NULL)
        return -ENOMEM;
    *items = memory;
    *capacity = wanted;
    return 0;
}

void xvec_grow(void **items, size_t count, size_t *capacity, size_t size)
{
    if (vec_grow(items, count, capacity, size) < 0)
        out_of_memory();
}

void *vec_add(void **items, size_t *count, size_t *capacity, size_t size)
{
    xvec_grow(items, *count, capacity, size);
    return memset((char *)*items + (*count)++ * size, 0, size);
}
