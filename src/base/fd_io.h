#pragma once
/* Reads and writes descriptors, and continues after a signal (EINTR). Errors are returned as a negative errno. */
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

/* One read() of at most `size` bytes. Returns the number of bytes; 0 at the end. */
ssize_t fd_read(int fd, void *bytes, size_t size);
/* Reads until the end and appends to `out`. Returns -EFBIG if there are more than `most` bytes. */
int fd_read_all(int fd, size_t most, struct buf *out);
int fd_write_all(int fd, const char *bytes, size_t length);
