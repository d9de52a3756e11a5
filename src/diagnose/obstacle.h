#pragma once
/*
 * What keeps a process from acting on its sockets. Each obstacle has its own remedy, and most of the usual advice does
 * not help: see the table in obstacle.c.
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

/* What keeps the process from reading, writing and closing. OBSTACLE_NONE if the process is NULL or little is known. */
enum obstacle obstacle_of(const struct process *process);
/* What keeps the process from accept(), which also needs a free descriptor. */
enum obstacle obstacle_to_accept(const struct process *process);
/* True if the process cannot act at all, whatever arrives at its sockets. */
bool obstacle_is_halt(enum obstacle obstacle);

/* "is stopped (state T: SIGSTOP, or Ctrl-Z) and cannot act until it is continued"; NULL for OBSTACLE_NONE. */
const char *obstacle_text(struct arena *arena, const struct process *process, enum obstacle obstacle);
/* What frees such a process, in a few words: "continue it"; NULL if there is no short answer. */
const char *obstacle_action(enum obstacle obstacle);
/* For a title, before another verb: "is stopped and "; "" if that would not make the title clearer. */
const char *obstacle_title(enum obstacle obstacle);

/*
 * Adds a fix that removes this obstacle. For stopped processes, one command continues all of them. For any other
 * obstacle, the command is about the first of the processes that has it. Returns false if none of them has it, or if
 * there is no such fix.
 */
bool obstacle_fix(struct arena *arena, const struct snapshot *snapshot, const struct process_count *processes,
    size_t count, enum obstacle obstacle, struct fixes *fixes);

/* Adds a command that shows where the threads of these processes wait, to be run before a restart. */
void obstacle_keep_evidence(struct arena *arena, const struct snapshot *snapshot, const struct process_count *processes,
    size_t count, struct fixes *fixes);

/* Adds how to end a process that has an obstacle. Returns false if the usual way works. */
bool obstacle_fix_end(struct arena *arena, const struct process *process, struct fixes *fixes);
