/*
 * Reads the snapshot of a Linux host in three steps: a walk over the processes finds namespaces and owners; each
 * namespace gives its sockets, settings and counters; /proc describes the processes that hold TCP sockets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/progress.h"
#include "source/linux/bpf/bpf.h"
#include "source/linux/closed.h"
#include "source/linux/gaps.h"
#include "source/linux/net_tcp.h"
#include "source/linux/netns.h"
#include "source/linux/owners.h"
#include "source/linux/pid_list.h"
#include "source/linux/processes.h"
#include "source/linux/settings.h"
#include "source/linux/sock_diag.h"
#include "source/linux/proc_walk.h"
#include "source/source.h"

static void describe_host(struct snapshot *snapshot)
{
    struct utsname name;
    if (uname(&name) < 0)
        return;
    snapshot->host_name = arena_strdup(&snapshot->arena, name.nodename);
    snapshot->kernel = arena_strdup(&snapshot->arena, name.release);
    snapshot->os = "linux";
    long page = sysconf(_SC_PAGESIZE);
    snapshot->page_bytes = page > 0 ? (uint32_t)page : 0;
}

/* --- sockets ---------------------------------------------------------------------------------------------------- */

struct reading {
    const struct source_options *options;
    struct netns_map netns;
    uint32_t own_netns;
    struct bpf_source *bpf; /* NULL: netlink or /proc is used */
    int netlink_refusal;    /* the error of netlink, after which /proc/net/tcp was read; 0: none */
    bool near_limit;        /* a process is near its limit of descriptors */
    bool knows_owners;      /* the descriptors were read */
    size_t unmatched;       /* holders that belong to no connection */
    struct walk_hidden hidden;
    uint64_t walked_ms; /* when the walk over the descriptors ended (CLOCK_BOOTTIME) */
};

static const struct {
    const char *name; /* in the snapshot */
    const char *api;
} sources[] = {
    [SOURCE_BPF] = { "linux-bpf", "eBPF" },
    [SOURCE_NETLINK] = { "linux-sock-diag", "NETLINK_SOCK_DIAG" },
    [SOURCE_PROC] = { "linux-proc-net-tcp", "/proc/net/tcp" },
};

/* Returns the kind of source that the connections came from. */
static enum source_kind source_used(const struct reading *reading)
{
    bool proc = reading->options->kind == SOURCE_PROC || reading->netlink_refusal != 0;
    return reading->bpf != NULL ? SOURCE_BPF : proc ? SOURCE_PROC : SOURCE_NETLINK;
}

static int read_sockets(struct snapshot *snapshot, uint32_t netns, void *data)
{
    struct reading *reading = data;
    if (reading->bpf != NULL)
        return bpf_source_read(reading->bpf, snapshot, netns);
    if (reading->options->kind != SOURCE_PROC) {
        int result = sock_diag_read(snapshot, netns);
        if (result == 0 || result == -ENOMEM || reading->options->kind == SOURCE_NETLINK)
            return result;
        reading->netlink_refusal = result;
    }
    return net_tcp_read(snapshot, netns);
}

static int read_netns(struct snapshot *snapshot, uint32_t netns, void *data)
{
    progress_begin("reading the sockets of network namespace", snapshot->netns[netns].name);
    settings_read(&snapshot->net_values[netns]);
    int result = read_sockets(snapshot, netns, data);
    progress_set_connections(snapshot->conn_count);
    return result;
}

static int fail_without_memory(struct error *err)
{
    return error_set(err, -ENOMEM, NULL, "not enough memory for this host's connections");
}

static int read_own_netns(struct reading *reading, struct error *err)
{
    int result = read_netns(reading->netns.snapshot, reading->own_netns, reading);
    if (result == -ENOMEM)
        return fail_without_memory(err);
    if (result < 0)
        return error_set(err, result, sources[source_used(reading)].api, "this host's sockets cannot be read: %s",
            strerror(-result));
    return 0;
}

/* Reads the namespaces from number `first` on, without the own one. */
static int read_other_netns(struct reading *reading, uint32_t first, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    unsigned refused = 0;
    int why = 0;
    const char *example = "";
    for (uint32_t i = first; i < snapshot->netns_count; i++) {
        if (i == reading->own_netns)
            continue;
        int result = netns_enter(snapshot, i, read_netns, reading);
        if (result == -ENOMEM)
            return fail_without_memory(err);
        if (result < 0 && result != -ENOENT) { /* -ENOENT: the namespace has ended, so nothing is hidden */
            refused++;
            why = result;
            example = snapshot->netns[i].name;
        }
    }
    gaps_add_netns(snapshot, refused, example, why);
    return 0;
}

