#include "source/linux/bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/linux/bpf_parse.h"
#include "source/linux/netns.h"
#include "source/linux/proc_file.h"
#include "source/linux/repeats.h"

#include <walks.skel.h> /* made of bpf/walks.bpf.c: the programs, and what loads them */

struct bpf_source {
    struct walks *walks;
    unsigned hz;
    struct bpf_bound_conn *bounds; /* met in the walk over descriptors, until their namespace is read */
    size_t bound_count, bound_capacity;
};

/* --- the programs --------------------------------------------------------------------------------------------- */

bool bpf_source_pays(void)
{
    /*
     * Loading costs as much as the /proc walk over some thousand descriptors; from then on each is several times cheaper.
     * The kernel counts its open files, which are what that walk goes over.
     */
    enum { FILES = 5000 };
    char text[64];
    return proc_read(AT_FDCWD, "/proc/sys/fs/file-nr", text, sizeof text) > 0 && strtoul(text, NULL, 10) >= FILES;
}

/* Length of a tick, as the clocks that only count these tell it: get_tick's NSEC_PER_SEC / HZ, rounded. */
static unsigned ticks_per_second(void)
{
    enum { NS_PER_SECOND = 1000 * 1000 * 1000 };
    struct timespec tick;
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_sec != 0 || tick.tv_nsec <= 0)
        return 0;
    return (unsigned)((NS_PER_SECOND + tick.tv_nsec / 2) / tick.tv_nsec);
}

/* The iterators number processes as this one's PID namespace does, and /proc may have been mounted in another. */
static bool is_proc_ours(void)
{
    char link[16];
    ssize_t length = readlink("/proc/self", link, sizeof link - 1);
    if (length <= 0)
        return false;
    link[length] = '\0';
    return strtol(link, NULL, 10) == getpid();
}

static int explain_failure(int code, struct error *err)
{
    static const char btf[] = "/sys/kernel/btf/vmlinux";
    if (code == -EPERM || code == -EACCES)
        return error_set(err, code, "eBPF",
            "is not permitted here (%s); run as root, or with CAP_BPF and CAP_PERFMON, or use --source netlink",
            strerror(-code));
    if (access(btf, R_OK) < 0)
        return error_set(err, code, "eBPF",
            "cannot be used: this kernel has no %s (CONFIG_DEBUG_INFO_BTF); use --source netlink", btf);
    return error_set(err, code, "eBPF",
        "cannot be used: the kernel does not take the programs (%s), which need Linux 5.17; use --source netlink",
        strerror(-code));
}

int bpf_source_new(struct bpf_source **ret_bpf, struct error *err)
{
    unsigned hz = ticks_per_second();
    if (hz == 0)
        return error_set(err, -ENOTSUP, "eBPF", "cannot be used: the kernel's tick is not known; use --source netlink");
    if (!is_proc_ours())
        return error_set(err, -EXDEV, "eBPF",
            "cannot be used: /proc is of another PID namespace; mount it anew, or use --source netlink");
    struct walks *walks = walks__open();
    if (walks == NULL)
        return error_set(err, -ENOMEM, "eBPF", "cannot be used: not enough memory");
    int result = walks__load(walks);
    if (result == 0)
        result = walks__attach(walks);
    if (result < 0) {
        walks__destroy(walks);
        return explain_failure(result, err);
    }
    struct bpf_source *bpf = xcalloc(1, sizeof *bpf);
    bpf->walks = walks;
    bpf->hz = hz;
    *ret_bpf = bpf;
    return 0;
}

void bpf_source_free(struct bpf_source *bpf)
{
    if (bpf == NULL)
        return;
    walks__destroy(bpf->walks);
    free(bpf->bounds);
    free(bpf);
}

/* --- reading -------------------------------------------------------------------------------------------------- */

/* Takes the first record of some bytes. Returns its length, 0 where more bytes are needed, or a negative errno. */
typedef ssize_t (*take_record)(const char *bytes, size_t length, void *data);

