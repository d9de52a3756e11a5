#include "source/linux/owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "source/linux/proc_file.h"
#include "source/linux/proc_text.h"

/* Room for "socket:[4294967295]" and "net:[4026531840]". */
enum { LINK_BYTES = 64, DIRECTORY_BYTES = 32 * 1024 };

static void note_hidden(struct owners *owners, int proc, uint32_t pid)
{
    char path[32], text[1024];
    struct proc_stat stat;
    snprintf(path, sizeof path, "%u/stat", pid);
    if (proc_read(proc, path, text, sizeof text) <= 0 || proc_parse_stat(text, &stat) < 0)
        return;             /* it has gone */
    if (stat.kernel_thread) /* has no descriptors */
        return;
    owners->hidden_processes++;
    if (owners->hidden_pid == 0) {
        owners->hidden_pid = pid;
        memcpy(owners->hidden_name, stat.name, sizeof owners->hidden_name);
    }
}

/* The index of the namespace that a process is in, added where it is new; NO_INDEX where it cannot be told. */
static uint32_t netns_of(struct snapshot *snapshot, int proc, const char *task, uint32_t pid)
{
    char path[48], link[LINK_BYTES];
    snprintf(path, sizeof path, "%s/ns/net", task);
    ssize_t length = readlinkat(proc, path, link, sizeof link - 1);
    if (length <= 0)
        return NO_INDEX;
    link[length] = '\0';
    unsigned long long inode;
    if (sscanf(link, "net:[%llu]", &inode) != 1)
        return NO_INDEX;
    size_t index = 0;
    while (index < snapshot->netns_count && snapshot->netns[index].inode != inode)
        index++;
    if (index == snapshot->netns_count) {
        struct netns *netns = snapshot_add_netns(snapshot);
        if (netns == NULL)
            return NO_INDEX;
        netns->inode = inode;
    }
    if (snapshot->netns[index].pid == 0)
        snapshot->netns[index].pid = pid;
    return (uint32_t)index;
}

/* Counts one descriptor of a process and notes it as a holder where it is a socket. */
static int take_descriptor(struct snapshot *snapshot, struct process *process, uint32_t process_index, int folder,
    const char *name, bool *ret_refused)
{
    uint64_t fd;
    char link[LINK_BYTES];
    if (text_parse_number(name, INT32_MAX, &fd) < 0)
        return 0; /* "." and ".." */
    process->fds_open++;
    ssize_t length = readlinkat(folder, name, link, sizeof link);
    uint32_t inode;
    if (length < 0)
        *ret_refused |= errno == EACCES || errno == EPERM;
    if (length <= 0 || !proc_parse_socket_link(link, (size_t)length, &inode))
        return 0;
    process->fds_sockets++;
    struct holder *holder = snapshot_add_holder(snapshot);
    if (holder == NULL)
        return -ENOMEM;
    *holder = (struct holder){
        .inode = inode, .process = process_index, .fd = (uint32_t)fd & INT32_MAX, .next = NO_INDEX
    };
    return 0;
}

