#pragma once
/* An end to a command that has to answer in time, whatever it waits for. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct deadline {
    atomic_bool answered; /* whoever sets it is the one to answer */
    uint64_t ms;
    const char *words; /* what is said when the time is over: a whole line */
    int status;        /* and the exit status then */
};

/* Starts the clock. The deadline, with its words, must live as long as the program. Returns 0 or a negative errno. */
int deadline_begin(struct deadline *deadline);
/* Before answering: the time does not matter any more. Does not return where it has just run out. */
void deadline_answer(struct deadline *deadline);
