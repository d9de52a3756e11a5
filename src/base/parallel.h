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
 * Runs work(data, n) in one thread for each n = 1 … workers - 1, and returns at once. The caller must not move
 * *parallel until parallel_end().
 */
void parallel_begin(struct parallel *parallel, unsigned workers, void (*work)(void *data, unsigned worker), void *data);

/*
 * Runs work(data, 0) in the caller, then waits for the other workers. Each work() takes one piece at a time from the
 * pieces that are left. So all is done even if no thread could be started.
 */
void parallel_end(struct parallel *parallel);
