#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/progress.h"

/* --- signals ---------------------------------------------------------------------------------------------------- */

/* The signals that would end the process. Ignored ones (nohup) are left out. */
static void fill_set(sigset_t *set)
{
    static const struct {
        int number;
        /* It asks the program to end, perhaps through a handler. Other signals matter only by their default action. */
        bool is_request;
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

static void block_signals(struct whole_file *file)
{
    sigset_t set;
    fill_set(&set);
    sigprocmask(SIG_BLOCK, &set, &file->signals_before);
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigaction(SIGXFSZ, &ignore, &file->limit_before); /* the write fails with EFBIG */
}

static void unblock_signals(const sigset_t *before, const struct sigaction *limit_before)
{
    sigaction(SIGXFSZ, limit_before, NULL);
    sigprocmask(SIG_SETMASK, before, NULL); /* pending signals act now */
}

static bool is_asked_to_end(void)
{
    sigset_t ours, waiting, both;
    fill_set(&ours);
    return sigpending(&waiting) == 0 && sigandset(&both, &ours, &waiting) == 0 && !sigisemptyset(&both);
}

static ssize_t interruptible_write(void *cookie, const char *bytes, size_t length)
{
    const struct whole_file *file = cookie;
    if (is_asked_to_end())
        errno = EINTR;
    else if (fwrite(bytes, 1, length, file->disk) == length)
        return (ssize_t)length;
    return 0; /* the stream fails with this errno: fopencookie(3) */
}

/* --- the file --------------------------------------------------------------------------------------------------- */

static const char *own_link(int fd, char *out, size_t size)
{
    snprintf(out, size, "/proc/self/fd/%d", fd);
    return out;
}

/* A temporary name in the same folder. It does not contain the file's name, which may be as long as NAME_MAX. */
static int make_name(struct whole_file *file)
{
    uint32_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return -errno;
    snprintf(file->temporary, sizeof file->temporary, ".tcpwhy.%08" PRIx32, number);
    return 0;
}

/* Opens a file without a name (O_TMPFILE) in the folder. give_name() names it later. */
static int open_nameless(const struct whole_file *file)
{
    int fd = openat(file->place.folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    char link[32];
    if (fd >= 0 && access(own_link(fd, link, sizeof link), F_OK) < 0) { /* linkat() needs /proc to name it */
        close(fd);
        fd = -1;
    }
    return fd;
}

enum { TRIES = 100 }; /* attempts to find a name that is free */

static int open_named(struct whole_file *file)
{
    int fd = -EEXIST;
    for (int i = 0; i < TRIES && fd == -EEXIST; i++) {
        int result = make_name(file);
        if (result < 0)
            return result;
        fd = openat(file->place.folder, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
            S_IRUSR | S_IWUSR);
        if (fd < 0)
            fd = -errno;
    }
    if (fd < 0)
        file->temporary[0] = '\0';
    return fd;
}

static int open_regular(struct whole_file *file, mode_t mode)
{
    file->is_regular = true;
    int fd = open_nameless(file);
    if (fd < 0)
        fd = open_named(file);
    if (fd >= 0)
        (void)!fchmod(fd, mode); /* fails where the file system has no modes */
    return fd;
}

/* Opening a FIFO waits for a reader. Signals act meanwhile: there is no file yet that could be left half-written. */
static int open_special(const struct whole_file *file)
{
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, &file->signals_before, &blocked);
    int fd = place_open(&file->place);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    return fd;
}

/* A descriptor, or a negative errno. */
static int open_place(
    struct whole_file *file, const char *path, mode_t mode, enum place_link link, bool *ret_foreign_link)
{
    int result = place_find(&file->place, path, link, ret_foreign_link);
    if (result < 0)
        return result;
    struct stat status;
    bool exists = fstatat(file->place.folder, file->place.name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!exists && errno != ENOENT)
        return -errno;
    if (exists && S_ISDIR(status.st_mode))
        return -EISDIR;
    if (exists && !S_ISREG(status.st_mode) && link == PLACE_FOLLOW)
        return open_special(file);
    return open_regular(file, mode);
}

static int open_disk(struct whole_file *file, int fd)
{
    if (fd < 0)
        return fd;
    file->disk = fdopen(fd, "w");
    if (file->disk == NULL) {
        int result = -errno;
        close(fd);
        return result;
    }
    return 0;
}

static void drop(struct whole_file *file)
{
    if (file->temporary[0] != '\0' && file->disk != NULL)
        unlinkat(file->place.folder, file->temporary, 0);
    if (file->disk != NULL)
        fclose(file->disk);
    place_deinit(&file->place);
    const struct whole_file was = *file;
    *file = (struct whole_file){ 0 };
    unblock_signals(&was.signals_before, &was.limit_before);
}

static int open_stream(struct whole_file *file)
{
    const cookie_io_functions_t functions = { .write = interruptible_write };
    file->out = fopencookie(file, "w", functions);
    return file->out == NULL ? -errno : 0;
}

int whole_file_open(struct whole_file *file, const char *path, mode_t mode, enum place_link link, struct error *err)
{
    *file = (struct whole_file){ .place.folder = -1 };
    block_signals(file);
    bool foreign_link = false;
    progress_begin("writing", path);
    int fd = open_place(file, path, mode, link, &foreign_link);
    int result = open_disk(file, fd);
    if (result == 0)
        result = open_stream(file);
    if (result < 0) {
        error_set(err, result, path, "cannot be written: %s",
            foreign_link ? "a symbolic link of another user is not followed; name the folder itself"
                         : strerror(-result));
        drop(file);
    }
    return result;
}

int whole_file_open_at(struct whole_file *file, int folder, const char *name, mode_t mode, struct error *err)
{
    *file = (struct whole_file){ .place.folder = fcntl(folder, F_DUPFD_CLOEXEC, 0) };
    block_signals(file);
    int result = file->place.folder < 0 ? -errno : 0;
    if (result == 0) {
        snprintf(file->place.name, sizeof file->place.name, "%s", name);
        result = open_disk(file, open_regular(file, mode));
    }
    if (result == 0)
        result = open_stream(file);
    if (result < 0) {
        error_set(err, result, name, "cannot be written: %s", strerror(-result));
        drop(file);
    }
    return result;
}

/* linkat() does not replace a file. Where the name is taken, the file gets a temporary name, which is then renamed. */
static int name_beside(struct whole_file *file, const char *link)
{
    int result = -EEXIST;
    for (int i = 0; i < TRIES && result == -EEXIST; i++) {
        result = make_name(file);
        if (result == 0 && linkat(AT_FDCWD, link, file->place.folder, file->temporary, AT_SYMLINK_FOLLOW) < 0)
            result = -errno;
    }
    if (result < 0)
        file->temporary[0] = '\0';
    return result;
}

static int give_name(struct whole_file *file)
{
    char text[32];
    const struct place *place = &file->place;
    if (file->temporary[0] == '\0') {
        const char *link = own_link(fileno(file->disk), text, sizeof text);
        if (linkat(AT_FDCWD, link, place->folder, place->name, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        int result = errno == EEXIST ? name_beside(file, link) : -errno;
        if (result < 0)
            return result;
    }
    if (renameat(place->folder, file->temporary, place->folder, place->name) < 0)
        return -errno;
    file->temporary[0] = '\0';
    return 0;
}

/* The file's name is an entry of the folder: fsync() of the folder puts it on the disk. */
static void sync_folder(const struct whole_file *file)
{
    int fd = openat(file->place.folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* O_PATH is not enough for fsync() */
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static int put_in_place(struct whole_file *file)
{
    if (fflush(file->disk) != 0)
        return -errno;
    if (!file->is_regular)
        return 0;
    if (fsync(fileno(file->disk)) < 0)
        return -errno;
    if (is_asked_to_end())
        return -EINTR;
    int result = give_name(file);
    if (result == 0)
        sync_folder(file);
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
