#pragma once
/* Work split over the cores. */
#include <stddef.h>

enum { PARALLEL_MOST = 8 };

/* How many cores this process may use, at most PARALLEL_MOST. */
unsigned parallel_cores(void);

/*
 * Calls work(data, n) for n = 0 … workers - 1, each in a thread of its own, and returns when all have returned. The
 * caller's thread is the first of them; where threads are not to be had it does the work of the others too, one after
 * the other: work() takes its share from what is left, so that the later ones then find nothing to do.
 */
void parallel_run(unsigned workers, void (*work)(void *data, unsigned worker), void *data);
