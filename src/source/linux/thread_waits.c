/* Finds where the threads of a process wait: /proc/PID/task/TID/{stat,wchan,syscall}. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/holders.h"
#include "source/linux/proc_file.h"
#include "source/linux/proc_text.h"
#include "source/linux/processes.h"

/* With more threads or places, the places where most threads wait would hardly change. */
enum { THREADS_MAX = 2048, PLACES_MAX = 16, TEXT_BYTES = 1024 };

/* The system calls in which servers wait. `has_fd`: the first argument is the descriptor that the call waits for. */
static const struct {
    long number;
    const char *name;
    bool has_fd;
} calls[] = {
    { SYS_read, "read", true },
    { SYS_write, "write", true },
    { SYS_readv, "readv", true },
    { SYS_writev, "writev", true },
    { SYS_recvfrom, "recvfrom", true },
    { SYS_recvmsg, "recvmsg", true },
    { SYS_sendto, "sendto", true },
    { SYS_sendmsg, "sendmsg", true },
    { SYS_connect, "connect", true },
#ifdef SYS_accept
    { SYS_accept, "accept", true },
#endif
    { SYS_accept4, "accept4", true },
    { SYS_flock, "flock", true },
    { SYS_fcntl, "fcntl", true },
    { SYS_fsync, "fsync", true },
#ifdef SYS_epoll_wait
    { SYS_epoll_wait, "epoll_wait", false },
#endif
    { SYS_epoll_pwait, "epoll_pwait", false },
#ifdef SYS_poll
    { SYS_poll, "poll", false },
#endif
    { SYS_ppoll, "ppoll", false },
#ifdef SYS_select
    { SYS_select, "select", false },
#endif
    { SYS_pselect6, "pselect6", false },
    { SYS_futex, "futex", false },
    { SYS_nanosleep, "nanosleep", false },
    { SYS_clock_nanosleep, "clock_nanosleep", false },
    { SYS_wait4, "wait4", false },
    { SYS_waitid, "waitid", false },
#ifdef SYS_pause
    { SYS_pause, "pause", false },
#endif
    { SYS_rt_sigtimedwait, "rt_sigtimedwait", false },
    { SYS_rt_sigsuspend, "rt_sigsuspend", false },
    { SYS_io_uring_enter, "io_uring_enter", false },
};

struct places {
    struct wait_place items[PLACES_MAX];
    size_t count;
};

/* Describes a descriptor: "the ESTABLISHED connection to 10.0.0.9:5432", or its link in /proc. NULL: unknown. */
static const char *describe_target(struct snapshot *snapshot, uint32_t pid, int fd)
{
    char path[48], link[256];
    snprintf(path, sizeof path, "/proc/%u/fd/%d", pid, fd);
    ssize_t length = readlink(path, link, sizeof link - 1);
    if (length <= 0)
        return NULL;
    link[length] = '\0';
    uint32_t inode;
    if (!proc_parse_socket_link(link, (size_t)length, &inode))
        return arena_strdup(&snapshot->arena, link);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (conn->inode != inode)
            continue;
        struct buf text = { 0 };
        if (conn_is_listener(conn)) {
            buf_str(&text, "the listener on ");
            ip_port_format(&text, &conn->local, conn->local_port);
        } else {
            buf_printf(&text, "the %s connection to ", state_name(conn->state));
            ip_port_format(&text, &conn->remote, conn->remote_port);
        }
        const char *copy = arena_strdup(&snapshot->arena, buf_text(&text));
        buf_deinit(&text);
        return copy;
    }
    return "a socket that is not TCP";
}

/*
 * Finds or adds the place. If the array is full, it returns a place that differs only in the descriptor, so that a
 * server with one thread for each connection is counted. NULL: there is no such place; the thread is not counted.
 */
