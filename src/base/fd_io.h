#pragma once
/* Reading from descriptors and writing to them, also where a signal comes in between. Errors are a negative errno. */
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

/* What is there now, at most `size` bytes; 0 at the end. */
ssize_t fd_read(int fd, void *bytes, size_t size);
/* Until the end. Appends to `out`. -EFBIG where it is more than `most` bytes. */
int fd_read_all(int fd, size_t most, struct buf *out);
int fd_write_all(int fd, const char *bytes, size_t length);
