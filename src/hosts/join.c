#include "hosts/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "hosts/clock_skew.h"
#include "hosts/local_addresses.h"
#include "hosts/nat.h"
#include "hosts/same_host.h"

/* --- addresses that several hosts have -------------------------------------------------------------------------- */

static void find_shared(struct snapshot *snapshot)
{
    struct local_addresses own;
    local_addresses_init(&own, snapshot);
    struct ip *shared = arena_alloc(&snapshot->arena, own.count * sizeof *shared);
    size_t count = 0;
    for (size_t i = 1; i < own.count; i++) {
        bool same = ip_equal(&own.items[i].address, &own.items[i - 1].address);
        if (same && (count == 0 || !ip_equal(&shared[count - 1], &own.items[i].address)))
            shared[count++] = own.items[i].address;
    }
    local_addresses_deinit(&own);
    snapshot->shared_addresses = shared;
    snapshot->shared_address_count = count;
}

/* --- joining ---------------------------------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    if (strcmp(path, "-") == 0)
        return "standard input";
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* Many hosts are named localhost. That does not tell them apart, so `name` is used instead. */
static struct host host_of(const struct snapshot *part, const char *name)
{
    return (struct host){
        .name = part->host_name != NULL && strcmp(part->host_name, "localhost") != 0 ? part->host_name : name,
        .os = part->os,
        .kernel = part->kernel,
        .source = part->source,
        .from = part->from,
        .taken_at_ms = part->taken_at_ms,
        .elapsed_us = part->elapsed_us,
        .page_bytes = part->page_bytes,
        .is_partial = snapshot_is_partial(part),
        .redacted = part->redacted,
    };
}

/* One of the snapshots while it is moved into the joined one. */
struct joining {
    struct snapshot *joined;
    struct snapshot *part;
    struct host *hosts; /* the part's hosts in the joined snapshot */
};

static const struct host *moved_host(const struct joining *joining, const struct host *host)
{
    return host != NULL ? &joining->hosts[host - joining->part->hosts] : joining->hosts;
}

static uint32_t moved(uint32_t index, size_t by)
{
    return index == NO_INDEX ? NO_INDEX : (uint32_t)(index + by);
}

static void append_tables(const struct joining *joining)
{
    struct snapshot *joined = joining->joined;
    const struct snapshot *part = joining->part;
    size_t netns_before = joined->netns_count, cgroups_before = joined->cgroup_count;
    for (size_t i = 0; i < part->netns_count; i++) {
        struct netns *netns = snapshot_add_netns(joined);
        *netns = part->netns[i];
        netns->host = moved_host(joining, part->netns[i].host);
        joined->net_values[joined->netns_count - 1] = part->net_values[i];
    }
    for (size_t i = 0; i < part->cgroup_count; i++) {
        struct cgroup *cgroup = snapshot_add_cgroup(joined);
        *cgroup = part->cgroups[i];
        cgroup->host = moved_host(joining, part->cgroups[i].host);
    }
    for (size_t i = 0; i < part->process_count; i++) {
        struct process *process = snapshot_add_process(joined);
        *process = part->processes[i];
        process->host = moved_host(joining, part->processes[i].host);
        process->netns = moved(process->netns, netns_before);
        process->cgroup = moved(process->cgroup, cgroups_before);
    }
}

static int append_conns(
    struct snapshot *joined, const struct snapshot *part, size_t netns_before, size_t processes_before)
{
    size_t holders_before = joined->holder_count;
    for (size_t i = 0; i < part->holder_count; i++) {
        struct holder *holder = snapshot_add_holder(joined);
        *holder = part->holders[i];
        holder->process = moved(holder->process, processes_before);
        holder->next = moved(holder->next, holders_before);
    }
    for (size_t i = 0; i < part->conn_count; i++) {
        struct conn *conn = snapshot_add_conn(joined);
        if (conn == NULL)
            return -ENOMEM;
        *conn = part->conns[i];
        conn->netns = moved(conn->netns, netns_before);
        conn->holder = moved(conn->holder, holders_before);
    }
    return 0;
}

/*
 * Appends the gaps of a part. Each gets its host, because gaps of several hosts may have the same id. Gaps about
 * several hosts together are left out: hosts_join() finds them again.
 */
static void append_gaps(const struct joining *joining)
{
    struct snapshot *joined = joining->joined;
    const struct snapshot *part = joining->part;
    for (size_t i = 0; i < part->gap_count; i++) {
        struct gap gap = part->gaps[i];
        if (part->host_count > 0 && gap.host == NULL)
            continue;
        if (gap.host == NULL)
            gap.text = arena_printf(&joined->arena, "%s: %s", joining->hosts->name, gap.text);
        gap.host = moved_host(joining, gap.host);
        xvec_grow((void **)&joined->gaps, joined->gap_count, &joined->gap_capacity, sizeof *joined->gaps);
        joined->gaps[joined->gap_count++] = gap;
    }
}

