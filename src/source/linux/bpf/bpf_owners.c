#include "source/linux/bpf/bpf_owners.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "source/linux/bpf/bpf_iterate.h"

struct task_netns {
    uint32_t pid, tid;
    uint32_t netns; /* index */
};

/* --- namespaces of tasks -------------------------------------------------------------------------------------- */

static ssize_t add_task(const char *bytes, size_t length, void *data)
{
    struct bpf_owners *owners = data;
    struct bpf_task record;
    ssize_t consumed = bpf_parse_task(bytes, length, &record);
    if (consumed <= 0)
        return consumed;
    xvec_grow((void **)&owners->tasks, owners->task_count, &owners->task_capacity, sizeof *owners->tasks);
    uint32_t index = netns_intern(owners->map, record.netns);
    struct netns *netns = &owners->snapshot->netns[index];
    if (netns->pid == 0 || netns->by_descriptor) {
        netns->pid = record.tid;
        netns->by_descriptor = false;
    }
    owners->tasks[owners->task_count++] = (struct task_netns){ .pid = record.pid, .tid = record.tid, .netns = index };
    return consumed;
}

static int compare_tasks(const void *a, const void *b)
{
    const struct task_netns *one = a, *other = b;
    return one->tid < other->tid ? -1 : one->tid > other->tid;
}

static uint32_t netns_of(const struct bpf_owners *owners, uint32_t pid)
{
    struct task_netns wanted = { .tid = pid };
    const struct task_netns *found = owners->task_count > 0
        ? bsearch(&wanted, owners->tasks, owners->task_count, sizeof *owners->tasks, compare_tasks)
        : NULL;
    /* The first thread may have ended; then any thread of the process tells. */
    for (size_t i = 0; found == NULL && i < owners->task_count; i++) {
        if (owners->tasks[i].pid == pid)
            found = &owners->tasks[i];
    }
    return found != NULL ? found->netns : NO_INDEX;
}

/* --- descriptors ---------------------------------------------------------------------------------------------- */

/* Adds the process whose descriptors have all come to the snapshot, if some of them are sockets. */
static void end_process(struct bpf_owners *owners)
{
    if (owners->process.fds_sockets == 0)
        return;
    struct process *added = snapshot_add_process(owners->snapshot);
    *added = owners->process;
    added->tcp_sockets = 0; /* owners_join() counts them */
}

/* Returns the thread through which the kernel found the descriptors of a process. */
static uint32_t leader_of(const struct bpf_owners *owners, uint32_t pid)
{
    struct hash_walk walk = hash_index_walk(&owners->leader_pids, hash_number(pid));
    uint32_t number;
    while ((number = hash_walk_next(&owners->leader_pids, &walk)) != HASH_NONE) {
        if (owners->leaders[number].pid == pid)
            return owners->leaders[number].tid;
    }
    return pid;
}

static void add_leader(struct bpf_owners *owners, const struct bpf_file *file)
{
    xvec_grow((void **)&owners->leaders, owners->leader_count, &owners->leader_capacity, sizeof *owners->leaders);
    hash_index_add(&owners->leader_pids, hash_number(file->pid), (uint32_t)owners->leader_count);
    owners->leaders[owners->leader_count++] = (struct task_netns){ .pid = file->pid, .tid = file->tid };
}

static void begin_process(struct bpf_owners *owners, const struct bpf_file *file)
{
    end_process(owners);
    if (file->pid != file->tid)
        add_leader(owners, file);
    owners->process = (struct process){ .pid = file->pid, .cgroup = NO_INDEX, .netns = netns_of(owners, file->pid) };
    owners->table.process = (uint32_t)owners->snapshot->process_count;
}

/*
 * True if the thread has a descriptor table of its own. The kernel finds the table of a process through its first
 * thread. It comes to another thread if that one has its own table, or if the first thread has ended; in the second
 * case every thread comes, with the same table (task_seq_get_next() in kernel/bpf/task_iter.c). kcmp(2) tells the cases
 * apart.
 */
