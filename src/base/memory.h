#pragma once
/*
 * Overflow-checked allocation. Where there is no memory the program ends with a message and status 3: nothing can be
 * said without the words for it. Only vec_grow() reports it, for the one thing that may be large: the array of
 * connections.
 */
#include <stddef.h>

void *xrealloc_array(void *old, size_t count, size_t size);
void *xcalloc(size_t count, size_t size) __attribute__((malloc));

/*
 * Makes room for one more element in an array of `count` elements of `size` bytes with room for *capacity: doubles
 * it, untouched pages cost nothing. Returns 0, or -ENOMEM with the array as it was.
 */
int vec_grow(void **items, size_t count, size_t *capacity, size_t size);
/* The same, but it does not fail. */
void xvec_grow(void **items, size_t count, size_t *capacity, size_t size);
/* Adds an element to such an array, zeroed, and counts it. It does not fail. */
void *vec_add(void **items, size_t *count, size_t *capacity, size_t size);
