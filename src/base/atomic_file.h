#pragma once
/*
 * A file that is there as a whole or not at all. It is written without a name (O_TMPFILE) and gets its own when
 * everything is on the disk, so that nothing can leave half of it, SIGKILL included. Where the file system cannot do
 * that it has another name beside its place until then; a file that is there already is replaced by way of such a name,
 * too, within two system calls.
 *
 * Signals that would end the process wait until the file is there or dropped, so that they leave no such name: a write
 * that finds one waiting fails with -EINTR, and the process dies of it afterwards. Beyond the limit for files (ulimit
 * -f) a write fails instead.
 *
 * The folder is held by a descriptor, and nothing is written through what others put there: see base/place.h. With
 * PLACE_FOLLOW a symbolic link stays one, the file that it names is replaced or made, and what is no regular file (a
 * pipe, /dev/stdout) is written to as it is. With PLACE_STAY whatever stands there gives way to the file, for folders
 * of other users. One at a time in a process.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/place.h"

struct whole_file {
    FILE *out; /* to write to */
    FILE *disk;
    struct place place;
    bool is_regular;    /* else it is written to as it is */
    char temporary[32]; /* its name in the folder until it is there; empty: it has none */
    sigset_t signals_before;
    struct sigaction limit_before;
};

/* Of a new or replaced file, the mode is that of chmod(). Returns 0, or a negative errno with err filled. */
int whole_file_open(struct whole_file *file, const char *path, mode_t mode, enum place_link link, struct error *err);
/*
 * Puts it in its place, unless `result`, that of writing it, is an error: then it is dropped, and err says why, too. In
 * either case nothing is left to release. Returns 0 or a negative errno.
 */
int whole_file_close(struct whole_file *file, int result, struct error *err);