/* The descriptors of one task ("812"). Returns 0, -ENOMEM, or what opening its folder failed with. */
static int walk_descriptors(struct snapshot *snapshot, struct process *process, uint32_t process_index, int proc,
    const char *task, bool *ret_refused)
{
    char path[48];
    snprintf(path, sizeof path, "%s/fd", task);
    int folder = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    _Alignas(struct dirent64) char entries[DIRECTORY_BYTES];
    int result = 0;
    ssize_t length;
    while (result == 0 && (length = getdents64(folder, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < length && result == 0;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            result = take_descriptor(snapshot, process, process_index, folder, entry->d_name, ret_refused);
            at += entry->d_reclen;
        }
    }
    close(folder);
    return result;
}

/*
 * Another thread of a process ("812/task/814"), or "" where there is none. When the first thread of a process has ended
 * (pthread_exit() in main()), its folders are empty, but the descriptors live on with the others.
 */
static void find_other_thread(int proc, uint32_t pid, char *task, size_t size)
{
    char path[32];
    task[0] = '\0';
    snprintf(path, sizeof path, "%u/task", pid);
    int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    const struct dirent *entry;
    while (task[0] == '\0' && (entry = readdir(directory)) != NULL) {
        uint64_t thread;
        if (text_parse_number(entry->d_name, UINT32_MAX, &thread) == 0 && thread != pid)
            snprintf(task, size, "%u/task/%u", pid, (uint32_t)thread);
    }
    closedir(directory);
}

static int walk_process(struct owners *owners, struct snapshot *snapshot, int proc, uint32_t pid)
{
    char task[32];
    snprintf(task, sizeof task, "%u", pid);
    struct process process = { .pid = pid, .cgroup = NO_INDEX, .netns = netns_of(snapshot, proc, task, pid) };
    bool refused = false;
    uint32_t index = (uint32_t)snapshot->process_count;
    int result = walk_descriptors(snapshot, &process, index, proc, task, &refused);
    if (result == 0 && process.fds_open == 0 && process.netns == NO_INDEX) { /* kernel threads have a namespace */
        find_other_thread(proc, pid, task, sizeof task);
        if (task[0] != '\0') {
            process.netns = netns_of(snapshot, proc, task, pid);
            result = walk_descriptors(snapshot, &process, index, proc, task, &refused);
        }
    }
    if (result == -ENOMEM)
        return result;
    if (refused || result == -EACCES || result == -EPERM)
        note_hidden(owners, proc, pid);
    if (process.fds_sockets == 0)
        return 0;
    struct process *added = snapshot_add_process(snapshot);
    if (added == NULL)
        return -ENOMEM;
    *added = process;
    return 0;
}

static size_t slot_of(const struct owners *owners, const struct snapshot *snapshot, uint32_t inode)
{
    size_t slot = (inode * 0x9e3779b1U) & (owners->slots - 1);
    while (owners->table[slot] != NO_INDEX && snapshot->holders[owners->table[slot]].inode != inode)
        slot = (slot + 1) & (owners->slots - 1);
    return slot;
}

int owners_index(struct owners *owners, struct snapshot *snapshot)
{
    owners->slots = 64;
    while (owners->slots < snapshot->holder_count * 2)
        owners->slots *= 2;
    owners->table = malloc(owners->slots * sizeof *owners->table);
    if (owners->table == NULL)
        return -ENOMEM;
    memset(owners->table, 0xff, owners->slots * sizeof *owners->table); /* NO_INDEX */
    /*
     * From the last to the first, each put before those of the same socket: their lists keep the order of the walk.
     */
    for (size_t i = snapshot->holder_count; i-- > 0;) {
        size_t slot = slot_of(owners, snapshot, snapshot->holders[i].inode);
        snapshot->holders[i].next = owners->table[slot];
        owners->table[slot] = (uint32_t)i;
    }
    return 0;
}

int owners_walk(struct owners *owners, struct snapshot *snapshot)
{
    *owners = (struct owners){ 0 };
    DIR *directory = opendir("/proc");
    if (directory == NULL)
        return -errno;
    int result = 0;
    const struct dirent *entry;
    while (result == 0 && (entry = readdir(directory)) != NULL) {
        uint64_t pid;
        if (text_parse_number(entry->d_name, UINT32_MAX, &pid) == 0)
            result = walk_process(owners, snapshot, dirfd(directory), (uint32_t)pid);
    }
    closedir(directory);
    return result < 0 ? result : owners_index(owners, snapshot);
}

void owners_deinit(struct owners *owners)
{
    free(owners->table);
    *owners = (struct owners){ 0 };
}

void owners_join(const struct owners *owners, struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        struct conn *conn = &snapshot->conns[i];
        if (conn->inode == 0)
            continue;
        conn->holder = owners->table[slot_of(owners, snapshot, conn->inode)];
        uint32_t last = NO_INDEX;
        for (uint32_t h = conn->holder; h != NO_INDEX; h = snapshot->holders[h].next) {
            if (snapshot->holders[h].process != last)
                snapshot->processes[snapshot->holders[h].process].tcp_sockets++;
            last = snapshot->holders[h].process;
        }
    }

    uint32_t *moved_to = xrealloc_array(NULL, snapshot->process_count, sizeof *moved_to);
    uint32_t kept = 0;
    for (size_t i = 0; i < snapshot->process_count; i++) {
        moved_to[i] = snapshot->processes[i].tcp_sockets > 0 ? kept : NO_INDEX;
        if (moved_to[i] != NO_INDEX)
            snapshot->processes[kept++] = snapshot->processes[i];
    }
    snapshot->process_count = kept;
    /* The holders of other sockets than TCP's stay, but nothing leads to them. */
    for (size_t i = 0; i < snapshot->holder_count; i++)
        snapshot->holders[i].process = moved_to[snapshot->holders[i].process];
    free(moved_to);
}
