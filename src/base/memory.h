#pragma once
/*
 * Overflow-checked allocation. The x… functions end the program with status 3 when there is no memory; vec_grow() reports it.
 */
#include <stddef.h>

void *xrealloc_array(void *old, size_t count, size_t size);
void *xcalloc(size_t count, size_t size) __attribute__((malloc));

/*
 * Makes room for one more element in an array of `count` elements of `size` bytes with room for *capacity: doubles
 * it, untouched pages cost nothing. Returns 0, or -ENOMEM with the array as it was.
 */
int vec_grow(void **items, size_t count, size_t *capacity, size_t size);
/* The same, but ends the program when there is no memory. */
void xvec_grow(void **items, size_t count, size_t *capacity, size_t size);
/* Adds an element to such an array, zeroed, and counts it. NULL without memory, the array being as it was. */
void *vec_add(void **items, size_t *count, size_t *capacity, size_t size);