static struct wait_place *place_for(
    struct snapshot *snapshot, struct places *places, const struct wait_place *wanted, uint32_t pid)
{
    struct wait_place *similar = NULL;
    for (size_t i = 0; i < places->count; i++) {
        struct wait_place *place = &places->items[i];
        bool same_channel = (place->channel == NULL) == (wanted->channel == NULL) &&
            (wanted->channel == NULL || strcmp(place->channel, wanted->channel) == 0);
        if (place->state != wanted->state || place->call != wanted->call || !same_channel)
            continue;
        if (place->fd == wanted->fd)
            return place;
        similar = place;
    }
    if (places->count == PLACES_MAX) {
        if (similar != NULL) { /* the place now stands for several descriptors */
            similar->fd = -1;
            similar->target = NULL;
        }
        return similar;
    }
    struct wait_place *place = &places->items[places->count++];
    *place = *wanted;
    if (wanted->channel != NULL)
        place->channel = arena_strdup(&snapshot->arena, wanted->channel);
    if (wanted->fd >= 0)
        place->target = describe_target(snapshot, pid, wanted->fd);
    return place;
}

static void add_thread(struct snapshot *snapshot, struct places *places, uint32_t pid, int tasks, const char *thread)
{
    char path[300], text[TEXT_BYTES], channel[128];
    struct proc_stat stat;
    struct wait_place wanted = { .fd = -1 };

    snprintf(path, sizeof path, "%s/stat", thread);
    if (proc_read(tasks, path, text, sizeof text) <= 0 || proc_parse_stat(text, &stat) < 0)
        return;
    wanted.state = stat.state;
    snprintf(path, sizeof path, "%s/wchan", thread);
    if (proc_read(tasks, path, channel, sizeof channel) > 0 && strcmp(channel, "0") != 0)
        wanted.channel = channel;

    long number = -1;
    uint64_t argument = 0;
    snprintf(path, sizeof path, "%s/syscall", thread);
    if (stat.state != 'R' && proc_read(tasks, path, text, sizeof text) > 0 &&
        proc_parse_syscall(text, &number, &argument) == 0 && number >= 0) {
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
            if (calls[i].number == number) {
                wanted.call = calls[i].name;
                wanted.fd = calls[i].has_fd && argument <= INT32_MAX ? (int)argument : -1;
            }
        }
    }
    struct wait_place *place = place_for(snapshot, places, &wanted, pid);
    if (place != NULL)
        place->threads++;
}

static int more_threads_first(const void *a, const void *b)
{
    const struct wait_place *one = a, *other = b;
    return one->threads < other->threads ? 1 : one->threads > other->threads ? -1 : 0;
}

static void find_waits(struct snapshot *snapshot, struct process *process)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%u/task", process->pid);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    struct places places = { .count = 0 };
    unsigned threads = 0;
    const struct dirent *entry;
    while (threads < THREADS_MAX && (entry = readdir(directory)) != NULL) {
        uint64_t thread;
        if (text_parse_number(entry->d_name, UINT32_MAX, &thread) < 0)
            continue;
        add_thread(snapshot, &places, process->pid, dirfd(directory), entry->d_name);
        threads++;
    }
    closedir(directory);
    if (places.count == 0)
        return;
    qsort(places.items, places.count, sizeof *places.items, more_threads_first);
    struct wait_place *copy = arena_alloc(&snapshot->arena, places.count * sizeof *copy);
    memcpy(copy, places.items, places.count * sizeof *copy);
    process->waits = copy;
    process->wait_count = places.count;
}

/* True if data has waited in the receive queue for a while: perhaps the process does not read. */
static bool may_be_unread(const struct conn *conn)
{
    enum { UNREAD_MS = 30 * 1000 };
    return conn->state == STATE_ESTABLISHED && conn->recv_q_bytes > 0 && conn_has(conn, CONN_TCP_INFO) &&
        conn->last_data_recv_ms >= UNREAD_MS;
}

void processes_find_waits(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        bool may_be_stuck = conn->state == STATE_CLOSE_WAIT || (conn_is_listener(conn) && conn->recv_q_bytes > 0) ||
            may_be_unread(conn);
        if (!may_be_stuck)
            continue;
        for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h)) {
            struct process *process = holders_process(snapshot, h);
            if (process->waits == NULL)
                find_waits(snapshot, process);
        }
    }
}
