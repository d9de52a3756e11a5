#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

static int write_all(int fd, const char *bytes, size_t length)
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

/* close() may be where a network's file system says that it could not write. */
static int fill(int fd, const char *bytes, size_t length)
{
    enum { FOR_ALL_TO_READ = 0644 };
    int result = write_all(fd, bytes, length);
    if (result == 0 && (fchmod(fd, FOR_ALL_TO_READ) < 0 || fsync(fd) < 0))
        result = -errno;
    if (close(fd) < 0 && result == 0)
        result = -errno;
    return result;
}

/* The name outlives a crash only when its folder is synced too. A file system that cannot do that is not at fault. */
static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!fsync(fd);
    close(fd);
}

static int replace(const char *folder, const char *path, char *hidden, const char *bytes, size_t length)
{
    int fd = mkostemp(hidden, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = fill(fd, bytes, length);
    if (result == 0 && rename(hidden, path) < 0)
        result = -errno;
    if (result < 0)
        unlink(hidden);
    else
        sync_folder(folder);
    return result;
}

int file_replace(const char *folder, const char *name, const char *bytes, size_t length, struct error *err)
{
    struct buf path = { 0 }, hidden = { 0 };
    buf_printf(&path, "%s/%s", folder, name);
    buf_printf(&hidden, "%s/.%s.XXXXXX", folder, name);
    /* A signal that ends the program waits for this moment to pass, and nothing half done stays behind. */
    sigset_t ending, before;
    sigemptyset(&ending);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, &before);
    int result = replace(folder, path.data, hidden.data, bytes, length);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (result < 0)
        error_set(err, result, path.data, "cannot be written: %s", strerror(-result));
    buf_deinit(&path);
    buf_deinit(&hidden);
    return result;
}
