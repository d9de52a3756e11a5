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

#include "base/atomic_file.h"
#include "base/fd_io.h"
#include "base/hash.h"
#include "base/open_checked.h"
#include "base/place.h"

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

/*
 * Makes one directory. An existing one is no error: check_directory() checks its owner and mode. A parent may belong to
 * another user, who may swap names in it: so links of others are not followed (base/place.h).
 */
static int make_directory(const char *path, bool *ret_foreign)
{
    enum { OWNER_ONLY = 0700 };
    struct place place;
    int result = place_find(&place, path, PLACE_STAY, ret_foreign);
    if (result == -EISDIR) /* "." and ".." exist */
        result = 0;
    else if (result == 0 && mkdirat(place.folder, place.name, OWNER_ONLY) < 0 && errno != EEXIST)
        result = -errno;
    place_deinit(&place);
    return result;
}

/* Makes the directory and its parents, if they are missing. */
static int make_directories(char *path, bool *ret_foreign)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool is_component = slash[-1] != '/' && slash[1] != '\0';
        int result = is_component && access(path, F_OK) < 0 ? make_directory(path, ret_foreign) : 0;
        *slash = '/';
        if (result < 0)
            return result;
    }
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
    return make_directory(path, ret_foreign);
}

static int check_directory(int directory, const char *path, struct error *err)
{
    struct stat info;
    if (fstat(directory, &info) < 0)
        return error_set(err, -errno, path, "cannot be opened: %s", strerror(errno));
    const char *why = info.st_uid != geteuid()      ? "belongs to another user"
        : (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "may be written by others"
                                                    : NULL;
    if (why == NULL)
        return 0;
    return error_set(err, -EPERM, path, "%s: samples are kept in a directory of one's own (--samples)", why);
}

static int open_directory(const char *path, int *ret_directory, struct error *err)
{
    struct place place;
    bool foreign = false;
    int directory = place_find(&place, path, PLACE_STAY, &foreign);
    if (directory == 0)
        directory = openat(place.folder, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    else if (directory == -EISDIR) /* "." or ".." */
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory == -1)
        directory = -errno;
    place_deinit(&place);
    if (directory == -ENOTDIR || directory == -ELOOP)
        return error_set(err, directory, path, "is a symbolic link or no directory, and not followed: remove it");
    if (directory < 0)
        return error_set(err, directory, path, "cannot be opened: %s", strerror(-directory));
    int result = check_directory(directory, path, err);
    if (result < 0)
        close(directory);
    else
        *ret_directory = directory;
    return result;
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
        bool foreign = false;
        result = make_directories(path.data, &foreign);
        if (result < 0)
            error_set(err, result, path.data, "cannot be made: %s; name a directory for samples by --samples",
                foreign ? "a symbolic link of another user is not followed" : strerror(-result));
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
    int fd = open_checked_at(state->directory, state->name, OPEN_FILE);
    if (fd == -ENOENT)
        return -ENOENT;
    if (fd == -ELOOP)
        return error_set(err, fd, state->path, "is a symbolic link, and not followed: remove it");
    if (fd == -EISDIR || fd == -ENODEV)
        return error_set(err, -EPERM, state->path, "is no regular file: remove it");
    if (fd < 0)
        return error_set(err, fd, state->path, "cannot be opened: %s", strerror(-fd));
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
    struct whole_file file;
    int result = whole_file_open_at(&file, state->directory, state->name, OWNER_ONLY, err);
    if (result == 0) {
        errno = 0;
        bool is_written = fwrite(bytes, 1, length, file.out) == length && fflush(file.out) == 0;
        result = whole_file_close(&file, is_written ? 0 : errno != 0 ? -errno : -EIO, err);
    }
    if (result < 0)
        error_set(err, result, state->path, "cannot be written: %s", strerror(-result));
    return result;
}