static bool has_own_table(const struct bpf_owners *owners, const struct bpf_file *file)
{
    return syscall(SYS_kcmp, leader_of(owners, file->pid), file->tid, KCMP_FILES, 0, 0) > 0;
}

static void begin_table(struct bpf_owners *owners, const struct bpf_file *file)
{
    bool may_have_come = file->pid != file->tid || owners->leader_count > 0;
    const struct process *known = NULL; /* the process, if it is in the snapshot already */
    bool is_latest = file->pid == owners->process.pid;
    if (may_have_come && !is_latest)
        known = snapshot_process_by_pid(owners->snapshot, file->pid);
    owners->table.pid = file->pid;
    owners->table.tid = file->tid;
    owners->table.is_first = !is_latest && known == NULL;
    owners->table.is_new = owners->table.is_first || has_own_table(owners, file);
    if (owners->table.is_first)
        begin_process(owners, file);
    else
        owners->table.process = (uint32_t)(is_latest ? owners->snapshot->process_count
                                                     : (size_t)(known - owners->snapshot->processes));
}

static void count_socket(struct bpf_owners *owners)
{
    bool is_latest = owners->table.process == owners->snapshot->process_count;
    struct process *process = is_latest ? &owners->process : &owners->snapshot->processes[owners->table.process];
    process->fds_sockets++;
}

static void add_holder(struct bpf_owners *owners, const struct bpf_file *file)
{
    struct holder *holder = snapshot_add_holder(owners->snapshot);
    *holder = (struct holder){
        .inode = file->inode,
        .process = owners->table.process,
        .fd = file->fd & INT32_MAX,
        .next = NO_INDEX,
    };
}

static void add_fd_netns(struct bpf_owners *owners, const struct bpf_file *file)
{
    xvec_grow((void **)&owners->fd_netns, owners->fd_netns_count, &owners->fd_netns_capacity, sizeof *owners->fd_netns);
    owners->fd_netns[owners->fd_netns_count++] = (struct netns){
        .inode = file->inode, .pid = file->pid, .by_descriptor = true, .fd = file->fd
    };
}

static void add_bound(struct bpf_owners *owners, const struct bpf_bound_conn *bound)
{
    xvec_grow((void **)&owners->bounds, owners->bound_count, &owners->bound_capacity, sizeof *owners->bounds);
    owners->bounds[owners->bound_count++] = *bound;
}

static ssize_t add_file(const char *bytes, size_t length, void *data)
{
    struct bpf_owners *owners = data;
    struct bpf_file file;
    struct bpf_bound_conn bound;
    ssize_t consumed = bpf_parse_file(bytes, length, owners->hz, &file, &bound);
    if (consumed <= 0)
        return consumed;
    if (file.pid != owners->table.pid || file.tid != owners->table.tid)
        begin_table(owners, &file);
    if (!owners->table.is_new)
        return consumed;
    owners->process.fds_open += owners->table.is_first;
    if (file.kind == BPF_FILE_SOCKET || file.kind == BPF_FILE_STREAM || file.kind == BPF_FILE_BOUND)
        count_socket(owners);
    if (file.kind == BPF_FILE_BOUND)
        add_bound(owners, &bound);
    if (file.kind == BPF_FILE_STREAM || file.kind == BPF_FILE_BOUND)
        add_holder(owners, &file);
    if (file.kind == BPF_FILE_NETNS)
        add_fd_netns(owners, &file);
    return consumed;
}

static void walk_descriptors(void *data, unsigned worker)
{
    (void)worker;
    struct bpf_owners *owners = data;
    if (atomic_exchange(&owners->begun, true))
        return;
    owners->result = bpf_iterate(owners->files_link, add_file, owners);
    if (owners->result == 0)
        end_process(owners);
}

/* --- bound sockets -------------------------------------------------------------------------------------------- */

static int compare_bounds(const void *a, const void *b)
{
    const struct bpf_bound_conn *one = a, *other = b;
    return one->conn.cookie < other->conn.cookie ? -1 : one->conn.cookie > other->conn.cookie;
}