static int take_records(int fd, take_record take, void *data)
{
    /* The kernel hands over eight pages at once: bpf_seq_read() in kernel/bpf/bpf_iter.c. */
    enum { BUFFER_BYTES = 64 * 1024 };
    char *buffer = xrealloc_array(NULL, BUFFER_BYTES, 1);
    size_t kept = 0;
    int result = 0;
    while (result == 0) {
        ssize_t got = read(fd, buffer + kept, BUFFER_BYTES - kept);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) /* it has passed a million by, and wants to be asked again */
            continue;
        if (got < 0)
            result = -errno;
        if (got == 0)
            result = kept == 0 ? 1 : -EBADMSG;
        size_t length = got > 0 ? kept + (size_t)got : 0, at = 0;
        ssize_t taken;
        while (at < length && (taken = take(buffer + at, length - at, data)) != 0) {
            if (taken < 0) {
                result = (int)taken;
                break;
            }
            at += (size_t)taken;
        }
        kept = length - at;
        memmove(buffer, buffer + at, kept);
    }
    free(buffer);
    return result < 0 ? result : 0;
}

/* Runs an iterator once: of the namespaces that the calling thread is in now. */
static int walk(int link, take_record take, void *data)
{
    union bpf_attr attributes = { .iter_create.link_fd = (__u32)link };
    int fd = skel_sys_bpf(BPF_ITER_CREATE, &attributes, sizeof attributes);
    if (fd < 0)
        return -errno;
    int result = take_records(fd, take, data);
    close(fd);
    return result;
}

/* --- sockets -------------------------------------------------------------------------------------------------- */

struct socket_walk {
    struct snapshot *snapshot;
    uint16_t netns;
    unsigned hz;
};

static ssize_t take_socket(const char *bytes, size_t length, void *data)
{
    struct socket_walk *walk = data;
    struct conn *conn = snapshot_add_conn(walk->snapshot);
    if (conn == NULL)
        return -ENOMEM;
    ssize_t taken = bpf_parse_socket(bytes, length, walk->hz, conn);
    if (taken > 0)
        conn->netns = walk->netns;
    else
        walk->snapshot->conn_count--;
    return taken;
}

static int add_bounds(const struct bpf_source *bpf, struct snapshot *snapshot, uint16_t netns)
{
    for (size_t i = 0; i < bpf->bound_count; i++) {
        const struct bpf_bound_conn *bound = &bpf->bounds[i];
        if (bound->netns_inode != snapshot->netns[netns].inode)
            continue;
        struct conn *conn = snapshot_add_conn(snapshot);
        if (conn == NULL)
            return -ENOMEM;
        *conn = bound->conn;
        conn->netns = netns;
    }
    return 0;
}

int bpf_source_read(struct bpf_source *bpf, struct snapshot *snapshot, uint16_t netns)
{
    size_t first = snapshot->conn_count;
    struct socket_walk sockets = { .snapshot = snapshot, .netns = netns, .hz = bpf->hz };
    int result = add_bounds(bpf, snapshot, netns);
    if (result == 0)
        result = walk(bpf->walks->links.walk_sockets_fd, take_socket, &sockets);
    if (result == 0)
        result = repeats_drop(snapshot, first);
    if (result < 0)
        snapshot->conn_count = first;
    return result;
}

/* --- tasks and descriptors ------------------------------------------------------------------------------------ */

struct task_netns {
    uint32_t pid, tid;
    uint32_t netns; /* index, or NO_INDEX */
};

struct owner_walk {
    struct bpf_source *bpf;
    struct snapshot *snapshot;
    struct task_netns *tasks; /* by tid, as the kernel walks over them */
    size_t task_count, task_capacity;
    struct process process; /* whose descriptors come now; pid 0: none yet */
    uint32_t tid;           /* the thread through which they are seen */
    bool through_threads;   /* descriptors of some process were seen through another thread than its first */
};

static ssize_t take_task(const char *bytes, size_t length, void *data)
{
    struct owner_walk *walk = data;
    struct bpf_task record;
    ssize_t taken = bpf_parse_task(bytes, length, &record);
    if (taken <= 0)
        return taken;
    if (vec_grow((void **)&walk->tasks, walk->task_count, &walk->task_capacity, sizeof *walk->tasks) < 0)
        return -ENOMEM;
    uint32_t netns = netns_add(walk->snapshot, record.netns);
    if (netns == NO_INDEX)
        return -ENOMEM;
    if (walk->snapshot->netns[netns].pid == 0)
        walk->snapshot->netns[netns].pid = record.tid;
    walk->tasks[walk->task_count++] = (struct task_netns){ .pid = record.pid, .tid = record.tid, .netns = netns };
    return taken;
}

static int compare_tasks(const void *a, const void *b)
{
    const struct task_netns *one = a, *other = b;
    return one->tid < other->tid ? -1 : one->tid > other->tid;
}

