/*
 * What eBPF iterators cost by themselves: loads tcpwhy's programs, reads what they write, and drops it.
 *
 *   bare_iter                        tasks, descriptors and sockets, one after the other
 *   bare_iter sockets|files|tasks    one of them, and onto stdout: what the parsers get (tests/fuzz/make-corpus)
 *
 * Prints to stderr what each took. The exit status is 1 where the kernel does not take the programs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <walks.skel.h>

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int read_iterator(const char *name, int link, bool keep)
{
    static char buffer[64 * 1024];
    double start_ms = now_ms();
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.iter_create.link_fd = (__u32)link;
    int fd = skel_sys_bpf(BPF_ITER_CREATE, &attributes, sizeof attributes);
    if (fd < 0) {
        perror(name);
        return 1;
    }
    size_t total = 0;
    ssize_t length;
    while ((length = read(fd, buffer, sizeof buffer)) > 0 || (length < 0 && errno == EAGAIN)) {
        if (keep && length > 0 && write(STDOUT_FILENO, buffer, (size_t)length) != length)
            return 1;
        total += length > 0 ? (size_t)length : 0;
    }
    close(fd);
    fprintf(stderr, "%-8s %9.3f ms  %zu bytes\n", name, now_ms() - start_ms, total);
    return length < 0;
}

int main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : NULL;
    double start_ms = now_ms();
    struct walks *programs = walks__open();
    if (programs == NULL || walks__load(programs) < 0 || walks__attach(programs) < 0) {
        perror("bare_iter: eBPF");
        return 1;
    }
    fprintf(stderr, "%-8s %9.3f ms\n", "load", now_ms() - start_ms);
    const struct {
        const char *name;
        int link;
    } iterators[] = {
        { "tasks", programs->links.walk_tasks_fd },
        { "files", programs->links.walk_files_fd },
        { "sockets", programs->links.walk_sockets_fd },
    };
    int status = 0;
    for (size_t i = 0; i < sizeof iterators / sizeof *iterators; i++) {
        if (wanted == NULL || strcmp(wanted, iterators[i].name) == 0)
            status |= read_iterator(iterators[i].name, iterators[i].link, wanted != NULL);
    }
    walks__destroy(programs);
    return status;
}