/* --- sockets and owners ------------------------------------------------------------------------------------------ */

static int fail_to_walk(const struct reading *reading, int result, struct error *err)
{
    if (result == -ENOMEM)
        return fail_without_memory(err);
    return error_set(err, result, reading->bpf != NULL ? sources[SOURCE_BPF].api : "/proc",
        "processes cannot be walked over: %s", strerror(-result));
}

static int begin_walk(struct reading *reading, struct walk *walk, unsigned aims)
{
    return reading->bpf != NULL ? bpf_walk_begin(reading->bpf, &reading->netns, aims) : walk_begin(walk, aims);
}

static int end_walk(struct reading *reading, struct walk *walk)
{
    progress_begin("reading the descriptors of processes", NULL);
    int result = reading->bpf != NULL ? bpf_walk_end(reading->bpf) : 0;
    if (reading->bpf == NULL)
        walk_end(walk, &reading->netns, &reading->hidden);
    reading->near_limit = reading->bpf == NULL && walk->near_limit;
    reading->walked_ms = clock_boot_ms();
    return result;
}

/* Reads the sockets of the own namespace while other threads walk over the processes. */
static int walk_and_read(struct reading *reading, unsigned aims, struct error *err)
{
    struct walk walk;
    int result = begin_walk(reading, &walk, aims);
    if (result < 0)
        return fail_to_walk(reading, result, err);
    size_t first = reading->netns.snapshot->conn_count;
    int read = read_own_netns(reading, err);
    result = end_walk(reading, &walk);
    if (read == 0 && result == 0 && reading->bpf != NULL)
        result = bpf_source_add_bound(reading->bpf, reading->own_netns, first);
    if (read < 0)
        return read;
    if (result < 0)
        return fail_to_walk(reading, result, err);
    netns_find_named(&reading->netns);
    netns_name(&reading->netns, reading->own_netns);
    return reading->options->own_netns_only ? 0 : read_other_netns(reading, 0, err);
}

/*
 * Walks over the processes to find the owners, where the first walk has found only the namespaces that processes are
 * in. Those that only a descriptor keeps are found now, and read: the other ends of stuck connections may be there.
 */
static int walk_for_owners(struct reading *reading, unsigned how, struct error *err)
{
    struct walk walk;
    uint32_t known = (uint32_t)reading->netns.snapshot->netns_count;
    int result = begin_walk(reading, &walk, WALK_DESCRIPTORS | how);
    if (result == 0)
        result = end_walk(reading, &walk);
    if (result < 0)
        return fail_to_walk(reading, result, err);
    netns_name(&reading->netns, reading->own_netns);
    return reading->options->own_netns_only ? 0 : read_other_netns(reading, known, err);
}

/* True if a connection that the user asked for may have an owner: source.h. */
static bool asks_for_owners(const struct snapshot *snapshot, const struct source_options *options)
{
    if ((options->asked & STATE_BIT(STATE_CLOSED)) != 0) /* such sockets are found only through their holders */
        return true;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if ((options->asked & STATE_BIT(conn->state)) != 0 && (conn->inode != 0 || !options->asks_holders))
            return true;
    }
    return options->asked == 0;
}

/* Decides whether the owners must be found. All other parts of the snapshot have been read. */
static bool needs_owners(const struct reading *reading)
{
    const struct snapshot *snapshot = reading->netns.snapshot;
    const struct source_options *options = reading->options;
    if (!asks_for_owners(snapshot, options))
        return false;
    return options->needs_owners == NULL || reading->near_limit || closed_may_be_held(snapshot) ||
        options->needs_owners(snapshot, options->data);
}

/*
 * Marks the namespaces in which a socket has no owner, although it should have one. own_only: only the own namespace
 * was read before the walk had ended. If some processes are hidden from this user, other users' sockets do not count.
 */
