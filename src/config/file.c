/* Finds the configuration files, checks their owner and type, and reads them. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd_io.h"
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

/* /dev/null is the usual way to say "no file". */
static bool is_null_device(const struct stat *info)
{
    return S_ISCHR(info->st_mode) && info->st_rdev == makedev(1, 3);
}

/*
 * A policy decides what is healthy. So a file that the user did not name must belong to root or to the caller. With
 * sudo HOME may still be that of another user.
 */
static int check_file(const struct stat *info, const char *path, bool named, struct error *err)
{
    if (!S_ISREG(info->st_mode) && !is_null_device(info))
        return error_set(err, -EINVAL, path, "is no regular file");
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
    return error == ENOENT || error == ENOTDIR || (error == EACCES && faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) < 0);
}

static int read_file(const char *path, bool named, struct buf *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && !named && is_absent(path, errno))
        return -ENOENT;
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0) {
        int result = error_set(err, -errno, path, "cannot be read: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return result;
    }
    int result = check_file(&info, path, named, err);
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
