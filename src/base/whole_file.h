#pragma once
/*
 * A file that is there as a whole or not at all: it is written under another name beside its place and takes that when
 * everything is on the disk. Until then SIGINT, SIGTERM, SIGHUP and SIGQUIT wait, so that they, too, leave nothing: a
 * write that finds one waiting fails with -EINTR, and the process dies of it when the file has been dropped.
 *
 * What is no regular file (a pipe, /dev/stdout) is written to as it is. One at a time in a process.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"

struct whole_file {
    FILE *out; /* to write to */
    FILE *disk;
    char *path;      /* its place */
    char *temporary; /* NULL: it is written to as it is */
    sigset_t signals_before;
};

enum whole_file_link {
    WHOLE_FILE_FOLLOW,  /* a symbolic link stays one, and the file that it names is replaced */
    WHOLE_FILE_REPLACE, /* it gives way: where others may put one into the folder */
};

/* Of a new or replaced file, the mode is that of chmod(). Returns 0, or a negative errno with err filled. */
int whole_file_open(
    struct whole_file *file, const char *path, mode_t mode, enum whole_file_link link, struct error *err);
/*
 * Puts it in its place, unless `result`, that of writing it, is an error: then it is dropped, and err says why, too. In
 * either case nothing is left to release. Returns 0 or a negative errno.
 */
int whole_file_close(struct whole_file *file, int result, struct error *err);
