#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"

/* --- signals ---------------------------------------------------------------------------------------------------- */

/* Those that would end the process: one that is ignored (nohup) need not be waited for. */
static void fill_set(sigset_t *set)
{
    static const struct {
        int number;
        bool is_request; /* to end, which a handler may stand for; else it matters only if it ends the process */
    } signals[] = { { SIGINT, true }, { SIGTERM, true }, { SIGHUP, true }, { SIGQUIT, true }, { SIGALRM, false },
        { SIGPIPE, false }, { SIGUSR1, false }, { SIGUSR2, false }, { SIGXCPU, false }, { SIGVTALRM, false },
        { SIGPROF, false }, { SIGPOLL, false } };
    sigemptyset(set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        if (sigaction(signals[i].number, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
            (signals[i].is_request || action.sa_handler == SIG_DFL))
            sigaddset(set, signals[i].number);
    }
}

static void hold_signals(struct whole_file *file)
{
    sigset_t set;
    fill_set(&set);
    sigprocmask(SIG_BLOCK, &set, &file->signals_before);
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigaction(SIGXFSZ, &ignore, &file->limit_before); /* the write fails with EFBIG */
}

static void release_signals(const sigset_t *before, const struct sigaction *limit_before)
{
    sigaction(SIGXFSZ, limit_before, NULL);
    sigprocmask(SIG_SETMASK, before, NULL); /* what has waited acts now */
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

/* "folder/name". The name may be short: the file's own may be as long as a name can be. */
static char *beside(const char *path, const char *name)
{
    struct buf text = { 0 }, folder = { 0 };
    buf_str(&folder, path);
    buf_printf(&text, "%s/%s", dirname(folder.data), name);
    buf_deinit(&folder);
    return printed(&text);
}

static char *copy_of(const char *path)
{
    struct buf text = { 0 };
    buf_str(&text, path);
    return printed(&text);
}

/* Of a link to a file that is not there yet, for which realpath() has no answer; NULL with errno: there is none. */
static char *follow(const char *path)
{
    enum { LINKS_MAX = 40 }; /* as many as the kernel follows */
    char *at = copy_of(path);
    char target[PATH_MAX];
    for (int i = 0; i < LINKS_MAX; i++) {
        ssize_t length = readlink(at, target, sizeof target - 1);
        if (length < 0)
            return at;
        target[length] = '\0';
        char *next = *target == '/' ? copy_of(target) : beside(at, target);
        free(at);
        at = next;
    }
    free(at);
    errno = ELOOP;
    return NULL;
}

/* A name is on the disk when its folder is. */
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

static const char *own_link(int fd, char *out, size_t size)
{
    snprintf(out, size, "/proc/self/fd/%d", fd);
    return out;
}

/* In the folder of the file's place, and without a name until there is one to give it. */
static int open_nameless(const char *path)
{
    char *folder = beside(path, ".");
    int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    free(folder);
    char link[32];
    if (fd >= 0 && access(own_link(fd, link, sizeof link), F_OK) < 0) { /* without /proc it would never get one */
        close(fd);
        fd = -1;
    }
    return fd;
}

static int open_regular(struct whole_file *file, const char *path, mode_t mode)
{
    file->path = copy_of(path);
    int fd = open_nameless(path);
    if (fd < 0) {
        file->temporary = beside(path, ".tcpwhy.XXXXXX");
        fd = mkostemp(file->temporary, O_CLOEXEC);
    }
    if (fd >= 0)
        (void)!fchmod(fd, mode); /* where the file system has modes */
    return fd;
}

/* A descriptor, or -1 with errno. */
static int open_place(struct whole_file *file, const char *path, mode_t mode, enum whole_file_link link)
{
    struct stat status;
    bool exists = fstatat(AT_FDCWD, path, &status, link == WHOLE_FILE_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) == 0;
    if (!exists && errno != ENOENT)
        return -1;
    if (exists && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return -1;
    }
    if (exists && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
        return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    char *resolved = link != WHOLE_FILE_FOLLOW ? copy_of(path) : exists ? realpath(path, NULL) : follow(path);
    if (resolved == NULL)
        return -1;
    int fd = open_regular(file, resolved, mode);
    free(resolved);
    return fd;
}

static int open_disk(struct whole_file *file, const char *path, mode_t mode, enum whole_file_link link)
{
    int fd = open_place(file, path, mode, link);
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
    const struct whole_file was = *file;
    *file = (struct whole_file){ 0 };
    release_signals(&was.signals_before, &was.limit_before);
}

int whole_file_open(
    struct whole_file *file, const char *path, mode_t mode, enum whole_file_link link, struct error *err)
{
    *file = (struct whole_file){ 0 };
    hold_signals(file);
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

/* A name beside the file's place, to be renamed: linkat() does not replace. */
static int name_beside(struct whole_file *file, const char *link)
{
    enum { TRIES = 100 };
    int result = -EEXIST;
    for (int i = 0; i < TRIES && result == -EEXIST; i++) {
        uint32_t number;
        char name[32];
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            return -errno;
        snprintf(name, sizeof name, ".tcpwhy.%08" PRIx32, number);
        char *path = beside(file->path, name);
        result = linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
        if (result == 0)
            file->temporary = path;
        else
            free(path);
    }
    return result;
}

static int give_name(struct whole_file *file)
{
    char text[32];
    if (file->temporary == NULL) {
        const char *link = own_link(fileno(file->disk), text, sizeof text);
        if (linkat(AT_FDCWD, link, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        int result = errno == EEXIST ? name_beside(file, link) : -errno;
        if (result < 0)
            return result;
    }
    if (rename(file->temporary, file->path) < 0)
        return -errno;
    free(file->temporary);
    file->temporary = NULL;
    return 0;
}

static int put_in_place(struct whole_file *file)
{
    if (fflush(file->disk) != 0)
        return -errno;
    if (file->path == NULL)
        return 0;
    if (fsync(fileno(file->disk)) < 0)
        return -errno;
    if (is_asked_to_end())
        return -EINTR;
    int result = give_name(file);
    if (result == 0)
        sync_folder(file->path);
    return result;
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