static uint32_t netns_of(const struct owner_walk *walk, uint32_t pid)
{
    struct task_netns wanted = { .tid = pid };
    const struct task_netns *found =
        bsearch(&wanted, walk->tasks, walk->task_count, sizeof *walk->tasks, compare_tasks);
    /* The first thread may have ended before the others. */
    for (size_t i = 0; found == NULL && i < walk->task_count; i++) {
        if (walk->tasks[i].pid == pid)
            found = &walk->tasks[i];
    }
    return found != NULL ? found->netns : NO_INDEX;
}

/* Keeps the process whose descriptors have all been seen, if it has TCP sockets. */
static int end_process(struct owner_walk *walk)
{
    if (walk->process.tcp_sockets == 0)
        return 0;
    struct process *added = snapshot_add_process(walk->snapshot);
    if (added == NULL)
        return -ENOMEM;
    *added = walk->process;
    added->tcp_sockets = 0; /* counted anew when they are joined */
    return 0;
}

static bool was_seen(const struct owner_walk *walk, uint32_t pid)
{
    return pid == walk->process.pid || snapshot_process_by_pid(walk->snapshot, pid) != NULL;
}

/*
 * False where the descriptors are those of a process that was seen through another of its threads. Threads come by
 * themselves only where they have a table of their own, or where the first has ended, and then each with the same.
 */
static int begin_process(struct owner_walk *walk, const struct bpf_file *file, bool *ret_is_new)
{
    *ret_is_new = false;
    bool is_first_thread = file->pid == file->tid;
    if ((!is_first_thread || walk->through_threads) && was_seen(walk, file->pid))
        return 0;
    int result = end_process(walk);
    walk->through_threads |= !is_first_thread;
    walk->process =
        (struct process){ .pid = file->pid, .cgroup = NO_INDEX, .netns = netns_of(walk, file->pid) };
    walk->tid = file->tid;
    *ret_is_new = true;
    return result;
}

static int note_descriptor(struct owner_walk *walk, const struct bpf_file *file)
{
    if (file->pid != walk->process.pid || file->tid != walk->tid) {
        bool is_new;
        int result = begin_process(walk, file, &is_new);
        if (result < 0 || !is_new)
            return result;
    }
    walk->process.fds_open++;
    walk->process.fds_sockets += file->kind != BPF_FILE_OTHER;
    if (file->kind != BPF_FILE_STREAM && file->kind != BPF_FILE_BOUND)
        return 0;
    struct holder *holder = snapshot_add_holder(walk->snapshot);
    if (holder == NULL)
        return -ENOMEM;
    walk->process.tcp_sockets++;
    *holder = (struct holder){ .inode = file->inode,
        .process = (uint32_t)walk->snapshot->process_count,
        .fd = file->fd & INT32_MAX,
        .next = NO_INDEX };
    return 0;
}

static ssize_t take_file(const char *bytes, size_t length, void *data)
{
    struct owner_walk *walk = data;
    struct bpf_source *bpf = walk->bpf;
    struct bpf_file file;
    struct bpf_bound_conn bound;
    ssize_t taken = bpf_parse_file(bytes, length, bpf->hz, &file, &bound);
    if (taken <= 0)
        return taken;
    if (file.kind == BPF_FILE_BOUND) {
        if (vec_grow((void **)&bpf->bounds, bpf->bound_count, &bpf->bound_capacity, sizeof *bpf->bounds) < 0)
            return -ENOMEM;
        bpf->bounds[bpf->bound_count++] = bound;
    }
    int result = note_descriptor(walk, &file);
    return result < 0 ? result : taken;
}

int bpf_source_walk(struct bpf_source *bpf, struct owners *owners, struct snapshot *snapshot)
{
    *owners = (struct owners){ 0 };
    struct owner_walk owner_walk = { .bpf = bpf, .snapshot = snapshot };
    int result = walk(bpf->walks->links.walk_tasks_fd, take_task, &owner_walk);
    if (result == 0)
        result = walk(bpf->walks->links.walk_files_fd, take_file, &owner_walk);
    if (result == 0)
        result = end_process(&owner_walk);
    if (result == 0)
        result = owners_index(owners, snapshot);
    if (result < 0)
        snapshot->netns_count = snapshot->holder_count = snapshot->process_count = 0;
    free(owner_walk.tasks);
    return result;
}