static bool find_unowned(const struct reading *reading, bool own_only, bool *unowned)
{
    const struct snapshot *snapshot = reading->netns.snapshot;
    uid_t user = geteuid();
    bool any = false;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if ((own_only && conn->netns != reading->own_netns) || !gaps_is_unowned(conn) ||
            (reading->hidden.processes > 0 && conn->uid != user))
            continue;
        unowned[conn->netns] = true;
        any = true;
    }
    return any;
}

static void remove_conns(struct snapshot *snapshot, const bool *netns)
{
    size_t count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (!netns[snapshot->conns[i].netns])
            snapshot->conns[count++] = snapshot->conns[i];
    }
    snapshot->conn_count = count;
}

/*
 * Reads the sockets of such namespaces again. A socket seems to have no owner if it was read, then closed, and then its
 * process was walked over. This cannot happen to a socket that is read after the walk: it existed before, if it has
 * been stuck for a while.
 */
static int reread_unowned(struct reading *reading, bool own_only, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    bool *unowned = xcalloc(snapshot->netns_count, sizeof *unowned);
    int result = 0;
    if (find_unowned(reading, own_only, unowned)) {
        remove_conns(snapshot, unowned);
        for (uint32_t i = 0; i < snapshot->netns_count && result != -ENOMEM; i++) {
            if (unowned[i])
                result = i == reading->own_netns ? read_sockets(snapshot, i, reading)
                                                 : netns_enter(snapshot, i, read_sockets, reading);
        }
        if (result != -ENOMEM)
            result = 0;
        reading->unmatched = owners_join(snapshot);
    }
    free(unowned);
    return result < 0 ? fail_without_memory(err) : 0;
}

static bool has_unowned(const struct reading *reading)
{
    bool *unowned = xcalloc(reading->netns.snapshot->netns_count, sizeof *unowned);
    bool any = find_unowned(reading, false, unowned);
    free(unowned);
    return any;
}

/* Walks carefully, and counts the processes that began or ended meanwhile. */
static int walk_carefully(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    struct pid_list before, after = { 0 };
    snapshot->process_count = snapshot->holder_count = 0;
    int result = pid_list_read(&before);
    if (result == 0)
        result = walk_for_owners(reading, WALK_CAREFULLY, err);
    else
        result = fail_to_walk(reading, result, err);
    if (result == 0 && pid_list_read(&after) == 0)
        reading->hidden.unsettled = pid_list_differences(&before, &after);
    pid_list_deinit(&before);
    pid_list_deinit(&after);
    reading->unmatched = owners_join(snapshot);
    return result;
}

/*
 * Repeats the walk if sockets still have no owner. The first walk counts descriptors, so it can miss some of a process
 * that opens and closes others meanwhile. The careful walk misses none of a process that lives as long as the walk;
 * with eBPF every walk is like that. A process that ends may have handed its sockets on to one that the walk did not
 * meet: so it is tried once more, and then the gap says so.
 */
static int rewalk_carefully(struct reading *reading, struct error *err)
{
    enum { TRIES = 2 };
    int result = 0;
    bool settled = false;
    for (unsigned i = 0; i < TRIES && result == 0 && !settled && has_unowned(reading); i++) {
        result = walk_carefully(reading, err);
        if (result == 0)
            result = reread_unowned(reading, false, err);
        settled = reading->hidden.unsettled == 0;
    }
    return result;
}

static int read_host(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    const struct source_options *options = reading->options;
    bool all = options->states == 0 || options->asked == 0;
    bool walk_once = reading->bpf != NULL ? all || bpf_source_needs_walk(snapshot_states(snapshot))
                                          : all && options->needs_owners == NULL;
    unsigned aims = (options->own_netns_only ? 0 : WALK_NETNS) | (walk_once ? WALK_DESCRIPTORS : 0) |
        (options->needs_owners != NULL ? WALK_NEAR_LIMIT : 0);
    int result = walk_and_read(reading, aims, err);
    if (result < 0 || (!walk_once && !needs_owners(reading)))
        return result;
    if (!walk_once && (result = walk_for_owners(reading, 0, err)) < 0)
        return result;
    reading->knows_owners = true;
    reading->unmatched = owners_join(snapshot);
    result = reread_unowned(reading, walk_once, err);
    if (result == 0)
        result = rewalk_carefully(reading, err);
    bool may_use_bpf = options->kind == SOURCE_AUTO || options->kind == SOURCE_BPF;
    if (result == 0 && closed_find(snapshot, reading->unmatched, reading->bpf != NULL, may_use_bpf) < 0)
        result = fail_without_memory(err);
    return result;
}

