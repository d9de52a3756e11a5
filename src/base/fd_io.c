#include "base/fd_io.h"

#include <errno.h>
#include <unistd.h>

ssize_t fd_read(int fd, void *bytes, size_t size)
{
    for (;;) {
        ssize_t length = read(fd, bytes, size);
        if (length >= 0)
            return length;
        if (errno != EINTR)
            return -errno;
    }
}

int fd_read_all(int fd, size_t most, struct buf *out)
{
    char bytes[4096];
    for (size_t total = 0; total <= most;) {
        ssize_t length = fd_read(fd, bytes, sizeof bytes);
        if (length <= 0)
            return (int)length;
        total += (size_t)length;
        if (total <= most)
            buf_add(out, bytes, (size_t)length);
    }
    return -EFBIG;
}

int fd_write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}
