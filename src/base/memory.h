#pragma once
/*
 * Overflow-checked allocation. Without memory the program ends with a message and status 3. Only vec_grow() returns an
 * error instead. It is for the one array that may be very large: the connections.
 */
#include <stddef.h>

/* Ends the program. It is also for functions of a library that report that there is no memory. */
_Noreturn void out_of_memory(void);

void *xrealloc_array(void *old, size_t count, size_t size);
void *xcalloc(size_t count, size_t size) __attribute__((malloc));
/* Returns `memory`, which a library has allocated. If it is NULL, the program ends as above. */
void *xnonnull(void *memory) __attribute__((returns_nonnull));

/*
 * Makes room for one more element in an array. The array has `count` elements of `size` bytes and room for *capacity.
 * A full array is doubled; pages that nobody touches cost no memory. Returns 0, or -ENOMEM and leaves the array as it
 * was.
 */
int vec_grow(void **items, size_t count, size_t *capacity, size_t size);
/* As vec_grow(), but never fails. */
void xvec_grow(void **items, size_t count, size_t *capacity, size_t size);
/* Adds one zeroed element to such an array, increments *count and returns the element. Never fails. */
void *vec_add(void **items, size_t *count, size_t *capacity, size_t size);
