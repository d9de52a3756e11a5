#include "base/parallel.h"

#include <sched.h>
#include <signal.h>

unsigned parallel_cores(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : CPU_COUNT(&set);
    return cores < 1 ? 1 : cores > PARALLEL_MAX ? PARALLEL_MAX : (unsigned)cores;
}

static void *run(void *argument)
{
    const struct parallel_worker *worker = argument;
    worker->parallel->work(worker->parallel->data, worker->number);
    return NULL;
}

void parallel_begin(struct parallel *parallel, unsigned workers, void (*work)(void *data, unsigned worker), void *data)
{
    *parallel = (struct parallel){ .work = work, .data = data, .workers = workers };
    if (parallel->workers > PARALLEL_MAX)
        parallel->workers = PARALLEL_MAX;
    /* The workers block all signals. So Ctrl-C interrupts the first thread, and what it waits for. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 1; i < parallel->workers; i++) {
        struct parallel_worker *worker = &parallel->others[i];
        *worker = (struct parallel_worker){ .parallel = parallel, .number = i };
        worker->started = pthread_create(&worker->thread, NULL, run, worker) == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void parallel_end(struct parallel *parallel)
{
    parallel->work(parallel->data, 0);
    for (unsigned i = 1; i < parallel->workers; i++) {
        if (parallel->others[i].started)
            pthread_join(parallel->others[i].thread, NULL);
    }
}
