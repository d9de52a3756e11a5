#include "source/linux/bpf/bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "source/linux/bpf/bpf_iterate.h"
#include "source/linux/bpf/bpf_owners.h"
#include "source/linux/bpf/bpf_parse.h"
#include "source/linux/inet_diag.h"
#include "source/linux/proc_file.h"
#include "source/linux/duplicates.h"

#include <walks.skel.h> /* generated from walks.bpf.c: the programs and their loader */

struct bpf_source {
    struct walks *programs;
    unsigned hz;
    struct bpf_owners owners;
};

/* --- the programs --------------------------------------------------------------------------------------------- */

bool bpf_source_pays(bool owners)
{
    /*
     * Loading takes 8 ms. After that, a socket with its descriptor takes 1.2 µs; with netlink and /proc it takes 4 µs.
     * The two are even at about 3,500 open files; the kernel's count of open files is the estimate. If owners may turn
     * out not to be needed, the comparison is with netlink alone.
     */
    enum { FILES = 4000, FILES_WITHOUT_OWNERS = 30000 };
    char text[64];
    return proc_read(AT_FDCWD, "/proc/sys/fs/file-nr", text, sizeof text) > 0 &&
        strtoul(text, NULL, 10) >= (owners ? FILES : FILES_WITHOUT_OWNERS);
}

/* The resolution of the coarse clock is the length of a tick (KTIME_LOW_RES, which is TICK_NSEC). */
unsigned bpf_ticks_per_second(void)
{
    enum { NS_PER_SECOND = 1000 * 1000 * 1000 };
    struct timespec tick;
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_sec != 0 || tick.tv_nsec <= 0)
        return 0;
    return (unsigned)((NS_PER_SECOND + tick.tv_nsec / 2) / tick.tv_nsec);
}

bool bpf_is_proc_ours(void)
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
    unsigned hz = bpf_ticks_per_second();
    if (hz == 0)
        return error_set(err, -ENOTSUP, "eBPF", "cannot be used: the kernel's tick is not known; use --source netlink");
    if (!bpf_is_proc_ours())
        return error_set(err, -EXDEV, "eBPF",
            "cannot be used: /proc is of another PID namespace; mount it anew, or use --source netlink");
    struct walks *programs = xnonnull(walks__open()); /* it only allocates memory */
    int result = walks__load(programs);
    if (result == 0)
        result = walks__attach(programs);
    if (result < 0) {
        walks__destroy(programs);
        return explain_failure(result, err);
    }
    struct bpf_source *bpf = xcalloc(1, sizeof *bpf);
    bpf->programs = programs;
    bpf->hz = bpf->owners.hz = hz;
    bpf->owners.tasks_link = programs->links.walk_tasks_fd;
    bpf->owners.files_link = programs->links.walk_files_fd;
    *ret_bpf = bpf;
    return 0;
}

void bpf_source_free(struct bpf_source *bpf)
{
    if (bpf == NULL)
        return;
    bpf_owners_deinit(&bpf->owners);
    walks__destroy(bpf->programs);
    free(bpf);
}

/* --- processes ------------------------------------------------------------------------------------------------ */

int bpf_walk_begin(struct bpf_source *bpf, struct netns_map *map, unsigned aims)
{
    return bpf_owners_begin(&bpf->owners, map, aims);
}

int bpf_walk_end(struct bpf_source *bpf)
{
    return bpf_owners_end(&bpf->owners);
}

/* --- sockets -------------------------------------------------------------------------------------------------- */

struct socket_walk {
    struct snapshot *snapshot;
    uint32_t netns;
    unsigned hz;
};

static ssize_t add_socket(const char *bytes, size_t length, void *data)
{
    struct socket_walk *walk = data;
    struct conn *conn = snapshot_add_conn(walk->snapshot);
    if (conn == NULL)
        return -ENOMEM;
    ssize_t consumed = bpf_parse_socket(bytes, length, walk->hz, conn);
    if (consumed > 0)
        conn->netns = walk->netns;
    else
        walk->snapshot->conn_count--;
    return consumed;
}

/*
 * False if the namespace of the calling thread has no TCP sockets: then the walk is not needed. It would go over the
 * sockets of all namespaces, because they share one table. The counters leave half-open connections out, but each of
 * those has a listener.
 */
static bool may_have_sockets(const struct net_values *values)
{
    static const enum counter counted[] = { COUNTER_SOCKETS_IN_USE, COUNTER_TIME_WAIT };
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        if (!values->has_counter[counted[i]] || values->counters[counted[i]] != 0)
            return true;
    }
    char text[512];
    unsigned in_use;
    return proc_read(AT_FDCWD, "/proc/thread-self/net/sockstat6", text, sizeof text) > 0 &&
        (sscanf(text, "TCP6: inuse %u", &in_use) != 1 || in_use > 0);
}

int bpf_source_read(struct bpf_source *bpf, struct snapshot *snapshot, uint32_t netns)
{
    size_t first = snapshot->conn_count;
    struct socket_walk walk = { .snapshot = snapshot, .netns = netns, .hz = bpf->hz };
    bpf->programs->data->wanted_states = states_to_linux(snapshot_states(snapshot));
    int result = 0;
    if (may_have_sockets(&snapshot->net_values[netns]))
        result = bpf_iterate(bpf->programs->links.walk_sockets_fd, add_socket, &walk);
    if (result == 0)
        duplicates_drop(snapshot, first);
    if (result == 0 && bpf->owners.has_walked)
        result = bpf_owners_add_bound(&bpf->owners, netns, first);
    if (result < 0)
        snapshot->conn_count = first;
    return result;
}

int bpf_source_add_bound(struct bpf_source *bpf, uint32_t netns, size_t first)
{
    return bpf_owners_add_bound(&bpf->owners, netns, first);
}

bool bpf_source_needs_walk(uint32_t states)
{
    return (states & STATE_BIT(STATE_BOUND)) != 0;
}
