#pragma once
/*
 * Writes a file so that readers see all of it or nothing. The file has no name while it is written (O_TMPFILE). It gets
 * its name when all data is on the disk. So even SIGKILL leaves no half-written file. Where the file system has no
 * O_TMPFILE, the file has a temporary name in the same folder meanwhile. An existing file is replaced by rename(); for
 * that, a file without a name gets a temporary name first.
 *
 * Signals that would end the process are blocked until the file is complete or dropped. So they leave no temporary name
 * behind. A write fails with -EINTR while such a signal is pending; the signal acts after whole_file_close(). A write
 * beyond the size limit (ulimit -f) fails with -EFBIG instead of ending the process.
 *
 * The folder is held by a descriptor, and links of other users are not followed: see base/place.h. With PLACE_FOLLOW a
 * symbolic link remains, and the file that it names is replaced or made. A pipe or a device (/dev/stdout) is written to
 * directly. With PLACE_STAY the file replaces whatever has its name, also a link: this is for folders of other users.
 * A process may have one whole_file open at a time.
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
    bool is_regular;    /* false: a pipe or a device, which is written to directly */
    char temporary[32]; /* the file's temporary name in the folder; empty: it has none */
    sigset_t signals_before;
    struct sigaction limit_before;
};

/* A new or replaced file gets `mode`; the umask does not change it. Returns 0, or a negative errno with err filled. */
int whole_file_open(struct whole_file *file, const char *path, mode_t mode, enum place_link link, struct error *err);
/* The same for a file in a folder that is open already: as with PLACE_STAY, it replaces whatever has that name. */
int whole_file_open_at(struct whole_file *file, int folder, const char *name, mode_t mode, struct error *err);
/*
 * Gives the file its name. `result` is the caller's result of writing: if it is an error, the file is dropped. Releases
 * everything in either case. Returns 0, or a negative errno with err filled.
 */
int whole_file_close(struct whole_file *file, int result, struct error *err);
