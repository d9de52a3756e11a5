#include "source/capture/process_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/holders.h"

enum { SLOTS_FIRST = 256 };

static uint64_t hash_of(uint32_t pid, const char *name, size_t length)
{
    uint64_t hash = pid;
    for (size_t i = 0; pid == 0 && i < length; i++)
        hash = hash * 31 + (unsigned char)name[i];
    return hash_mix(hash);
}

static bool is_it(const struct process *process, uint32_t pid, const char *name, size_t length)
{
    if (process->pid != pid)
        return false;
    return pid != 0 ||
        (process->name != NULL && strlen(process->name) == length && memcmp(process->name, name, length) == 0);
}

static bool grow(struct pids *pids, const struct snapshot *snapshot)
{
    size_t count = pids->slot_count != 0 ? pids->slot_count * 2 : SLOTS_FIRST;
    uint32_t *slots = malloc(count * sizeof *slots);
    if (slots == NULL)
        return false;
    memset(slots, 0xff, count * sizeof *slots); /* NO_INDEX */
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const struct process *process = &snapshot->processes[i];
        const char *name = process->name ? process->name : "";
        size_t slot = hash_of(process->pid, name, strlen(name)) & (count - 1);
        while (slots[slot] != NO_INDEX)
            slot = (slot + 1) & (count - 1);
        slots[slot] = (uint32_t)i;
    }
    free(pids->slots);
    pids->slots = slots;
    pids->slot_count = count;
    return true;
}

static void keep_name(struct snapshot *snapshot, struct process *process, const char *name, size_t length)
{
    if (process->name == NULL && length > 0)
        process->name = arena_strndup(&snapshot->arena, name, length);
}

static uint32_t add(struct snapshot *snapshot, uint32_t pid, const char *name, size_t length)
{
    struct process *process = snapshot_add_process(snapshot);
    if (process == NULL)
        return NO_INDEX;
    process->pid = pid;
    process->state = '?';
    process->cgroup = NO_INDEX;
    keep_name(snapshot, process, name, length);
    return (uint32_t)(snapshot->process_count - 1);
}

uint32_t pids_find(struct pids *pids, struct snapshot *snapshot, uint32_t pid, const char *name, size_t length)
{
    if (pids->last < snapshot->process_count && is_it(&snapshot->processes[pids->last], pid, name, length)) {
        keep_name(snapshot, &snapshot->processes[pids->last], name, length);
        return pids->last;
    }
    if ((snapshot->process_count + 1) * 2 > pids->slot_count && !grow(pids, snapshot))
        return NO_INDEX;
    size_t slot = hash_of(pid, name, length) & (pids->slot_count - 1);
    while (pids->slots[slot] != NO_INDEX && !is_it(&snapshot->processes[pids->slots[slot]], pid, name, length))
        slot = (slot + 1) & (pids->slot_count - 1);
    if (pids->slots[slot] == NO_INDEX)
        pids->slots[slot] = add(snapshot, pid, name, length);
    pids->last = pids->slots[slot];
    if (pids->last != NO_INDEX)
        keep_name(snapshot, &snapshot->processes[pids->last], name, length);
    return pids->last;
}

void pids_name(const struct pids *pids, struct snapshot *snapshot, uint32_t pid, const char *name, size_t length)
{
    if (pids->slot_count == 0)
        return;
    size_t slot = hash_of(pid, name, length) & (pids->slot_count - 1);
    for (; pids->slots[slot] != NO_INDEX; slot = (slot + 1) & (pids->slot_count - 1)) {
        struct process *process = &snapshot->processes[pids->slots[slot]];
        if (process->pid == pid)
            keep_name(snapshot, process, name, length);
    }
}

void pids_deinit(struct pids *pids)
{
    free(pids->slots);
    *pids = (struct pids){ 0 };
}

bool pids_hold(struct snapshot *snapshot, struct conn *conn, uint32_t process, uint32_t fd)
{
    bool counted = false;
    uint32_t last = NO_INDEX;
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next(snapshot, h)) {
        counted |= h->process == process;
        last = (uint32_t)(h - snapshot->holders);
    }
    struct holder *holder = snapshot_add_holder(snapshot);
    if (holder == NULL)
        return false;
    uint32_t index = (uint32_t)(snapshot->holder_count - 1);
    *holder = (struct holder){ .inode = conn->inode, .process = process, .fd = fd & FD_UNKNOWN, .next = NO_INDEX };
    if (last == NO_INDEX)
        conn->holder = index;
    else
        snapshot->holders[last].next = index;
    snapshot->processes[process].tcp_sockets += !counted;
    return true;
}
