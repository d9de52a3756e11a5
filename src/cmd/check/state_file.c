#include "cmd/check/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd_io.h"
#include "base/hash.h"

/* --- the directory ---------------------------------------------------------------------------------------------- */

static const char *home(void)
{
    const char *named = getenv("HOME");
    if (named != NULL && *named == '/')
        return named;
    const struct passwd *user = getpwuid(geteuid()); /* a monitoring daemon may have no environment */
    return user != NULL ? user->pw_dir : NULL;
}

static int default_directory(struct buf *out, struct error *err)
{
    const char *state = getenv("XDG_STATE_HOME"); /* XDG Base Directory Specification: a relative path is ignored */
    if (state != NULL && *state == '/') {
        buf_printf(out, "%s/tcpwhy", state);
    } else if (geteuid() == 0) {
        buf_str(out, "/var/lib/tcpwhy");
    } else if (home() != NULL) {
        buf_printf(out, "%s/.local/state/tcpwhy", home());
    } else {
        return error_set(err, -ENOENT, "HOME", "is not set: there is no place to keep samples; name one by --samples");
    }
    return 0;
}

/* Creates the directory and its parents. An existing one is no error: open_directory() checks its owner and mode. */
static int make_directories(char *path)
{
    enum { OWNER_ONLY = 0700 };
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int result = mkdir(path, OWNER_ONLY) < 0 && errno != EEXIST ? -errno : 0;
        *slash = '/';
        if (result < 0)
            return result;
    }
    return mkdir(path, OWNER_ONLY) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_directory(const char *path, int *ret_directory, struct error *err)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0 && (errno == ENOTDIR || errno == ELOOP))
        return error_set(err, -errno, path, "is a symbolic link or no directory, and not followed: remove it");
    struct stat info;
    if (directory < 0 || fstat(directory, &info) < 0) {
        int result = error_set(err, -errno, path, "cannot be opened: %s", strerror(errno));
        if (directory >= 0)
            close(directory);
        return result;
    }
    const char *why = info.st_uid != geteuid()      ? "belongs to another user"
        : (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "may be written by others"
                                                    : NULL;
    if (why != NULL) {
        close(directory);
        return error_set(err, -EPERM, path, "%s: samples are kept in a directory of one's own (--samples)", why);
    }
    *ret_directory = directory;
    return 0;
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0;
    for (; *text != '\0'; text++)
        hash = hash_mix(hash ^ (unsigned char)*text);
    return hash;
}

int state_file_open(struct state_file *state, const char *directory, const char *subject, struct error *err)
{
    *state = (struct state_file){ .directory = -1 };
    struct buf path = { 0 };
    int result = 0;
    if (directory != NULL)
        buf_str(&path, directory);
    else
        result = default_directory(&path, err);
    if (result == 0 && path.data != NULL) {
        result = make_directories(path.data);
        if (result < 0)
            error_set(err, result, path.data, "cannot be made: %s; name a directory for samples by --samples",
                strerror(-result));
    }
    if (result == 0)
        result = open_directory(buf_text(&path), &state->directory, err);
    if (result == 0) {
        snprintf(state->name, sizeof state->name, "check-%016" PRIx64, hash_of(subject));
        snprintf(state->path, sizeof state->path, "%s/%s", path.data, state->name);
    }
    buf_deinit(&path);
    return result;
}

void state_file_close(struct state_file *state)
{
    if (state->directory >= 0)
        close(state->directory);
    state->directory = -1;
}

/* --- the file --------------------------------------------------------------------------------------------------- */

static int check_file(const struct state_file *state, int fd, size_t most, struct error *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return error_set(err, -errno, state->path, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return error_set(err, -EPERM, state->path, "is no regular file: remove it");
    if (info.st_uid != geteuid() || info.st_nlink != 1 || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error_set(err, -EPERM, state->path, "is not this user's alone: remove it");
    if (info.st_size > (off_t)most)
        return error_set(err, -EFBIG, state->path, "is larger than anything that is kept here");
    return 0;
}

int state_file_read(const struct state_file *state, size_t most, struct buf *out, struct error *err)
{
    /* O_NONBLOCK: somebody may have put a pipe here. */
    int fd = openat(state->directory, state->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return -ENOENT;
    if (fd < 0 && errno == ELOOP)
        return error_set(err, -ELOOP, state->path, "is a symbolic link, and not followed: remove it");
    if (fd < 0)
        return error_set(err, -errno, state->path, "cannot be opened: %s", strerror(errno));
    int result = check_file(state, fd, most, err);
    if (result == 0) {
        result = fd_read_all(fd, most, out);
        if (result < 0)
            error_set(err, result, state->path, "cannot be read: %s", strerror(-result));
    }
    close(fd);
    return result;
}

int state_file_write(const struct state_file *state, const char *bytes, size_t length, struct error *err)
{
    enum { OWNER_ONLY = 0600 };
    char name[sizeof state->name + 16];
    snprintf(name, sizeof name, "%s.%d", state->name, getpid());
    unlinkat(state->directory, name, 0); /* left by a process that was killed and had the same pid */
    int fd = openat(state->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OWNER_ONLY);
    int result = fd < 0 ? -errno : fd_write_all(fd, bytes, length);
    if (result == 0 && fsync(fd) < 0)
        result = -errno;
    if (fd >= 0 && close(fd) < 0 && result == 0)
        result = -errno;
    if (result == 0 && renameat(state->directory, name, state->directory, state->name) < 0)
        result = -errno;
    if (result < 0) {
        unlinkat(state->directory, name, 0);
        error_set(err, result, state->path, "cannot be written: %s", strerror(-result));
    }
    return result;
}
