#include "source/linux/proc_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/text.h"
#include "source/linux/proc_file.h"
#include "source/linux/proc_text.h"

enum {
    LINK_BYTES = 64, /* room for "socket:[4294967295]" and "net:[4026531840]" */
    DIRECTORY_BYTES = 32 * 1024,
    ALONE_MAX = 32, /* with no more processes, one thread is done before another one has started */
};

/* One process of /proc. */
struct walk_visit {
    uint32_t pid;
    unsigned walker;
    uint64_t netns_inode; /* 0: unknown */
    size_t first_holder;  /* index into the walker's holders; fds_sockets of them belong to this process */
    uint32_t fds_open, fds_sockets;
};

/* --- one process ------------------------------------------------------------------------------------------------ */

static void count_hidden(struct walk_hidden *hidden, int proc, uint32_t pid)
{
    char path[32], text[1024];
    struct proc_stat stat;
    snprintf(path, sizeof path, "%u/stat", pid);
    if (proc_read(proc, path, text, sizeof text) <= 0 || proc_parse_stat(text, &stat) < 0)
        return;             /* it has ended */
    if (stat.kernel_thread) /* it has no descriptors */
        return;
    if (hidden->processes++ == 0) { /* each walker visits the pids in ascending order: the first is the lowest */
        hidden->pid = pid;
        memcpy(hidden->name, stat.name, sizeof hidden->name);
    }
}

static uint64_t netns_of(int proc, const char *task)
{
    char path[48], link[LINK_BYTES];
    uint64_t inode;
    snprintf(path, sizeof path, "%s/ns/net", task);
    ssize_t length = readlinkat(proc, path, link, sizeof link);
    return length > 0 && proc_parse_netns_link(link, (size_t)length, &inode) ? inode : 0;
}

/* Writes a number such as "812". This is faster than printf(), and it is done for every descriptor of the host. */
static void write_number(char text[16], uint32_t number)
{
    char digits[16];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < count; i++)
        text[i] = digits[count - 1 - i];
    text[count] = '\0';
}

/* Counts one descriptor, and stores it if it is a socket or a network namespace. Returns 0 or a negative errno. */
static int read_descriptor(struct walker *walker, struct walk_visit *visit, int folder, uint32_t fd)
{
    char name[16], link[LINK_BYTES];
    write_number(name, fd);
    ssize_t length = readlinkat(folder, name, link, sizeof link);
    if (length < 0)
        return -errno;
    visit->fds_open++;
    uint32_t inode;
    uint64_t netns_inode;
    if (proc_parse_socket_link(link, (size_t)length, &inode)) {
        xvec_grow((void **)&walker->holders, walker->holder_count, &walker->holder_capacity, sizeof *walker->holders);
        walker->holders[walker->holder_count++] = (struct holder){
            .inode = inode, .fd = fd & INT32_MAX, .next = NO_INDEX
        };
        visit->fds_sockets++;
    } else if (proc_parse_netns_link(link, (size_t)length, &netns_inode)) {
        xvec_grow(
            (void **)&walker->fd_netns, walker->fd_netns_count, &walker->fd_netns_capacity, sizeof *walker->fd_netns);
        walker->fd_netns[walker->fd_netns_count++] = (struct netns){
            .inode = netns_inode, .pid = visit->pid, .by_descriptor = true, .fd = fd
        };
    }
    return 0;
}

static bool is_refusal(int result)
{
    return result == -EACCES || result == -EPERM;
}

/*
 * Tries the numbers from 0 on until `count` descriptors have been found. This avoids listing the directory, which costs
 * a third as much as reading the links (0.9 and 2.7 µs a descriptor). Most descriptor tables are dense. A number that
 * is not in use costs 2 µs, so this function gives up on a table with many holes, and the caller lists the directory.
 * If the process opens low numbers meanwhile, this function stops too early; therefore WALK_CAREFULLY does not use it.
 * Returns the first number that was not tried, or a negative errno.
 */
