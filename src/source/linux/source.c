/*
 * A snapshot of a Linux host: one walk over /proc for owners and namespaces, the sockets, settings and counters of each
 * namespace, then what is worth knowing of the processes that turned out to hold TCP sockets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "source/linux/bpf/bpf.h"
#include "source/linux/closed.h"
#include "source/linux/gaps.h"
#include "source/linux/net_tcp.h"
#include "source/linux/netns.h"
#include "source/linux/owners.h"
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
    struct bpf_source *bpf; /* NULL: by netlink or /proc */
    int netlink_refusal;    /* why /proc/net/tcp was read instead; 0: it was not */
    bool crowded;           /* a process is near its limit of descriptors */
    bool knows_owners;      /* the descriptors were looked through */
    size_t unmatched;       /* descriptors of sockets of which there is no connection */
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

/* The kind of source that the connections came from. */
static enum source_kind used(const struct reading *reading)
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
    settings_read(&snapshot->net_values[netns]);
    return read_sockets(snapshot, netns, data);
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
        return error_set(
            err, result, sources[used(reading)].api, "this host's sockets cannot be read: %s", strerror(-result));
    return 0;
}

static int read_other_netns(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    unsigned refused = 0;
    int why = 0;
    const char *example = "";
    for (uint32_t i = 0; i < snapshot->netns_count; i++) {
        if (i == reading->own_netns)
            continue;
        int result = netns_enter(snapshot, i, read_netns, reading);
        if (result == -ENOMEM)
            return fail_without_memory(err);
        if (result < 0 && result != -ENOENT) { /* gone meanwhile: nothing is hidden */
            refused++;
            why = result;
            example = snapshot->netns[i].name;
        }
    }
    gaps_note_netns(snapshot, refused, example, why);
    return 0;
}

/* --- sockets and who holds them ---------------------------------------------------------------------------------- */

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
    int result = reading->bpf != NULL ? bpf_walk_end(reading->bpf) : 0;
    if (reading->bpf == NULL)
        walk_end(walk, &reading->netns, &reading->hidden);
    reading->crowded = reading->bpf == NULL && walk->crowded;
    reading->walked_ms = clock_boot_ms();
    return result;
}

/* The walk over processes goes on in other threads while the sockets of the own namespace are read. */
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
    return reading->options->own_netns_only ? 0 : read_other_netns(reading, err);
}

/* A second walk, for who holds them, where the first was for namespaces only. */
static int walk_for_owners(struct reading *reading, unsigned how, struct error *err)
{
    struct walk walk;
    int result = begin_walk(reading, &walk, WALK_DESCRIPTORS | how);
    if (result == 0)
        result = end_walk(reading, &walk);
    return result < 0 ? fail_to_walk(reading, result, err) : 0;
}

/* Connections in TIME_WAIT or LAST_ACK mostly have no holder. */
static bool asks_for_owners(const struct snapshot *snapshot, const struct source_options *options)
{
    if ((options->asked & STATE_BIT(STATE_CLOSED)) != 0) /* only their holders lead to these */
        return true;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if ((options->asked & STATE_BIT(conn->state)) != 0 && (conn->inode != 0 || !options->asks_holders))
            return true;
    }
    return options->asked == 0;
}

/* When all but the owners has been read. */
static bool needs_owners(const struct reading *reading)
{
    const struct snapshot *snapshot = reading->netns.snapshot;
    const struct source_options *options = reading->options;
    if (!asks_for_owners(snapshot, options))
        return false;
    return options->needs_owners == NULL || reading->crowded || closed_may_be_held(snapshot) ||
        options->needs_owners(snapshot, options->data);
}

/*
 * The namespaces with sockets that were read before the walk over their processes was over, and seem to have no owner.
 * Where processes hide from us, other users' sockets have none anyway.
 */
static bool find_doubtful(const struct reading *reading, bool own_only, bool *doubtful)
{
    const struct snapshot *snapshot = reading->netns.snapshot;
    uid_t user = geteuid();
    bool any = false;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if ((own_only && conn->netns != reading->own_netns) || !gaps_is_unowned(conn) ||
            (reading->hidden.processes > 0 && conn->uid != user))
            continue;
        doubtful[conn->netns] = true;
        any = true;
    }
    return any;
}

static void forget(struct snapshot *snapshot, const bool *netns)
{
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (!netns[snapshot->conns[i].netns])
            snapshot->conns[kept++] = snapshot->conns[i];
    }
    snapshot->conn_count = kept;
}

