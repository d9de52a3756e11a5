/*
 * A snapshot of a Linux host: one walk over /proc for owners and namespaces, then the sockets, settings and counters
 * of each namespace, then what is worth knowing of the processes that turned out to hold TCP sockets.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "source/linux/bpf.h"
#include "source/linux/net_tcp.h"
#include "source/linux/netns.h"
#include "source/linux/owners.h"
#include "source/linux/processes.h"
#include "source/linux/settings.h"
#include "source/linux/sock_diag.h"
#include "source/source.h"

static uint64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

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

struct reading {
    enum source_kind kind;
    struct bpf_source *bpf; /* NULL: not that way */
    int netlink_refusal; /* why /proc/net/tcp was read instead; 0: it was not */
};

/* From here on without. */
static void give_up_bpf(struct reading *reading)
{
    bpf_source_free(reading->bpf);
    reading->bpf = NULL;
}

/* Who holds what: by eBPF where that is asked for, or possible and of use. */
static int read_owners(struct reading *reading, struct owners *owners, struct snapshot *snapshot, struct error *err)
{
    if (reading->kind == SOURCE_BPF || (reading->kind == SOURCE_AUTO && bpf_source_pays())) {
        int result = bpf_source_new(&reading->bpf, err);
        if (result == 0) {
            result = bpf_source_walk(reading->bpf, owners, snapshot);
            if (result < 0)
                error_set(err, result, "eBPF", "the walk over descriptors failed: %s", strerror(-result));
        }
        if (result == 0 || reading->kind == SOURCE_BPF)
            return result;
        give_up_bpf(reading);
    }
    int result = owners_walk(owners, snapshot);
    return result < 0 ? error_set(err, result, "/proc", "cannot be read: %s", strerror(-result)) : 0;
}

static int read_netns(struct snapshot *snapshot, uint32_t netns, void *data)
{
    struct reading *reading = data;
    settings_read(&snapshot->net_values[netns]);
    if (reading->bpf != NULL) {
        int result = bpf_source_read(reading->bpf, snapshot, (uint16_t)netns);
        if (result == 0 || result == -ENOMEM || reading->kind == SOURCE_BPF)
            return result;
        give_up_bpf(reading);
    }
    if (reading->kind != SOURCE_PROC) {
        int result = sock_diag_read(snapshot, (uint16_t)netns);
        if (result == 0 || result == -ENOMEM || reading->kind == SOURCE_NETLINK)
            return result;
        reading->netlink_refusal = result;
    }
    return net_tcp_read(snapshot, (uint16_t)netns);
}

static void note_hidden_netns(struct snapshot *snapshot, unsigned refused, const char *example, int why)
{
    if (refused == 0)
        return;
    char text[400];
    snprintf(text, sizeof text, "the connections of %u other network namespace%s (%s%s) were not looked at: %s",
        refused, refused == 1 ? "" : "s", refused == 1 ? "" : "one is ", example, strerror(-why));
    snapshot_add_gap(snapshot, "netns-hidden", text,
        "run as root, or with CAP_SYS_ADMIN (to enter) and CAP_SYS_PTRACE (to find) network namespaces");
}

static const char *name_of(enum source_kind kind)
{
    return kind == SOURCE_PROC ? "/proc/net/tcp" : kind == SOURCE_BPF ? "eBPF" : "NETLINK_SOCK_DIAG";
}

static int read_every_netns(struct snapshot *snapshot, bool own_only, struct reading *reading, struct error *err)
{
    uint32_t own;
    int result = netns_list(snapshot, &own);
    if (result < 0)
        return error_set(err, result, "/proc/self/ns/net", "cannot be read: %s", strerror(-result));
    result = read_netns(snapshot, own, reading);
    if (result < 0)
        return error_set(err, result, name_of(reading->kind),
            "this host's sockets cannot be read: %s", strerror(-result));

    unsigned refused = 0;
    int why = 0;
    const char *example = "";
    for (uint32_t i = 0; !own_only && i < snapshot->netns_count; i++) {
        if (i == own)
            continue;
        /* struct conn has 16 bits for it. */
        result = i > UINT16_MAX ? -EOVERFLOW : netns_enter(snapshot, i, read_netns, reading);
        if (result == -ENOMEM)
            return error_set(err, result, NULL, "not enough memory for this host's connections");
        if (result < 0 && result != -ENOENT) { /* gone meanwhile: nothing is hidden */
            refused++;
            why = result;
            example = snapshot->netns[i].name;
        }
    }
    note_hidden_netns(snapshot, refused, example, why);
    return 0;
}

/* Sockets with a descriptor somewhere, but nowhere that could be seen. New ones are left out: see owners.h. */
static uint64_t count_unowned(const struct snapshot *snapshot)
{
    enum { NEW_MS = 2000 };
    uint64_t unowned = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        bool is_new = conn->state == STATE_SYN_SENT ||
            (conn_has(conn, CONN_TCP_INFO) && conn->last_data_sent_ms < NEW_MS && conn->last_data_recv_ms < NEW_MS);
        unowned += conn->inode != 0 && conn->holder == NO_INDEX && !is_new;
    }
    return unowned;
}

