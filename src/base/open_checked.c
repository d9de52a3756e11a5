#include "base/open_checked.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static bool is_terminal(dev_t device)
{
    enum { SLAVES = 8 }; /* majors of pseudo-terminals: include/uapi/linux/major.h */
    unsigned major = gnu_dev_major(device);
    return major == TTY_MAJOR || major == TTYAUX_MAJOR ||
        (major >= UNIX98_PTY_SLAVE_MAJOR && major < UNIX98_PTY_SLAVE_MAJOR + SLAVES);
}

static unsigned kind_of(const struct stat *status)
{
    if (S_ISREG(status->st_mode))
        return OPEN_FILE;
    if (S_ISFIFO(status->st_mode))
        return OPEN_PIPE;
    if (S_ISCHR(status->st_mode) && status->st_rdev == makedev(MEM_MAJOR, 3)) /* /dev/null */
        return OPEN_FILE;
    return S_ISCHR(status->st_mode) && is_terminal(status->st_rdev) ? OPEN_TERMINAL : 0;
}

static int check(const struct stat *status, unsigned kinds)
{
    if (S_ISLNK(status->st_mode))
        return -ELOOP;
    if (S_ISDIR(status->st_mode))
        return -EISDIR;
    return (kind_of(status) & kinds) != 0 ? 0 : -ENODEV;
}

/* Opens what `found` refers to. Without /proc that needs its name again, and the file must still be the same. */
static int open_found(int found, int folder, const char *name, int follow, const struct stat *status)
{
    enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY };
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", found);
    int fd = open(link, FLAGS);
    if (fd >= 0)
        return fd;
    int result = -errno;
    if (result != -ENOENT || access("/proc/self", F_OK) == 0)
        return result;
    fd = openat(folder, name, FLAGS | O_NONBLOCK | follow);
    if (fd < 0)
        return -errno;
    struct stat now;
    if (fstat(fd, &now) == 0 && now.st_dev == status->st_dev && now.st_ino == status->st_ino)
        return fd;
    close(fd);
    return -ENOENT;
}

static int open_it(int folder, const char *name, unsigned kinds, int follow)
{
    int found = openat(folder, name, O_PATH | O_CLOEXEC | follow);
    if (found < 0)
        return -errno;
    struct stat status;
    int result = fstat(found, &status) < 0 ? -errno : check(&status, kinds);
    if (result == 0)
        result = open_found(found, folder, name, follow, &status);
    close(found);
    return result;
}

int open_checked(const char *path, unsigned kinds)
{
    return open_it(AT_FDCWD, path, kinds, 0);
}

int open_checked_at(int folder, const char *name, unsigned kinds)
{
    return open_it(folder, name, kinds, O_NOFOLLOW);
}
