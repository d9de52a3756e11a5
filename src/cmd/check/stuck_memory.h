#pragma once
/*
 * Stores in a file, next to the samples, since when connections have been stuck (stuck_since.h), for the next run of
 * the same command.
 */
#include "cmd/check/stuck_since.h"
#include "base/error.h"

struct stuck_memory {
    const char *directory; /* as for state_file_open() */
    const char *subject;   /* the command with its arguments: each has a file of its own */
    uint64_t began_ms;     /* time before the snapshot */

    /* Set by stuck_memory_recall() */
    bool is_read;
    char boot[STUCK_BOOT_MAX];
    struct stuck_since since;
    struct error err; /* no error if its message is empty */
};

/* Call it before the snapshot. The memory does not copy the strings. Release it with stuck_memory_deinit(). */
void stuck_memory_init(struct stuck_memory *memory, const char *directory, const char *subject);
void stuck_memory_deinit(struct stuck_memory *memory);

/* For inspect_options.recall, with the memory as data. It reads the file only if the snapshot needs it. */
void stuck_memory_recall(struct snapshot *snapshot, void *data);
/*
 * Writes what the next run needs. False if that or the reading before has failed; memory->err has the reason. Then the
 * ages of findings with a reset_count may shrink, although nothing has changed.
 */
bool stuck_memory_keep(struct stuck_memory *memory, const struct diagnosis *diagnosis);
