#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"

/* --- signals ---------------------------------------------------------------------------------------------------- */

/* Those that would end the process: one that is ignored (nohup) need not be waited for. */
static void fill_set(sigset_t *set)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    sigemptyset(set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(set, signals[i]);
    }
}

static bool is_asked_to_end(void)
{
    sigset_t ours, waiting, both;
    fill_set(&ours);
    return sigpending(&waiting) == 0 && sigandset(&both, &ours, &waiting) == 0 && !sigisemptyset(&both);
}

static ssize_t heeding_write(void *cookie, const char *bytes, size_t length)
{
    const struct whole_file *file = cookie;
    if (is_asked_to_end())
        errno = EINTR;
    else if (fwrite(bytes, 1, length, file->disk) == length)
        return (ssize_t)length;
    return 0; /* which is how a cookie stream reports an error */
}

/* --- paths ------------------------------------------------------------------------------------------------------ */

static char *printed(struct buf *text)
{
    char *copy = xcalloc(text->length + 1, 1);
    memcpy(copy, buf_text(text), text->length);
    buf_deinit(text);
    return copy;
}

/* "folder/.name.XXXXXX", to be made by mkostemp(). */
static char *name_beside(const char *path)
{
    struct buf text = { 0 }, folder = { 0 }, name = { 0 };
    buf_str(&folder, path);
    buf_str(&name, path);
    buf_printf(&text, "%s/.", dirname(folder.data));
    buf_printf(&text, "%s.XXXXXX", basename(name.data));
    buf_deinit(&folder);
    buf_deinit(&name);
    return printed(&text);
}

/* A rename is on the disk when its folder is. */
static void sync_folder(const char *path)
{
    struct buf folder = { 0 };
    buf_str(&folder, path);
    int fd = open(dirname(folder.data), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    buf_deinit(&folder);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* --- the file --------------------------------------------------------------------------------------------------- */

static int open_disk(struct whole_file *file, const char *path, mode_t mode, enum whole_file_link link)
{
    struct stat status;
    int flags = link == WHOLE_FILE_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
    bool exists = fstatat(AT_FDCWD, path, &status, flags) == 0;
    if (exists && S_ISDIR(status.st_mode))
        return -EISDIR;
    int fd;
    if (exists && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    } else {
        char *resolved = exists && link == WHOLE_FILE_FOLLOW ? realpath(path, NULL) : NULL;
        struct buf text = { 0 };
        buf_str(&text, resolved != NULL ? resolved : path);
        free(resolved);
        file->path = printed(&text);
        file->temporary = name_beside(file->path);
        fd = mkostemp(file->temporary, O_CLOEXEC);
        if (fd >= 0)
            (void)!fchmod(fd, mode); /* where the file system has modes */
    }
    if (fd < 0)
        return -errno;
    file->disk = fdopen(fd, "w");
    if (file->disk == NULL) {
        close(fd);
        return -ENOMEM;
    }
    return 0;
}

static void drop(struct whole_file *file)
{
    if (file->temporary != NULL && file->disk != NULL)
        unlink(file->temporary);
    if (file->disk != NULL)
        fclose(file->disk);
    free(file->path);
    free(file->temporary);
    sigset_t before = file->signals_before;
    *file = (struct whole_file){ 0 };
    sigprocmask(SIG_SETMASK, &before, NULL); /* what has waited acts now */
}

int whole_file_open(
    struct whole_file *file, const char *path, mode_t mode, enum whole_file_link link, struct error *err)
{
    *file = (struct whole_file){ 0 };
    sigset_t set;
    fill_set(&set);
    sigprocmask(SIG_BLOCK, &set, &file->signals_before);
    int result = open_disk(file, path, mode, link);
    if (result == 0) {
        const cookie_io_functions_t functions = { .write = heeding_write };
        file->out = fopencookie(file, "w", functions);
        if (file->out == NULL)
            result = -ENOMEM;
    }
    if (result < 0) {
        error_set(err, result, path, "cannot be written: %s", strerror(-result));
        drop(file);
    }
    return result;
}

static int put_in_place(struct whole_file *file)
{
    if (fflush(file->disk) != 0)
        return -errno;
    if (file->temporary == NULL)
        return 0;
    if (fsync(fileno(file->disk)) < 0)
        return -errno;
    if (is_asked_to_end())
        return -EINTR;
    if (rename(file->temporary, file->path) < 0)
        return -errno;
    free(file->temporary);
    file->temporary = NULL;
    sync_folder(file->path);
    return 0;
}

int whole_file_close(struct whole_file *file, int result, struct error *err)
{
    if (fclose(file->out) != 0 && result == 0)
        result = errno != 0 ? -errno : -EIO;
    if (result == 0)
        result = put_in_place(file);
    if (result < 0)
        error_set(err, result, NULL, "was not written: %s", strerror(-result));
    drop(file);
    return result;
}
