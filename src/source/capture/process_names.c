#include "source/capture/process_names.h"

#include <string.h>

#include "base/hash.h"
#include "model/holders.h"

static uint64_t hash_of(uint32_t pid, const char *name, size_t length)
{
    return pid != 0 ? hash_number(pid) : hash_bytes(0, name, length);
}

static bool is_it(const struct process *process, uint32_t pid, const char *name, size_t length)
{
    if (process->pid != pid)
        return false;
    return pid != 0 ||
        (process->name != NULL && strlen(process->name) == length && memcmp(process->name, name, length) == 0);
}

static void set_name(struct snapshot *snapshot, struct process *process, const char *name, size_t length)
{
    if (process->name == NULL && length > 0)
        process->name = arena_strndup(&snapshot->arena, name, length);
}

static uint32_t add(struct snapshot *snapshot, uint32_t pid, const char *name, size_t length)
{
    struct process *process = snapshot_add_process(snapshot);
    process->pid = pid;
    process->state = '?';
    process->cgroup = NO_INDEX;
    set_name(snapshot, process, name, length);
    return (uint32_t)(snapshot->process_count - 1);
}

uint32_t pids_find(struct pids *pids, struct snapshot *snapshot, uint32_t pid, const char *name, size_t length)
{
    if (pids->last < snapshot->process_count && is_it(&snapshot->processes[pids->last], pid, name, length)) {
        set_name(snapshot, &snapshot->processes[pids->last], name, length);
        return pids->last;
    }
    uint64_t hash = hash_of(pid, name, length);
    struct hash_walk walk = hash_index_walk(&pids->index, hash);
    do
        pids->last = hash_walk_next(&pids->index, &walk);
    while (pids->last != HASH_NONE && !is_it(&snapshot->processes[pids->last], pid, name, length));
    if (pids->last == HASH_NONE) {
        pids->last = add(snapshot, pid, name, length);
        if (pids->last != NO_INDEX)
            hash_index_add(&pids->index, hash, pids->last);
    }
    if (pids->last != NO_INDEX)
        set_name(snapshot, &snapshot->processes[pids->last], name, length);
    return pids->last;
}

void pids_name(const struct pids *pids, struct snapshot *snapshot, uint32_t pid, const char *name, size_t length)
{
    struct hash_walk walk = hash_index_walk(&pids->index, hash_of(pid, name, length));
    for (uint32_t number; (number = hash_walk_next(&pids->index, &walk)) != HASH_NONE;) {
        struct process *process = &snapshot->processes[number];
        if (process->pid == pid)
            set_name(snapshot, process, name, length);
    }
}

void pids_deinit(struct pids *pids)
{
    hash_index_deinit(&pids->index);
    *pids = (struct pids){ 0 };
}

void pids_hold(struct snapshot *snapshot, struct conn *conn, uint32_t process, uint32_t fd)
{
    bool counted = false;
    uint32_t last = NO_INDEX;
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next(snapshot, h)) {
        counted |= h->process == process;
        last = (uint32_t)(h - snapshot->holders);
    }
    struct holder *holder = snapshot_add_holder(snapshot);
    uint32_t index = (uint32_t)(snapshot->holder_count - 1);
    *holder = (struct holder){ .inode = conn->inode, .process = process, .fd = fd & FD_UNKNOWN, .next = NO_INDEX };
    if (last == NO_INDEX)
        conn->holder = index;
    else
        snapshot->holders[last].next = index;
    snapshot->processes[process].tcp_sockets += !counted;
}