/*
 * A socket that was read before its process was walked over, and closed in between, now seems to have no owner. One
 * that is read after the walk cannot: if it has been stuck for a while, it existed during both.
 */
static int read_doubtful_again(struct reading *reading, bool own_only, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    bool *doubtful = xcalloc(snapshot->netns_count, sizeof *doubtful);
    int result = 0;
    if (find_doubtful(reading, own_only, doubtful)) {
        forget(snapshot, doubtful);
        for (uint32_t i = 0; i < snapshot->netns_count && result != -ENOMEM; i++) {
            if (doubtful[i])
                result = i == reading->own_netns ? read_sockets(snapshot, i, reading)
                                                 : netns_enter(snapshot, i, read_sockets, reading);
        }
        if (result != -ENOMEM)
            result = 0;
        reading->unmatched = owners_join(snapshot);
    }
    free(doubtful);
    return result < 0 ? fail_without_memory(err) : 0;
}

static bool is_doubtful(const struct reading *reading)
{
    bool *doubtful = xcalloc(reading->netns.snapshot->netns_count, sizeof *doubtful);
    bool any = find_doubtful(reading, false, doubtful);
    free(doubtful);
    return any;
}

/*
 * Sockets still have no owner. A process may hide its descriptors from a walk that counts them, by opening and closing
 * others meanwhile: it is done once more, so that nothing stays hidden. By eBPF the kernel itself walks over the
 * tables.
 */
static int search_carefully(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    if (reading->bpf != NULL || !is_doubtful(reading))
        return 0;
    snapshot->process_count = snapshot->holder_count = 0;
    int result = walk_for_owners(reading, WALK_CAREFULLY, err);
    reading->unmatched = owners_join(snapshot);
    return result < 0 ? result : read_doubtful_again(reading, false, err);
}

static int read_host(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->netns.snapshot;
    const struct source_options *options = reading->options;
    bool all = options->states == 0 || options->asked == 0;
    bool walk_once = reading->bpf != NULL ? all || bpf_source_needs_walk(snapshot_states(snapshot))
                                          : all && options->needs_owners == NULL;
    unsigned aims = (options->own_netns_only ? 0 : WALK_NETNS) | (walk_once ? WALK_DESCRIPTORS : 0) |
        (options->needs_owners != NULL ? WALK_CROWDED : 0);
    int result = walk_and_read(reading, aims, err);
    if (result < 0 || (!walk_once && !needs_owners(reading)))
        return result;
    if (!walk_once && (result = walk_for_owners(reading, 0, err)) < 0)
        return result;
    reading->knows_owners = true;
    reading->unmatched = owners_join(snapshot);
    result = read_doubtful_again(reading, walk_once, err);
    if (result == 0)
        result = search_carefully(reading, err);
    bool may_use_bpf = options->kind == SOURCE_AUTO || options->kind == SOURCE_BPF;
    if (result == 0 && closed_find(snapshot, reading->unmatched, reading->bpf != NULL, may_use_bpf) < 0)
        result = fail_without_memory(err);
    return result;
}

/* By eBPF where that is asked for; or where it is permitted and faster, and then nobody minds if it cannot be. */
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
    processes_describe(snapshot, reading.walked_ms);
    processes_find_waits(snapshot);
    processes_find_close_on_exec(snapshot);
    if (reading.knows_owners)
        gaps_note_owners(snapshot, &reading.hidden);
    snapshot->source = sources[used(&reading)].name;
    if (used(&reading) == SOURCE_PROC)
        gaps_note_proc(snapshot, reading.netlink_refusal);
    snapshot->elapsed_us = (uint32_t)(clock_monotonic_us() - started_us);
out:
    bpf_source_free(reading.bpf);
    return result;
}

/* --- counters, a second time ---------------------------------------------------------------------------------- */

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
            continue; /* it could not be entered, or was not asked for */
        struct netns *netns = snapshot_add_netns(ret_previous);
        *netns = snapshot->netns[i];
        struct net_values *then = &ret_previous->net_values[ret_previous->netns_count - 1];
        *then = *values;
        int result = netns->is_own ? read_counters(snapshot, i, NULL) : netns_enter(snapshot, i, read_counters, NULL);
        if (result == 0)
            continue;
        *then = (struct net_values){ 0 }; /* nothing to compare with: no rate, rather than a rate of nought */
        if (result != -ENOENT) {          /* gone meanwhile: nobody is interested in its rates */
            unread++;
            why = result;
        }
    }
    gaps_note_counters(snapshot, unread, why);
}
