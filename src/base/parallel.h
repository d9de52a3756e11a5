#pragma once
/* Work split over the cores. */
#include <pthread.h>
#include <stdbool.h>

enum { PARALLEL_MAX = 8 };

/* How many cores this process may use, at most PARALLEL_MAX. */
unsigned parallel_cores(void);

struct parallel;

struct parallel_worker {
    const struct parallel *parallel;
    pthread_t thread;
    unsigned number;
    bool started;
};

struct parallel {
    void (*work)(void *data, unsigned worker);
    void *data;
    unsigned workers;
    struct parallel_worker others[PARALLEL_MAX];
};

/*
 * Lets work(data, n) run in threads of their own for n = 1 … workers - 1, while the caller does something else. It is
 * not to be moved meanwhile.
 */
void parallel_begin(struct parallel *parallel, unsigned workers, void (*work)(void *data, unsigned worker), void *data);

/*
 * The caller helps, as worker 0, and waits for the others. work() takes its share from what is left, piece by piece, so
 * that all is done even where no threads were to be had.
 */
void parallel_end(struct parallel *parallel);
