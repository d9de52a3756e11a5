#include "source/linux/bpf/bpf_iterate.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd_io.h"
#include "base/memory.h"

/* Handles all complete records. Returns their length in bytes, or a negative errno. */
static ssize_t handle_all(const char *bytes, size_t length, bpf_record_handler handle, void *data)
{
    size_t at = 0;
    while (at < length) {
        ssize_t consumed = handle(bytes + at, length - at, data);
        if (consumed < 0)
            return consumed;
        if (consumed == 0)
            break;
        at += (size_t)consumed;
    }
    return (ssize_t)at;
}

static int read_all(int fd, bpf_record_handler handle, void *data)
{
    /* The kernel returns up to eight pages of complete records at once: bpf_seq_read() in kernel/bpf/bpf_iter.c. */
    enum { BUFFER_BYTES = 64 * 1024 };
    char *buffer = xrealloc_array(NULL, BUFFER_BYTES, 1);
    size_t pending = 0;
    ssize_t result;
    do {
        result = fd_read(fd, buffer + pending, BUFFER_BYTES - pending);
        if (result == -EAGAIN) {
            result = 1; /* the kernel has passed a million objects without output (MAX_ITER_OBJECTS): read again */
        } else if (result == 0) {
            result = pending > 0 ? -EBADMSG : 0;
        } else if (result > 0) {
            size_t length = pending + (size_t)result;
            ssize_t consumed = handle_all(buffer, length, handle, data);
            if (consumed >= 0) {
                pending = length - (size_t)consumed;
                memmove(buffer, buffer + consumed, pending);
            } else {
                result = consumed;
            }
        }
    } while (result > 0);
    free(buffer);
    return (int)result;
}

int bpf_iterate(int link, bpf_record_handler handle, void *data)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.iter_create.link_fd = (__u32)link;
    int fd = (int)syscall(SYS_bpf, BPF_ITER_CREATE, &attributes, sizeof attributes);
    if (fd < 0)
        return -errno;
    int result = read_all(fd, handle, data);
    close(fd);
    return result;
}