/* Sorts by cookie and removes duplicates: several descriptors may refer to one socket. */
static void sort_bounds(struct bpf_owners *owners)
{
    size_t count = 0;
    if (owners->bound_count > 0)
        qsort(owners->bounds, owners->bound_count, sizeof *owners->bounds, compare_bounds);
    for (size_t i = 0; i < owners->bound_count; i++) {
        if (count == 0 || compare_bounds(&owners->bounds[count - 1], &owners->bounds[i]) != 0)
            owners->bounds[count++] = owners->bounds[i];
    }
    owners->bound_count = count;
}

/* Marks the sockets that are among the connections already: they have begun to listen or to connect meanwhile. */
static void mark_changed(const struct bpf_owners *owners, size_t first, bool *changed)
{
    for (size_t i = first; i < owners->snapshot->conn_count; i++) {
        struct bpf_bound_conn wanted = { .conn.cookie = owners->snapshot->conns[i].cookie };
        const struct bpf_bound_conn *found = bsearch(
            &wanted, owners->bounds, owners->bound_count, sizeof *owners->bounds, compare_bounds);
        if (found != NULL)
            changed[found - owners->bounds] = true;
    }
}

int bpf_owners_add_bound(struct bpf_owners *owners, uint32_t netns, size_t first)
{
    struct snapshot *snapshot = owners->snapshot;
    if (owners->bound_count == 0 || (snapshot_states(snapshot) & STATE_BIT(STATE_BOUND)) == 0)
        return 0;
    bool *changed = xcalloc(owners->bound_count, sizeof *changed);
    mark_changed(owners, first, changed);
    int result = 0;
    for (size_t i = 0; i < owners->bound_count && result == 0; i++) {
        const struct bpf_bound_conn *bound = &owners->bounds[i];
        if (changed[i] || bound->netns_inode != snapshot->netns[netns].inode)
            continue;
        struct conn *conn = snapshot_add_conn(snapshot);
        if (conn == NULL) {
            result = -ENOMEM;
        } else {
            *conn = bound->conn;
            conn->netns = netns;
        }
    }
    free(changed);
    return result;
}

/* --- the walk ------------------------------------------------------------------------------------------------- */

int bpf_owners_begin(struct bpf_owners *owners, struct netns_map *map, unsigned aims)
{
    owners->map = map;
    owners->snapshot = map->snapshot;
    owners->task_count = owners->bound_count = owners->fd_netns_count = owners->leader_count = 0;
    owners->process = (struct process){ 0 };
    memset(&owners->table, 0, sizeof owners->table);
    hash_index_deinit(&owners->leader_pids);
    int result = bpf_iterate(owners->tasks_link, add_task, owners);
    if (result < 0)
        return result;
    bool descriptors = (aims & WALK_DESCRIPTORS) != 0;
    owners->result = 0;
    owners->has_walked = false;
    atomic_store(&owners->begun, !descriptors);
    unsigned workers = descriptors && parallel_cores() > 1 ? 2 : 1;
    if (workers == 1) /* the walk must not run after the sockets were read: see reread_unowned() in source.c */
        walk_descriptors(owners, 0);
    parallel_begin(&owners->parallel, workers, walk_descriptors, owners);
    return 0;
}

int bpf_owners_end(struct bpf_owners *owners)
{
    parallel_end(&owners->parallel);
    for (size_t i = 0; i < owners->fd_netns_count && owners->result == 0; i++) {
        uint32_t index = netns_intern(owners->map, owners->fd_netns[i].inode);
        if (owners->snapshot->netns[index].pid == 0)
            owners->snapshot->netns[index] = owners->fd_netns[i];
    }
    sort_bounds(owners);
    owners->has_walked = owners->result == 0;
    return owners->result;
}

void bpf_owners_deinit(struct bpf_owners *owners)
{
    free(owners->tasks);
    free(owners->bounds);
    free(owners->fd_netns);
    free(owners->leaders);
    hash_index_deinit(&owners->leader_pids);
}
