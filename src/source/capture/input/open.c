#include "source/capture/input/open.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd_io.h"
#include "base/memory.h"
#include "base/open_checked.h"
#include "base/progress.h"
#include "source/capture/input/compressed.h"
#include "source/capture/input/utf16.h"

/* --- files ------------------------------------------------------------------------------------------------------ */

struct file {
    int fd;
};

static ssize_t file_read(void *state, char *out, size_t size)
{
    const struct file *file = state;
    ssize_t length = fd_read(file->fd, out, size);
    progress_add_bytes(length > 0 ? (size_t)length : 0);
    return length;
}

static void file_close(void *state)
{
    struct file *file = state;
    if (file->fd != STDIN_FILENO)
        close(file->fd);
    free(file);
}

/* --- files that are opened before they are read ------------------------------------------------------------------ */

enum { EARLY_MAX = 128 }; /* more captures than a command takes */

static struct {
    const char *path;
    int fd; /* or a negative errno: opening it failed */
    bool is_taken;
} early[EARLY_MAX];
static unsigned early_count;

static int open_path(const char *path)
{
    progress_begin("opening", path);
    return open_checked(path, OPEN_FILE | OPEN_PIPE | OPEN_TERMINAL);
}

void input_open_early(const char *path)
{
    if (early_count == EARLY_MAX || strcmp(path, "-") == 0)
        return;
    early[early_count].path = path;
    early[early_count++].fd = open_path(path);
}

static int take_early(const char *path)
{
    for (unsigned i = 0; i < early_count; i++) {
        if (!early[i].is_taken && strcmp(early[i].path, path) == 0) {
            early[i].is_taken = true;
            return early[i].fd;
        }
    }
    return open_path(path);
}

/* --- files, continued ------------------------------------------------------------------------------------------- */

static int open_file(struct input *input, const char *path, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : take_early(path);
    struct stat status;
    bool known = fd >= 0 && fstat(fd, &status) == 0;
    if (fd == -EISDIR || (known && S_ISDIR(status.st_mode)))
        return error_set(err, -EISDIR, path, "is a folder; --from reads one file");
    if (fd == -ENODEV)
        return error_set(err, fd, path, "is a device or a socket; --from reads a file, a pipe or a terminal");
    if (fd < 0)
        return error_set(err, fd, path, "cannot be read: %s", strerror(-fd));
    progress_begin("reading", is_stdin ? "standard input" : path);
    struct file *file = xcalloc(1, sizeof *file);
    file->fd = fd;
    *input = (struct input){ .read = file_read, .close = file_close, .state = file };
    if (known && S_ISREG(status.st_mode))
        input->modified_ms = (uint64_t)status.st_mtim.tv_sec * 1000 + (uint64_t)status.st_mtim.tv_nsec / 1000000;
    return 0;
}

/* --- memory ----------------------------------------------------------------------------------------------------- */

struct memory {
    const char *bytes;
    size_t left;
};

static ssize_t memory_read(void *state, char *out, size_t size)
{
    struct memory *memory = state;
    size_t length = size < memory->left ? size : memory->left;
    if (length > 0)
        memcpy(out, memory->bytes, length);
    memory->bytes += length;
    memory->left -= length;
    return (ssize_t)length;
}

void input_open_bytes(struct input *input, const char *bytes, size_t length)
{
    struct memory *memory = xcalloc(1, sizeof *memory);
    *memory = (struct memory){ .bytes = bytes, .left = length };
    *input = (struct input){ .read = memory_read, .close = free, .state = memory };
    utf16_push_filter(input);
}

/* --- files with their filters ----------------------------------------------------------------------------------- */

int input_open(struct input *input, const char *path, struct error *err)
{
    int result = open_file(input, path, err);
    if (result < 0)
        return result;
    result = compressed_push_filter(input);
    if (result == 0)
        result = utf16_push_filter(input);
    if (result < 0) {
        input_close(input);
        return error_set(err, result, path, "cannot be read: %s", input_failure(result));
    }
    return 0;
}
