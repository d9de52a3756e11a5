/*
 * A separate thread watches the time. It can end the program while the first thread waits in a system call that a
 * signal does not interrupt. And it needs no global variable, as a signal handler would.
 */
#include "cmd/deadline.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd_io.h"
#include "base/progress.h"

/* Allocates nothing: the first thread may hold the allocator's lock. */
static _Noreturn void end_program(const struct deadline *deadline)
{
    char line[640];
    snprintf(line, sizeof line - 1, "%s: ", deadline->words);
    progress_describe(line, sizeof line - 1);
    size_t length = strlen(line);
    line[length] = '\n';
    (void)fd_write_all(deadline->fd, line, length + 1);
    _exit(deadline->status);
}

static void *watch_time(void *argument)
{
    struct deadline *deadline = argument;
    pthread_mutex_lock(&deadline->lock);
    int result = 0;
    while (!deadline->answered && result != ETIMEDOUT)
        result = pthread_cond_clockwait(&deadline->answered_now, &deadline->lock, CLOCK_MONOTONIC, &deadline->end);
    if (!deadline->answered)
        end_program(deadline); /* with the lock: deadline_answer() does not return any more */
    pthread_mutex_unlock(&deadline->lock);
    return NULL;
}

int deadline_begin(struct deadline *deadline, uint64_t ms)
{
    enum { MS = 1000, NS_OF_MS = 1000000, NS = 1000000000 };
    clock_gettime(CLOCK_MONOTONIC, &deadline->end);
    deadline->end.tv_sec += (time_t)(ms / MS);
    deadline->end.tv_nsec += (long)(ms % MS * NS_OF_MS);
    deadline->end.tv_sec += deadline->end.tv_nsec / NS;
    deadline->end.tv_nsec %= NS;
    pthread_mutex_init(&deadline->lock, NULL);
    pthread_cond_init(&deadline->answered_now, NULL);
    /* The signals are for the first thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&deadline->thread, NULL, watch_time, deadline);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    deadline->is_running = result == 0;
    return -result;
}

void deadline_answer(struct deadline *deadline)
{
    if (!deadline->is_running)
        return;
    pthread_mutex_lock(&deadline->lock);
    deadline->answered = true;
    pthread_cond_signal(&deadline->answered_now);
    pthread_mutex_unlock(&deadline->lock);
    pthread_join(deadline->thread, NULL);
    deadline->is_running = false;
    pthread_mutex_destroy(&deadline->lock);
    pthread_cond_destroy(&deadline->answered_now);
}
