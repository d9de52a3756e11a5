#pragma once
/* The file, beside the samples, in which stuck_since.h is kept between two runs of the same command. */
#include "cmd/check/stuck_since.h"
#include "base/error.h"

struct stuck_memory {
    const char *directory; /* as for state_file_open() */
    const char *subject;   /* the command, and what it was asked: each has a file of its own */
    uint64_t began_ms;     /* before the snapshot was taken */

    /* Set by stuck_memory_recall() */
    bool is_read;
    char boot[STUCK_BOOT_MAX];
    struct stuck_since since;
    struct error err; /* message empty: nothing failed */
};

/* Call it before the host is looked at. Both strings are kept. Release with stuck_memory_deinit(). */
void stuck_memory_init(struct stuck_memory *memory, const char *directory, const char *subject);
void stuck_memory_deinit(struct stuck_memory *memory);

/* For inspect_options.recall, with the memory as data. No file is looked at where nothing has to be known. */
void stuck_memory_recall(struct snapshot *snapshot, void *data);
/*
 * Keeps what the next run will need. False where that, or the reading before, failed: memory->err says why. Then the
 * ages of findings with a reset_count may shrink, although nothing has changed.
 */
bool stuck_memory_keep(struct stuck_memory *memory, const struct diagnosis *diagnosis);
