#include "cmd/check/stuck_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd_io.h"
#include "cmd/check/state_file.h"

void stuck_memory_init(struct stuck_memory *memory, const char *directory, const char *subject)
{
    *memory = (struct stuck_memory){ .directory = directory, .subject = subject, .began_ms = clock_boot_ms() };
}

void stuck_memory_deinit(struct stuck_memory *memory)
{
    stuck_since_deinit(&memory->since);
}

/* A name of this run of the kernel, which no other run has. */
static int read_boot(struct stuck_memory *memory)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_set(&memory->err, -errno, path, "cannot be opened: %s", strerror(errno));
    struct buf text = { 0 };
    int result = fd_read_all(file, sizeof memory->boot - 1, &text);
    close(file);
    size_t length = result == 0 ? strcspn(buf_text(&text), "\n") : 0;
    memcpy(memory->boot, buf_text(&text), length);
    memory->boot[length] = '\0';
    buf_deinit(&text);
    return length > 0 ? 0 : error_set(&memory->err, -ENODATA, path, "does not tell this run of the kernel");
}

/* A file of another run of the kernel, or of another program, counts as empty, and is replaced. */
static int read_since(struct stuck_memory *memory)
{
    struct state_file file;
    struct buf text = { 0 };
    int result = state_file_open(&file, memory->directory, memory->subject, &memory->err);
    if (result == 0)
        result = state_file_read(&file, STUCK_TEXT_MAX, &text, &memory->err);
    if (result == 0)
        (void)stuck_since_parse(buf_text(&text), text.length, memory->boot, &memory->since);
    state_file_close(&file);
    buf_deinit(&text);
    return result == -ENOENT || result == -EFBIG ? 0 : result;
}

void stuck_memory_recall(struct snapshot *snapshot, void *data)
{
    struct stuck_memory *memory = data;
    if (!stuck_since_is_useful(snapshot) || read_boot(memory) < 0 || read_since(memory) < 0)
        return;
    memory->is_read = true;
    memory->err = (struct error){ 0 };
    stuck_since_recall(&memory->since, memory->began_ms, snapshot);
}

bool stuck_memory_keep(struct stuck_memory *memory, const struct diagnosis *diagnosis)
{
    if (!memory->is_read)
        return memory->err.message[0] == '\0';
    size_t known = memory->since.count;
    stuck_since_collect(&memory->since, clock_boot_ms(), diagnosis);
    if (known == 0 && memory->since.count == 0)
        return true;
    struct state_file file;
    struct buf text = { 0 };
    stuck_since_format(&memory->since, memory->boot, &text);
    int result = state_file_open(&file, memory->directory, memory->subject, &memory->err);
    if (result == 0)
        result = state_file_write(&file, buf_text(&text), text.length, &memory->err);
    state_file_close(&file);
    buf_deinit(&text);
    return result == 0;
}
