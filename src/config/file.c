/* Finds the configuration files, checks their owner and type, and reads them. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd_io.h"
#include "base/open_checked.h"
#include "base/place.h"
#include "base/progress.h"
#include "config/config.h"

const char config_system_file[] = "/etc/tcpwhy.conf";

bool config_user_file(struct buf *out)
{
    const char *folder = getenv("XDG_CONFIG_HOME"); /* XDG Base Directory Specification: a relative path is ignored */
    if (folder != NULL && *folder == '/') {
        buf_printf(out, "%s/tcpwhy.conf", folder);
        return true;
    }
    const char *home = getenv("HOME");
    if (home == NULL || *home != '/') {
        const struct passwd *user = getpwuid(geteuid());
        home = user != NULL ? user->pw_dir : NULL;
    }
    if (home == NULL)
        return false;
    buf_printf(out, "%s/.config/tcpwhy.conf", home);
    return true;
}

/*
 * A policy decides what is healthy. So a file that the user did not name must belong to root or to the caller. With
 * sudo HOME may still be that of another user.
 */
static int check_file(const struct stat *info, const char *path, bool named, struct error *err)
{
    if (info->st_size > CONFIG_BYTES_MAX)
        return error_set(err, -EFBIG, path, "is larger than any configuration: at most %d kB", CONFIG_BYTES_MAX >> 10);
    if (!named && info->st_uid != 0 && info->st_uid != geteuid())
        return error_set(err, -EPERM, path, "belongs to another user; name it by --config if it is meant");
    if (!named && (info->st_mode & S_IWOTH) != 0)
        return error_set(err, -EPERM, path, "may be written by everybody: chmod o-w, or name it by --config");
    return 0;
}

/*
 * A folder that the caller may not enter counts as absent: it is another user's $HOME, which "setpriv" and "sudo -u"
 * leave unchanged. A file that the caller may not read is an error: somebody put it there to be read.
 */
static bool is_absent(const char *path, int error)
{
    bool is_unseen = error == EACCES || error == ELOOP; /* ELOOP: a link that is not followed; it may lead nowhere */
    return error == ENOENT || error == ENOTDIR || (is_unseen && faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) < 0);
}

/*
 * Opens a file that the user did not name. No link of another user is followed: his $HOME may still be set, and his
 * link could lead to a file that only root can read. Returns a descriptor or a negative errno.
 */
static int open_unnamed(const char *path, bool *ret_foreign)
{
    struct place place;
    int fd = place_find(&place, path, PLACE_FOLLOW, ret_foreign);
    if (fd == 0)
        fd = open_checked_at(place.folder, place.name, OPEN_FILE);
    place_deinit(&place);
    return fd;
}

static int fail_to_open(const char *path, int result, bool foreign, struct error *err)
{
    if (foreign)
        return error_set(
            err, result, path, "is behind a symbolic link of another user, which is not followed; name it by --config");
    if (result == -EISDIR || result == -ENODEV)
        return error_set(err, -EINVAL, path, "is no regular file");
    return error_set(err, result, path, "cannot be read: %s", strerror(-result));
}

static int read_file(const char *path, bool named, struct buf *out, struct error *err)
{
    bool foreign = false;
    progress_begin("reading", path);
    int fd = named ? open_checked(path, OPEN_FILE) : open_unnamed(path, &foreign);
    if (fd < 0 && !named && is_absent(path, -fd))
        return -ENOENT;
    if (fd < 0)
        return fail_to_open(path, fd, foreign, err);
    struct stat info;
    int result = fstat(fd, &info) < 0 ? fail_to_open(path, -errno, false, err) : check_file(&info, path, named, err);
    if (result == 0) {
        result = fd_read_all(fd, CONFIG_BYTES_MAX, out);
        if (result < 0)
            error_set(err, result, path, "cannot be read: %s", strerror(-result));
    }
    close(fd);
    return result;
}

static int read_one(
    const char *path, bool named, const struct config_findings *findings, struct policy *policy, struct error *err)
{
    struct buf text = { 0 };
    int result = read_file(path, named, &text, err);
    if (result == 0)
        result = config_parse(buf_text(&text), text.length, path, findings, policy, err);
    else if (result == -ENOENT && !named)
        result = 0;
    buf_deinit(&text);
    return result;
}

int config_read(const char *file, const struct config_findings *findings, struct policy *policy, struct error *err)
{
    if (file != NULL)
        return read_one(file, true, findings, policy, err);
    int result = read_one(config_system_file, false, findings, policy, err);
    struct buf own = { 0 };
    if (result == 0 && config_user_file(&own))
        result = read_one(buf_text(&own), false, findings, policy, err);
    buf_deinit(&own);
    return result;
}
