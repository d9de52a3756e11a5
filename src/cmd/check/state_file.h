#pragma once
/*
 * A small file that a command writes in one run and reads in the next. Its directory belongs to the caller alone. A
 * directory or file is refused if it belongs to somebody else, if others may write to it, or if it is a symbolic link.
 * A file is replaced as a whole.
 */
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

struct state_file {
    int directory;  /* open descriptor */
    char name[32];  /* of the file in the directory */
    char path[128]; /* of the file, for messages; may be cut */
};

/*
 * Opens the directory and creates it if necessary. If `directory` is NULL, it is $XDG_STATE_HOME/tcpwhy; else
 * /var/lib/tcpwhy for root and ~/.local/state/tcpwhy for others. The name of the file is a hash of the subject. Returns
 * 0, or a negative errno with err filled.
 */
int state_file_open(struct state_file *state, const char *directory, const char *subject, struct error *err);
void state_file_close(struct state_file *state);

/*
 * Appends the content of the file. Returns 0; -ENOENT if there is no file; -EFBIG with err filled if it has more than
 * `most` bytes; or another negative errno with err filled.
 */
int state_file_read(const struct state_file *state, size_t most, struct buf *out, struct error *err);
int state_file_write(const struct state_file *state, const char *bytes, size_t length, struct error *err);