static void note_hidden_owners(struct snapshot *snapshot, const struct owners *owners)
{
    uint64_t unowned = count_unowned(snapshot);
    if (unowned == 0)
        return;
    struct buf text = { 0 };
    buf_str(&text, "who holds ");
    text_count(&text, unowned);
    buf_printf(&text, " of the sockets is not known: ");
    if (owners->hidden_processes == 0) {
        buf_str(&text, "every process was searched, none has them open");
        snapshot_add_gap(snapshot, "owners-elsewhere", buf_text(&text),
            "look in other PID namespaces (nsenter -t PID -a tcpwhy); a descriptor may also be on its way between two "
            "processes, an io_uring fixed file, or the kernel's own socket (NFS, CIFS, a VPN)");
    } else {
        buf_printf(&text, "the descriptors of %u process%s (pid %" PRIu32 ", ", owners->hidden_processes,
            owners->hidden_processes == 1 ? "" : "es", owners->hidden_pid);
        buf_str(&text, owners->hidden_name);
        buf_str(&text, owners->hidden_processes > 1 ? ", and others) may not be read" : ") may not be read");
        snapshot_add_gap(snapshot, "owners-hidden", buf_text(&text),
            "run as root with all capabilities, or grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
    }
    buf_deinit(&text);
}

static void note_fallback(struct snapshot *snapshot, const struct reading *reading)
{
    bool fallback = reading->netlink_refusal != 0;
    snapshot->source = reading->bpf != NULL               ? "linux-bpf"
        : fallback || reading->kind == SOURCE_PROC ? "linux-proc-net-tcp"
                                                   : "linux-sock-diag";
    if (fallback) {
        char text[256];
        snprintf(text, sizeof text,
            "netlink was refused (NETLINK_SOCK_DIAG: %s); read /proc/net/tcp instead, which knows neither ages nor "
            "windows nor cookies",
            strerror(-reading->netlink_refusal));
        snapshot_add_gap(snapshot, "netlink-refused", text,
            "allow AF_NETLINK sockets (seccomp, systemd's RestrictAddressFamilies=), or load the module tcp_diag");
    } else if (reading->kind == SOURCE_PROC) {
        snapshot_add_gap(snapshot, "ages-unknown",
            "/proc/net/tcp, which was asked for, knows neither ages nor windows nor cookies", "use --source netlink");
    }
}

int source_read(const struct source_options *options, struct snapshot *snapshot, struct error *err)
{
    uint64_t started_us = clock_us(CLOCK_MONOTONIC);
    snapshot->taken_at_ms = clock_us(CLOCK_REALTIME) / 1000;
    describe_host(snapshot);

    struct owners owners = { 0 };
    struct reading reading = { .kind = options->kind };
    int result = read_owners(&reading, &owners, snapshot, err);
    uint64_t walked_ms = clock_us(CLOCK_BOOTTIME) / 1000;
    if (result == 0)
        result = read_every_netns(snapshot, options->own_netns_only, &reading, err);
    if (result == 0) {
        owners_join(&owners, snapshot);
        processes_describe(snapshot, walked_ms);
        processes_find_waits(snapshot);
        processes_find_close_on_exec(snapshot);
        note_hidden_owners(snapshot, &owners);
        note_fallback(snapshot, &reading);
        snapshot->elapsed_us = (uint32_t)(clock_us(CLOCK_MONOTONIC) - started_us);
    }
    owners_deinit(&owners);
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

static void note_unread_counters(struct snapshot *snapshot, unsigned unread, int why)
{
    if (unread == 0)
        return;
    char text[200];
    snprintf(text, sizeof text,
        "how fast the counters of %u network namespace%s rise: the second reading, a moment later, failed: %s", unread,
        unread == 1 ? "" : "s", strerror(-why));
    snapshot_add_gap(snapshot, "rates-unknown", text, "look again");
}

int source_read_counters(struct snapshot *snapshot, struct snapshot *ret_earlier)
{
    ret_earlier->taken_at_ms = snapshot->taken_at_ms;
    unsigned unread = 0;
    int why = 0;
    for (uint32_t i = 0; i < snapshot->netns_count; i++) {
        struct net_values *values = &snapshot->net_values[i];
        if (!was_read(values))
            continue; /* it could not be entered, or was not asked for */
        struct netns *netns = snapshot_add_netns(ret_earlier);
        if (netns == NULL)
            return -ENOMEM;
        *netns = snapshot->netns[i];
        struct net_values *then = &ret_earlier->net_values[ret_earlier->netns_count - 1];
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
    note_unread_counters(snapshot, unread, why);
    return 0;
}
