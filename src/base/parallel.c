#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>

unsigned parallel_cores(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : CPU_COUNT(&set);
    return cores < 1 ? 1 : cores > PARALLEL_MOST ? PARALLEL_MOST : (unsigned)cores;
}

struct worker {
    pthread_t thread;
    bool started;
    unsigned number;
    void (*work)(void *data, unsigned worker);
    void *data;
};

static void *run(void *argument)
{
    const struct worker *worker = argument;
    worker->work(worker->data, worker->number);
    return NULL;
}

void parallel_run(unsigned workers, void (*work)(void *data, unsigned worker), void *data)
{
    struct worker others[PARALLEL_MOST] = { 0 };
    if (workers > PARALLEL_MOST)
        workers = PARALLEL_MOST;
    /* Signals are the first thread's business: Ctrl-C must interrupt what waits for it. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 1; i < workers; i++) {
        others[i] = (struct worker){ .number = i, .work = work, .data = data };
        others[i].started = pthread_create(&others[i].thread, NULL, run, &others[i]) == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    work(data, 0);
    for (unsigned i = 1; i < workers; i++) {
        if (others[i].started)
            pthread_join(others[i].thread, NULL);
        else
            work(data, i);
    }
}
