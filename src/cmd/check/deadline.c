/*
 * A separate thread watches the time. It can end the program while the first thread waits in a system call that a
 * signal does not interrupt. And it needs no global variable, as a signal handler would.
 */
#include "cmd/check/deadline.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd_io.h"

static void *watch_time(void *argument)
{
    struct deadline *deadline = argument;
    clock_sleep_ms(deadline->ms);
    if (atomic_exchange(&deadline->answered, true))
        return NULL;
    (void)fd_write_all(STDOUT_FILENO, deadline->words, strlen(deadline->words));
    _exit(deadline->status);
}

int deadline_begin(struct deadline *deadline)
{
    /* The signals are for the first thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int result = pthread_create(&thread, NULL, watch_time, deadline);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result == 0)
        pthread_detach(thread);
    return -result;
}

void deadline_answer(struct deadline *deadline)
{
    while (atomic_exchange(&deadline->answered, true))
        pause();
}
