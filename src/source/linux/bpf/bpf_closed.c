#include "source/linux/bpf/bpf_closed.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/linux/bpf/bpf.h"
#include "source/linux/bpf/bpf_iterate.h"

#include <closed.skel.h> /* generated from closed.bpf.c: the program and its loader */

struct bpf_closed_reader {
    struct closed *program;
    unsigned hz;
};

int bpf_closed_open(struct bpf_closed_reader **ret_reader)
{
    *ret_reader = NULL;
    unsigned hz = bpf_ticks_per_second();
    if (hz == 0 || !bpf_is_proc_ours())
        return -ENOTSUP;
    struct closed *program = xnonnull(closed__open()); /* it only allocates memory */
    int result = closed__load(program);
    if (result < 0) {
        closed__destroy(program);
        return result;
    }
    struct bpf_closed_reader *reader = xcalloc(1, sizeof *reader);
    *reader = (struct bpf_closed_reader){ .program = program, .hz = hz };
    *ret_reader = reader;
    return 0;
}

void bpf_closed_close(struct bpf_closed_reader *reader)
{
    if (reader == NULL)
        return;
    closed__destroy(reader->program);
    free(reader);
}

/* Makes an iterator over the descriptors of one process. Returns the descriptor of its link, or a negative errno. */
static int link_process(int program, uint32_t pid)
{
    union bpf_iter_link_info process;
    union bpf_attr attributes;
    memset(&process, 0, sizeof process);
    memset(&attributes, 0, sizeof attributes);
    process.task.pid = pid;
    attributes.link_create.prog_fd = (__u32)program;
    attributes.link_create.attach_type = BPF_TRACE_ITER;
    attributes.link_create.iter_info = (__u64)(uintptr_t)&process;
    attributes.link_create.iter_info_len = sizeof process;
    int link = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes);
    return link < 0 ? -errno : link;
}

struct handling {
    unsigned hz;
    bpf_closed_handler handle;
    void *data;
};

static ssize_t handle_record(const char *bytes, size_t length, void *data)
{
    const struct handling *handling = data;
    struct bpf_closed_conn closed;
    ssize_t consumed = bpf_parse_closed(bytes, length, handling->hz, &closed);
    int result = consumed > 0 ? handling->handle(&closed, handling->data) : 0;
    return result < 0 ? result : consumed;
}

int bpf_closed_read(struct bpf_closed_reader *reader, uint32_t pid, bpf_closed_handler handle, void *data)
{
    int link = link_process(reader->program->progs.walk_closed.prog_fd, pid);
    if (link < 0)
        return link;
    struct handling handling = { .hz = reader->hz, .handle = handle, .data = data };
    int result = bpf_iterate(link, handle_record, &handling);
    close(link);
    return result;
}