/* Uses eBPF if the user asked for it. With SOURCE_AUTO it tries eBPF where that is faster, and else uses netlink. */
static int read_as_asked(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    enum source_kind kind = reading->options->kind;
    if (kind == SOURCE_BPF || (kind == SOURCE_AUTO && bpf_source_pays(reading->options->needs_owners == NULL))) {
        int result = bpf_source_new(&reading->bpf, err);
        if (result == 0)
            result = read_host(reading, err);
        if (result == 0 || kind == SOURCE_BPF)
            return result;
        bpf_source_free(reading->bpf);
        reading->bpf = NULL;
        snapshot->conn_count = snapshot->holder_count = snapshot->process_count = 0;
    }
    return read_host(reading, err);
}

/* Adds the process that source_options.netns_pid names, with its network namespace, if it has no TCP socket. */
static void add_asked_process(struct snapshot *snapshot, uint32_t pid)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%u/ns/net", pid);
    if (pid == 0 || snapshot_process_by_pid(snapshot, pid) != NULL || stat(path, &status) < 0)
        return;
    for (uint32_t i = 0; i < snapshot->netns_count; i++) {
        if (snapshot->netns[i].inode != status.st_ino)
            continue;
        struct process *process = snapshot_add_process(snapshot);
        process->pid = pid;
        process->netns = i;
        return;
    }
}

int source_read(const struct source_options *options, struct snapshot *snapshot, struct error *err)
{
    uint64_t started_us = clock_monotonic_us();
    snapshot->taken_at_ms = clock_real_ms();
    describe_host(snapshot);

    snapshot->states = options->states;
    struct reading reading = { .options = options };
    netns_map_init(&reading.netns, snapshot);
    int result = netns_find_own(&reading.netns, &reading.own_netns);
    if (result < 0)
        error_set(err, result, "/proc/self/ns/net", "cannot be read: %s", strerror(-result));
    else
        result = read_as_asked(&reading, err);
    netns_map_deinit(&reading.netns);
    if (result < 0)
        goto out;
    owners_drop_others(snapshot, options->own_netns_only ? snapshot->netns[reading.own_netns].inode : 0);
    add_asked_process(snapshot, options->netns_pid);
    processes_describe(snapshot, reading.walked_ms);
    processes_find_waits(snapshot);
    processes_find_close_on_exec(snapshot);
    if (reading.knows_owners)
        gaps_add_owners(snapshot, &reading.hidden);
    snapshot->source = sources[source_used(&reading)].name;
    if (source_used(&reading) == SOURCE_PROC)
        gaps_add_proc(snapshot, reading.netlink_refusal);
    snapshot->elapsed_us = (uint32_t)(clock_monotonic_us() - started_us);
out:
    bpf_source_free(reading.bpf);
    return result;
}

/* --- the second reading of the counters ----------------------------------------------------------------------- */

static bool was_read(const struct net_values *values)
{
    return values->counters_at_ms != 0;
}

static int read_counters(struct snapshot *snapshot, uint32_t netns, void *data)
{
    (void)data;
    settings_read_counters(&snapshot->net_values[netns]);
    return 0;
}

void source_read_counters(struct snapshot *snapshot, struct snapshot *ret_previous)
{
    ret_previous->taken_at_ms = snapshot->taken_at_ms;
    unsigned unread = 0;
    int why = 0;
    for (uint32_t i = 0; i < snapshot->netns_count; i++) {
        struct net_values *values = &snapshot->net_values[i];
        if (!was_read(values))
            continue; /* it could not be entered, or was not to be read */
        struct netns *netns = snapshot_add_netns(ret_previous);
        *netns = snapshot->netns[i];
        struct net_values *first = &ret_previous->net_values[ret_previous->netns_count - 1];
        *first = *values;
        int result = netns->is_own ? read_counters(snapshot, i, NULL) : netns_enter(snapshot, i, read_counters, NULL);
        if (result == 0)
            continue;
        *first = (struct net_values){ 0 }; /* the rates are unknown, not zero */
        if (result != -ENOENT) {           /* -ENOENT: the namespace has ended, so its rates do not matter */
            unread++;
            why = result;
        }
    }
    gaps_add_counters(snapshot, unread, why);
}