static int64_t try_numbers(struct walker *walker, struct walk_visit *visit, int folder, uint64_t count)
{
    enum { ROW_MIN = 2, ROW_MAX = 16 }; /* bounds of how many unused numbers may follow each other */
    unsigned misses = 0, misses_in_row = 0;
    uint32_t fd = 0;
    for (; visit->fds_open < count; fd++) {
        int result = read_descriptor(walker, visit, folder, fd);
        if (is_refusal(result))
            return result;
        misses += result < 0;
        misses_in_row = result < 0 ? misses_in_row + 1 : 0;
        unsigned row_max = ROW_MIN + visit->fds_open / 16;
        if (misses_in_row > (row_max < ROW_MAX ? row_max : ROW_MAX) || misses > ROW_MIN + visit->fds_open / 4)
            break;
    }
    return fd + 1;
}

/*
 * Reads the descriptors from number `first` on that the directory lists, until `count` have been found in all. Returns
 * 0 or a negative errno.
 */
static int list_numbers(struct walker *walker, struct walk_visit *visit, int folder, int64_t first, uint64_t count)
{
    _Alignas(struct dirent64) char entries[DIRECTORY_BYTES];
    int result = 0;
    ssize_t length;
    while (result == 0 && visit->fds_open < count && (length = getdents64(folder, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < length && result == 0;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            uint64_t fd; /* the entries "." and ".." are no numbers */
            if (text_parse_number(entry->d_name, INT32_MAX, &fd) < 0 || (int64_t)fd < first)
                continue;
            int error = read_descriptor(walker, visit, folder, (uint32_t)fd);
            if (is_refusal(error))
                result = error;
        }
    }
    return result;
}

/* Reads the descriptors of one task; its path is relative to /proc ("812"). Returns 0 or a negative errno. */
static int walk_descriptors(const struct walk *walk, struct walker *walker, struct walk_visit *visit, const char *task)
{
    char path[48];
    snprintf(path, sizeof path, "%s/fd", task);
    uint64_t count = UINT64_MAX; /* unknown */
    bool counts = walk->knows_sizes && (walk->aims & WALK_CAREFULLY) == 0;
    if (counts) {
        struct stat status;
        if (fstatat(dirfd(walk->folder), path, &status, 0) < 0)
            return -errno;
        count = (uint64_t)status.st_size;
        if (count == 0)
            return 0;
    }
    int folder = openat(dirfd(walk->folder), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    int64_t untried = counts ? try_numbers(walker, visit, folder, count) : 0;
    int result = untried < 0 ? (int)untried : list_numbers(walker, visit, folder, untried, count);
    close(folder);
    return result;
}

/* Opens the directory of a process's threads. NULL if that fails. */
static DIR *open_threads(int proc, uint32_t pid)
{
    char path[32];
    snprintf(path, sizeof path, "%u/task", pid);
    int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *threads = fd < 0 ? NULL : fdopendir(fd);
    if (threads == NULL && fd >= 0)
        close(fd);
    return threads;
}

/* Returns the tid of the next thread, and skips the first thread of the process. 0: there is no other. */
static uint32_t next_thread(DIR *threads, uint32_t pid)
{
    const struct dirent *entry;
    while ((entry = readdir(threads)) != NULL) {
        uint64_t thread;
        if (text_parse_number(entry->d_name, UINT32_MAX, &thread) == 0 && thread != pid)
            return (uint32_t)thread;
    }
    return 0;
}

/*
 * Finds a thread that is not the first of its process: "812/task/814", or "" if there is none. If the first thread has
 * ended (pthread_exit() in main()), its directories are empty, but the other threads still have the descriptors.
 */
static void find_other_thread(int proc, uint32_t pid, char *task, size_t size)
{
    task[0] = '\0';
    DIR *threads = open_threads(proc, pid);
    if (threads == NULL)
        return;
    uint32_t thread = next_thread(threads, pid);
    if (thread != 0)
        snprintf(task, size, "%u/task/%u", pid, thread);
    closedir(threads);
}

/* kcmp(2) compares the descriptor tables. If it is not permitted, the threads are assumed to share one table. */
static bool has_own_table(uint32_t pid, uint32_t thread)
{
    return syscall(SYS_kcmp, pid, thread, KCMP_FILES, 0, 0) > 0;
}

/* Reads the descriptors of threads that have their own table. fds_open still counts the first thread's table only. */
static void walk_other_tables(const struct walk *walk, struct walker *walker, struct walk_visit *visit)
{
    DIR *threads = open_threads(dirfd(walk->folder), visit->pid);
    if (threads == NULL)
        return;
    uint32_t open = visit->fds_open, thread;
    while ((thread = next_thread(threads, visit->pid)) != 0) {
        char task[32];
        if (!has_own_table(visit->pid, thread))
            continue;
        snprintf(task, sizeof task, "%u/task/%u", visit->pid, thread);
        walk_descriptors(walk, walker, visit, task);
    }
    visit->fds_open = open;
    closedir(threads);
}

/*
 * Returns the soft limit of descriptors; UINT64_MAX: unknown. prlimit() needs the same user or CAP_SYS_RESOURCE. The
 * file needs neither, but it takes ten times as long.
 */
static uint64_t descriptor_limit(int proc, uint32_t pid)
{
    struct rlimit limit;
    if (prlimit((pid_t)pid, RLIMIT_NOFILE, NULL, &limit) == 0)
        return limit.rlim_cur;
    char path[32], text[4096];
    uint32_t files, hard;
    snprintf(path, sizeof path, "%u/limits", pid);
    if (proc_read(proc, path, text, sizeof text) <= 0 || proc_parse_limits(text, &files, &hard) < 0)
        return UINT64_MAX;
    return files;
}

static bool is_near_limit(const struct walk *walk, const char *task, uint32_t pid)
{
    char path[48];
    struct stat status;
    snprintf(path, sizeof path, "%s/fd", task);
    if (!walk->knows_sizes)
        return true; /* it is unknown, so it may be */
    return fstatat(dirfd(walk->folder), path, &status, 0) == 0 && status.st_size > 0 &&
        (uint64_t)status.st_size >= descriptor_limit(dirfd(walk->folder), pid) / 2;
}

static void visit_process(const struct walk *walk, struct walker *walker, struct walk_visit *visit)
{
    char task[32];
    int proc = dirfd(walk->folder);
    snprintf(task, sizeof task, "%u", visit->pid);
    visit->first_holder = walker->holder_count;
    progress_pid(visit->pid);
    if ((walk->aims & (WALK_NETNS | WALK_DESCRIPTORS)) != 0)
        visit->netns_inode = netns_of(proc, task);
    if ((walk->aims & WALK_NEAR_LIMIT) != 0 && !walker->near_limit)
        walker->near_limit = is_near_limit(walk, task, visit->pid);
    if ((walk->aims & WALK_DESCRIPTORS) == 0)
        return;
    int result = walk_descriptors(walk, walker, visit, task);
    /*
     * Has the first thread ended? It then has no namespace. A kernel thread has no descriptors either, but a namespace.
     */
    if (result == 0 && visit->fds_open == 0 && visit->netns_inode == 0) {
        find_other_thread(proc, visit->pid, task, sizeof task);
        if (task[0] != '\0') {
            visit->netns_inode = netns_of(proc, task);
            result = walk_descriptors(walk, walker, visit, task);
        }
    }
    if (is_refusal(result))
        count_hidden(&walker->hidden, proc, visit->pid);
    else if ((walk->aims & WALK_CAREFULLY) != 0)
        walk_other_tables(walk, walker, visit);
}

static void visit_processes(void *data, unsigned number)
{
    struct walk *walk = data;
    struct walker *walker = &walk->walkers[number];
    size_t at;
    while ((at = atomic_fetch_add(&walk->next, 1)) < walk->visit_count) {
        walk->visits[at].walker = number;
        visit_process(walk, walker, &walk->visits[at]);
    }
}

/* --- all processes ---------------------------------------------------------------------------------------------- */

static void list_processes(struct walk *walk)
{
    const struct dirent *entry;
    while ((entry = readdir(walk->folder)) != NULL) {
        uint64_t pid;
        if (text_parse_number(entry->d_name, UINT32_MAX, &pid) < 0)
            continue;
        xvec_grow((void **)&walk->visits, walk->visit_count, &walk->visit_capacity, sizeof *walk->visits);
        walk->visits[walk->visit_count++] = (struct walk_visit){ .pid = (uint32_t)pid };
    }
    struct stat own; /* this process has descriptors open, at least /proc: a size of 0 is not their number */
    walk->knows_sizes = fstatat(dirfd(walk->folder), "self/fd", &own, 0) == 0 && own.st_size > 0;
}

/* Adds the results of one visit. The caller goes by pid: so the holders of a process are neighbours in the snapshot. */
static void collect_process(const struct walk *walk, const struct walk_visit *visit, struct netns_map *map)
{
    struct snapshot *snapshot = map->snapshot;
    uint32_t netns = visit->netns_inode != 0 ? netns_intern(map, visit->netns_inode) : NO_INDEX;
    if (netns != NO_INDEX && snapshot->netns[netns].pid == 0)
        snapshot->netns[netns].pid = visit->pid;
    if (visit->fds_sockets == 0)
        return;
    struct process *process = snapshot_add_process(snapshot);
    *process = (struct process){
        .pid = visit->pid,
        .cgroup = NO_INDEX,
        .netns = netns,
        .fds_open = visit->fds_open,
        .fds_sockets = visit->fds_sockets,
    };
    const struct holder *holders = walk->walkers[visit->walker].holders + visit->first_holder;
    for (uint32_t i = 0; i < visit->fds_sockets; i++) {
        struct holder *holder = snapshot_add_holder(snapshot);
        *holder = holders[i];
        holder->process = (uint32_t)(snapshot->process_count - 1);
    }
}

static void collect_walker(const struct walker *walker, struct netns_map *map, struct walk_hidden *hidden)
{
    for (size_t i = 0; i < walker->fd_netns_count; i++) {
        uint32_t index = netns_intern(map, walker->fd_netns[i].inode);
        if (index != NO_INDEX && map->snapshot->netns[index].pid == 0)
            map->snapshot->netns[index] = walker->fd_netns[i];
    }
    unsigned processes = hidden->processes + walker->hidden.processes;
    if (hidden->processes == 0 || (walker->hidden.processes > 0 && walker->hidden.pid < hidden->pid))
        *hidden = walker->hidden;
    hidden->processes = processes;
}

static void collect(const struct walk *walk, struct netns_map *map, struct walk_hidden *hidden)
{
    for (size_t i = 0; i < walk->visit_count; i++)
        collect_process(walk, &walk->visits[i], map);
    /* After the processes: a process in a namespace is a better way into it than a process with a descriptor of it. */
    for (unsigned i = 0; i < PARALLEL_MAX; i++)
        collect_walker(&walk->walkers[i], map, hidden);
}

static void walk_deinit(struct walk *walk)
{
    for (unsigned i = 0; i < PARALLEL_MAX; i++) {
        free(walk->walkers[i].holders);
        free(walk->walkers[i].fd_netns);
    }
    free(walk->visits);
    closedir(walk->folder);
}

int walk_begin(struct walk *walk, unsigned aims)
{
    memset(walk, 0, sizeof *walk);
    walk->aims = aims;
    walk->folder = opendir("/proc");
    if (walk->folder == NULL)
        return -errno;
    list_processes(walk);
    unsigned workers = walk->visit_count > ALONE_MAX ? parallel_cores() : 1;
    if (workers == 1) /* the walk must not run after the sockets were read: see reread_unowned() in source.c */
        visit_processes(walk, 0);
    parallel_begin(&walk->parallel, workers, visit_processes, walk);
    return 0;
}

void walk_end(struct walk *walk, struct netns_map *map, struct walk_hidden *ret_hidden)
{
    *ret_hidden = (struct walk_hidden){ 0 };
    parallel_end(&walk->parallel);
    collect(walk, map, ret_hidden);
    for (unsigned i = 0; i < PARALLEL_MAX; i++)
        walk->near_limit |= walk->walkers[i].near_limit;
    walk_deinit(walk);
}
