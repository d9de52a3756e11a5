#pragma once
/*
 * A small file that a command keeps between two runs, in a directory that is the caller's alone. What belongs to
 * somebody else, may be written by others or is a symbolic link is refused, not followed; a file is replaced as a
 * whole.
 */
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

struct state_file {
    int directory;  /* descriptor */
    char name[32];  /* of the file in it */
    char path[128]; /* of both, for words; may be cut */
};

/*
 * Opens, or makes, the directory: this one, or where NULL $XDG_STATE_HOME/tcpwhy, /var/lib/tcpwhy for root, and
 * ~/.local/state/tcpwhy for others. The subject gives the file its name. Returns 0, or a negative errno with err
 * filled.
 */
int state_file_open(struct state_file *keep, const char *directory, const char *subject, struct error *err);
void state_file_close(struct state_file *keep);

/* Appends the file's bytes, at most `most`. Returns 0, -ENOENT where there is none yet, or another negative errno. */
int state_file_read(const struct state_file *keep, size_t most, struct buf *out, struct error *err);
int state_file_write(const struct state_file *keep, const char *bytes, size_t length, struct error *err);
