#include "source/linux/bpf/bpf_iterate.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd_io.h"
#include "base/memory.h"

/* Takes all records that are whole. Returns how many bytes they had, or a negative errno. */
static ssize_t take_all(const char *bytes, size_t length, bpf_take take, void *data)
{
    size_t at = 0;
    while (at < length) {
        ssize_t taken = take(bytes + at, length - at, data);
        if (taken < 0)
            return taken;
        if (taken == 0)
            break;
        at += (size_t)taken;
    }
    return (ssize_t)at;
}

static int read_all(int fd, bpf_take take, void *data)
{
    /* The kernel hands over eight pages at once, which end with a record: bpf_seq_read() in kernel/bpf/bpf_iter.c. */
    enum { BUFFER_BYTES = 64 * 1024 };
    char *buffer = xrealloc_array(NULL, BUFFER_BYTES, 1);
    size_t kept = 0;
    ssize_t result;
    do {
        result = fd_read(fd, buffer + kept, BUFFER_BYTES - kept);
        if (result == -EAGAIN) {
            result = 1; /* it has passed a million things by, and wants to be asked again */
        } else if (result == 0) {
            result = kept > 0 ? -EBADMSG : 0;
        } else if (result > 0) {
            size_t length = kept + (size_t)result;
            ssize_t taken = take_all(buffer, length, take, data);
            if (taken >= 0) {
                kept = length - (size_t)taken;
                memmove(buffer, buffer + taken, kept);
            } else {
                result = taken;
            }
        }
    } while (result > 0);
    free(buffer);
    return (int)result;
}

int bpf_iterate(int link, bpf_take take, void *data)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.iter_create.link_fd = (__u32)link;
    int fd = (int)syscall(SYS_bpf, BPF_ITER_CREATE, &attributes, sizeof attributes);
    if (fd < 0)
        return -errno;
    int result = read_all(fd, take, data);
    close(fd);
    return result;
}