static int append(const struct joining *joining)
{
    struct snapshot *joined = joining->joined, *part = joining->part;
    size_t netns_before = joined->netns_count, processes_before = joined->process_count;
    if (netns_before + part->netns_count >= NO_INDEX)
        return -EOVERFLOW;
    append_tables(joining);
    int result = append_conns(joined, part, netns_before, processes_before);
    if (result < 0)
        return result;
    append_gaps(joining);
    joined->redacted |= part->redacted;
    arena_join(&joined->arena, &part->arena);
    snapshot_deinit(part);
    return 0;
}

static const char *same_or_null(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0 ? one : NULL;
}

/* Fills in the members that describe the only host of a snapshot, with what all hosts have in common. */
static void describe(struct snapshot *joined, const struct host *hosts, size_t count)
{
    struct buf names = { 0 };
    joined->os = hosts[0].os;
    joined->kernel = hosts[0].kernel;
    joined->source = hosts[0].source;
    joined->page_bytes = hosts[0].page_bytes;
    for (size_t i = 0; i < count; i++) {
        buf_printf(&names, "%s%s", i == 0 ? "" : i + 1 == count ? " and " : ", ", hosts[i].name);
        joined->os = same_or_null(joined->os, hosts[i].os);
        joined->kernel = same_or_null(joined->kernel, hosts[i].kernel);
        joined->source = same_or_null(joined->source, hosts[i].source);
        joined->elapsed_us += hosts[i].elapsed_us;
        if (hosts[i].taken_at_ms > joined->taken_at_ms)
            joined->taken_at_ms = hosts[i].taken_at_ms;
    }
    if (joined->source == NULL)
        joined->source = "several";
    joined->host_name = arena_strdup(&joined->arena, buf_text(&names));
    buf_deinit(&names);
}

/*
 * A name for a host that has none: the name of its file, with the folder if another file has the same name. If there is
 * only one file: "host 2".
 */
static const char *place_name(const char *const *files, size_t index, size_t count, struct arena *arena)
{
    if (files == NULL)
        return arena_printf(arena, "host %zu", index + 1);
    bool is_unique = true;
    for (size_t i = 0; i < count; i++)
        is_unique &= i == index || strcmp(base_name(files[i]), base_name(files[index])) != 0;
    return arena_strdup(arena, is_unique ? base_name(files[index]) : files[index]);
}

static int check_names(const struct host *hosts, size_t count, bool one_file, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(hosts[i].name, hosts[j].name) != 0)
                continue;
            if (one_file)
                return error_set(err, -EINVAL, NULL,
                    "holds several looks at the host '%s'; 'tcpwhy diff' compares them, each in a file of its own",
                    hosts[i].name);
            return error_set(err, -EINVAL, hosts[i].from,
                "is of the host '%s', and so is %s; 'tcpwhy diff' compares looks at one host", hosts[i].name,
                hosts[j].from != NULL ? hosts[j].from : "another");
        }
    }
    return 0;
}

/* Makes the list of hosts. Returns 0, or a negative errno with err filled: there are too many, or two have one name. */
static int list_hosts(
    const struct snapshot *parts, const char *const *files, size_t count, struct snapshot *joined, struct error *err)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        total += hosts_count(&parts[i]);
    if (total > HOSTS_MAX)
        return error_set(
            err, -E2BIG, NULL, "these are %zu hosts; at most %d can be looked at as one", total, HOSTS_MAX);
    joined->hosts = arena_alloc(&joined->arena, total * sizeof *joined->hosts);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < parts[i].host_count; j++) {
            joined->hosts[at] = parts[i].hosts[j];
            joined->hosts[at++].ends_hidden = 0; /* its bits are host numbers, which have changed */
        }
        if (parts[i].host_count == 0)
            joined->hosts[at++] = host_of(&parts[i], place_name(files, i, count, &joined->arena));
    }
    joined->host_count = total;
    return check_names(joined->hosts, total, files == NULL, err);
}

/* Each file was redacted with its own key. Equal names or addresses in two files are equal by chance. */
static void note_redacted(struct snapshot *joined, const char *const *files)
{
    if (!joined->redacted || files == NULL)
        return;
    snapshot_note_gap(joined, GAP_HOSTS_REDACTED,
        "which ends belong together: the files were redacted one by one, so that the same address has another name in "
        "each",
        NULL);
}

static int check_same(const struct snapshot *parts, size_t count, struct error *err)
{
    int result = 0;
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i && result == 0; j++)
            result = hosts_check_same(&parts[j], &parts[i], err);
    }
    return result;
}

int hosts_join(
    struct snapshot *parts, const char *const *files, size_t count, struct snapshot *ret_joined, struct error *err)
{
    struct snapshot *joined = ret_joined;
    int result = list_hosts(parts, files, count, joined, err);
    if (result == 0)
        result = check_same(parts, count, err);
    struct host *hosts = joined->hosts;
    for (size_t i = 0; result == 0 && i < count; i++) {
        const struct joining joining = { joined, &parts[i], hosts };
        hosts += hosts_count(&parts[i]);
        result = append(&joining);
        if (result < 0)
            error_set(
                err, result, files != NULL ? files[i] : NULL, "does not fit beside the others: %s", strerror(-result));
    }
    if (result < 0)
        return result;
    describe(joined, joined->hosts, joined->host_count);
    find_shared(joined);
    hosts_note_times(joined);
    note_redacted(joined, files);
    hosts_note_hidden(joined);
    return 0;
}
