#pragma once
/*
 * What keeps a process from acting on its sockets: it is stopped, traced, frozen, stuck in the kernel, out of
 * descriptors. Each obstacle has its own remedy, and most of the usual advice fails on it: see the table in obstacle.c.
 */
#include <stdbool.h>

#include "model/diagnosis.h"

enum obstacle {
    OBSTACLE_NONE,
    OBSTACLE_STOPPED,     /* state T */
    OBSTACLE_TRACED,      /* state t: it waits for its tracer */
    OBSTACLE_ZOMBIE,      /* state Z */
    OBSTACLE_FROZEN,      /* by its control group */
    OBSTACLE_KERNEL,      /* state D: every thread waits inside the kernel, and no signal reaches it */
    OBSTACLE_DESCRIPTORS, /* none is left: accept() fails with EMFILE */
    OBSTACLE_BUSY,        /* it runs, but no thread waits for its sockets */
    OBSTACLE_COUNT,
};

/* What keeps it from reading, writing and closing. NULL: nothing is known of it. */
enum obstacle obstacle_of(const struct process *process);
/* The same for accept(), which also needs a descriptor. */
enum obstacle obstacle_to_accept(const struct process *process);
/* It cannot act at all, whatever comes to its sockets. */
bool obstacle_is_halt(enum obstacle obstacle);

/* "is stopped (state T: SIGSTOP, or Ctrl-Z) and cannot act until it is continued"; NULL for none. */
const char *obstacle_text(struct arena *arena, const struct process *process, enum obstacle obstacle);
/* What frees such a process, in a few words: "continue it"; NULL where nothing can be said so shortly. */
const char *obstacle_action(enum obstacle obstacle);
/* For a title, before another verb: "is stopped and "; "" where the title would not become clearer by it. */
const char *obstacle_title(enum obstacle obstacle);

/*
 * Adds what removes the obstacle of these processes, all of them in one command; nothing but true for those of them
 * that have it. False where there is no such remedy.
 */
bool obstacle_fix(struct arena *arena, const struct snapshot *snapshot, const struct process_count *processes,
    size_t count, enum obstacle obstacle, struct fixes *fixes);

/* Adds how to see where the threads of these processes are, before anybody restarts them. */
void obstacle_keep_evidence(struct arena *arena, const struct snapshot *snapshot, const struct process_count *processes,
    size_t count, struct fixes *fixes);

/* Adds how to end a process that has an obstacle; false where its usual way works. */
bool obstacle_fix_end(struct arena *arena, const struct process *process, struct fixes *fixes);
