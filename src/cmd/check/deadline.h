#pragma once
/* Ends a command that does not answer in time, whatever it waits for. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct deadline {
    atomic_bool answered; /* the thread that sets it first answers */
    uint64_t ms;
    const char *words; /* the line that is printed when the time is over */
    int status;        /* the exit status in that case */
};

/* Starts the clock. The deadline and its text must live as long as the program. Returns 0 or a negative errno. */
int deadline_begin(struct deadline *deadline);
/*
 * Call it before answering; the deadline is then off. If the time has just run out, it does not return: the program
 * ends.
 */
void deadline_answer(struct deadline *deadline);
