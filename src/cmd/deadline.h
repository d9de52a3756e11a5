#pragma once
/*
 * Ends a command that does not finish in time, whatever it waits for. It says on one line what the command had read and
 * what it was waiting for.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct deadline {
    pthread_mutex_t lock;
    pthread_cond_t answered_now;
    pthread_t thread;
    struct timespec end; /* CLOCK_MONOTONIC */
    bool is_running, answered;
    int fd;          /* where the line goes */
    int status;      /* the exit status in that case */
    char words[160]; /* the line's beginning; what was read and what was waited for follows */
};

/*
 * Starts the clock. `deadline` is zero but for fd, status and words, and must stay where it is until the answer.
 * Returns 0 or a negative errno.
 */
int deadline_begin(struct deadline *deadline, uint64_t ms);
/*
 * Call it before answering; the deadline is then off. If the time has just run out, it does not return: the program
 * ends. Without a deadline that runs it does nothing.
 */
void deadline_answer(struct deadline *deadline);
