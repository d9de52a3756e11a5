#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as many as the kernel follows: MAXSYMLINKS in include/linux/namei.h */

struct walk {
    int at;
    enum place_link link;
    unsigned links;
    bool foreign;
    char rest[2 * PATH_MAX]; /* the components that are not resolved yet */
};

static bool is_trusted(uid_t owner)
{
    return owner == 0 || owner == geteuid();
}

static bool is_in_proc(int folder)
{
    struct statfs status;
    return fstatfs(folder, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

/* Removes the first component from the rest. Returns 1, 0 at the end, or a negative errno. */
static int next_component(struct walk *walk, char *name, size_t size, bool *ret_last)
{
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(start, "/");
    if (length == 0)
        return 0;
    if (length >= size)
        return -ENAMETOOLONG;
    memcpy(name, start, length);
    name[length] = '\0';
    const char *after = start + length;
    *ret_last = *after == '\0';
    memmove(walk->rest, after, strlen(after) + 1);
    return 1;
}

static int step_into(struct walk *walk, const char *name, int flags)
{
    int folder = openat(walk->at, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
    if (folder < 0)
        return -errno;
    close(walk->at);
    walk->at = folder;
    return 0;
}

/* Puts the link's target in front of the rest. */
static int follow(struct walk *walk, const char *name)
{
    if (++walk->links > LINKS_MAX)
        return -ELOOP;
    char path[sizeof walk->rest];
    ssize_t length = readlinkat(walk->at, name, path, PATH_MAX);
    if (length < 0)
        return -errno;
    size_t left = strlen(walk->rest);
    if (length == PATH_MAX || (size_t)length + left >= sizeof walk->rest)
        return -ENAMETOOLONG;
    memcpy(path + length, walk->rest, left + 1);
    memcpy(walk->rest, path, (size_t)length + left + 1);
    return *path == '/' ? step_into(walk, "/", 0) : 0;
}

/* Returns 1 if `name` is the place, 0 to continue, or a negative errno. */
static int take_step(struct walk *walk, const char *name, bool last)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return last ? -EISDIR : step_into(walk, name, 0);
    struct stat status;
    if (fstatat(walk->at, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return last && errno == ENOENT ? 1 : -errno;
    if (!S_ISLNK(status.st_mode))
        return last ? 1 : step_into(walk, name, O_NOFOLLOW);
    if (last && walk->link == PLACE_STAY)
        return 1;
    if (is_in_proc(walk->at))
        return last ? 1 : step_into(walk, name, 0);
    walk->foreign = !is_trusted(status.st_uid);
    return walk->foreign ? -ELOOP : follow(walk, name);
}

int place_find(struct place *place, const char *path, enum place_link link, bool *ret_foreign)
{
    *place = (struct place){ .folder = -1 };
    *ret_foreign = false;
    struct walk walk = { .link = link };
    size_t length = strlen(path);
    if (length == 0)
        return -ENOENT;
    if (length >= PATH_MAX)
        return -ENAMETOOLONG;
    if (path[length - 1] == '/')
        return -EISDIR;
    memcpy(walk.rest, path, length + 1);
    walk.at = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = walk.at < 0 ? -errno : 0;
    while (result == 0) {
        bool last = false;
        result = next_component(&walk, place->name, sizeof place->name, &last);
        if (result > 0)
            result = take_step(&walk, place->name, last);
        else if (result == 0)
            result = -EISDIR; /* a link to a folder */
    }
    *ret_foreign = walk.foreign;
    place->folder = walk.at;
    return result < 0 ? result : 0;
}

void place_deinit(struct place *place)
{
    if (place->folder >= 0)
        close(place->folder);
    place->folder = -1;
}

int place_open(const struct place *place)
{
    if (is_in_proc(place->folder)) {
        int fd = openat(place->folder, place->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : fd;
    }
    int seen = openat(place->folder, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (seen < 0)
        return -errno;
    struct stat status;
    int result = fstat(seen, &status) < 0 ? -errno : 0;
    if (result == 0 && !is_trusted(status.st_uid))
        result = -EPERM;
    if (result == 0) {
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", seen);
        result = open(link, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (result < 0)
            result = -errno;
    }
    close(seen);
    return result;
}
