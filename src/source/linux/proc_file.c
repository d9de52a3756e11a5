#include "source/linux/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd_io.h"

ssize_t proc_read(int at, const char *path, char *buffer, size_t size)
{
    buffer[0] = '\0';
    int fd = openat(at, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t length = 0;
    ssize_t result = 0;
    while (length + 1 < size) {
        result = fd_read(fd, buffer + length, size - 1 - length);
        if (result <= 0)
            break;
        length += (size_t)result;
    }
    close(fd);
    buffer[length] = '\0';
    return result < 0 && length == 0 ? result : (ssize_t)length;
}
