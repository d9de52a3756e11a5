/*
 * Compares the memory of all TCP sockets of a host with net.ipv4.tcp_mem (three numbers, in pages). Above the second
 * number the kernel is under memory pressure: it reduces what each connection may queue (tcp_enter_memory_pressure()).
 * Above the third it drops packets (__sk_mem_raise_allocated() in net/core/sock.c) and aborts orphans (tcp_check_oom():
 * "TCP: out of memory"). The memory in /proc/net/sockstat and the limits are those of the whole host. The counts of the
 * sockets show which processes use the memory.
 */
#include "diagnose/rules/tcp_memory.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/limits.h"
#include "diagnose/phrases.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "model/host.h"

enum { HOLDERS_SHOWN = 3, SAMPLE_MAX = 20, PAGE_BYTES = 4096 };

struct usage {
    int64_t pages, pressure, limit;
    uint32_t netns; /* the namespace in which they were read */
};

static bool read_usage(const struct snapshot *snapshot, const struct host *host, struct usage *ret_usage)
{
    for (size_t i = 0; i < snapshot->netns_count; i++) {
        const struct net_values *values = &snapshot->net_values[i];
        struct usage usage = {
            .pages = values->has_counter[COUNTER_MEMORY_PAGES] ? values->counters[COUNTER_MEMORY_PAGES] : -1,
            .pressure = setting_value(values, SETTING_MEM_PRESSURE, 0),
            .limit = setting_value(values, SETTING_MEM_LIMIT, 0),
            .netns = (uint32_t)i,
        };
        if (snapshot->netns[i].host == host && usage.pages >= 0 && usage.pressure > 0 && usage.limit > 0) {
            *ret_usage = usage;
            return true;
        }
    }
    return false;
}

/* The memory of a socket's queues; if the source does not show it, the bytes in them. */
static uint64_t memory_of(const struct conn *conn)
{
    if (conn_is_listener(conn))
        return 0;
    if (conn_has(conn, CONN_SKMEM))
        return (uint64_t)conn->skmem_rmem_bytes + conn->skmem_wmem_bytes;
    return conn_has(conn, CONN_QUEUES) ? (uint64_t)conn->recv_q_bytes + conn->send_q_bytes : 0;
}

struct share {
    const struct process *process; /* NULL: sockets without a known holder, for example orphans */
    uint64_t bytes, conns;
};

static int more_bytes_first(const void *a, const void *b)
{
    const struct share *one = a, *other = b;
    return one->bytes < other->bytes ? 1 : one->bytes > other->bytes ? -1 : 0;
}

/* One share for each process, and one for sockets without a known holder; largest first. The caller frees the array. */
static struct share *find_shares(const struct snapshot *snapshot, const struct host *host, size_t *ret_count)
{
    size_t count = snapshot->process_count + 1;
    struct share *shares = xcalloc(count, sizeof *shares);
    for (size_t i = 0; i < snapshot->process_count; i++)
        shares[i].process = &snapshot->processes[i];
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (hosts_of_conn(snapshot, conn) != host)
            continue;
        const struct process *owner = snapshot_owner(snapshot, conn);
        struct share *share = &shares[owner ? (size_t)(owner - snapshot->processes) : count - 1];
        share->bytes += memory_of(conn);
        share->conns += !conn_is_listener(conn);
    }
    qsort(shares, count, sizeof *shares, more_bytes_first);
    *ret_count = count;
    return shares;
}

struct sized {
    uint64_t bytes;
    uint32_t conn;
};

/* Fills in the connections that use most memory, largest first. */
static void sample_largest(const struct snapshot *snapshot, struct arena *arena, struct finding *finding)
{
    struct sized largest[SAMPLE_MAX];
    size_t count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        uint64_t bytes = hosts_of_conn(snapshot, &snapshot->conns[i]) == finding->host ? memory_of(&snapshot->conns[i])
                                                                                       : 0;
        if (bytes == 0 || (count == SAMPLE_MAX && bytes <= largest[count - 1].bytes))
            continue;
        size_t at = count < SAMPLE_MAX ? count++ : count - 1;
        for (; at > 0 && largest[at - 1].bytes < bytes; at--)
            largest[at] = largest[at - 1];
        largest[at] = (struct sized){ .bytes = bytes, .conn = (uint32_t)i };
    }
    uint32_t *conns = arena_alloc(arena, SAMPLE_MAX * sizeof *conns);
    for (size_t i = 0; i < count; i++)
        conns[i] = largest[i].conn;
    finding->conns = conns;
    finding->conn_count = count;
}

/* Sums over the namespaces of the host: the kernel counts each event in the namespace of the socket. */
struct events {
    int64_t pressures, aborted, aborted_now;
    uint64_t ms; /* of aborted_now */
};

static struct events count_events(const struct snapshot *snapshot, const struct host *host)
{
    struct events events = { 0 };
    for (size_t n = 0; n < snapshot->netns_count; n++) {
        if (snapshot->netns[n].host != host)
            continue;
        const struct net_values *values = &snapshot->net_values[n];
        int64_t rise;
        if (values->has_counter[COUNTER_MEMORY_PRESSURES])
            events.pressures += values->counters[COUNTER_MEMORY_PRESSURES];
        if (values->has_counter[COUNTER_ABORT_ON_MEMORY])
            events.aborted += values->counters[COUNTER_ABORT_ON_MEMORY];
        if (snapshot_counter_rise(snapshot, (uint32_t)n, COUNTER_ABORT_ON_MEMORY, &rise, &events.ms) && rise > 0)
            events.aborted_now += rise;
    }
    return events;
}

static void evidence_counters(const struct snapshot *snapshot, struct arena *arena, struct finding *finding)
{
    struct events events = count_events(snapshot, finding->host);
    if (events.pressures > 0)
        lines_add(&finding->evidence, arena, "The kernel has come under TCP memory pressure %s since it started.",
            events.pressures == 1 ? "once"
                                  : arena_printf(arena, "%s times", phrases_count(arena, (uint64_t)events.pressures)));
    if (events.aborted_now > 0) {
        lines_add(&finding->evidence, arena,
            "%s connections were aborted because memory was short within %s (TCPAbortOnMemory).",
            phrases_count(arena, (uint64_t)events.aborted_now), phrases_duration(arena, events.ms));
        finding->severity = SEVERITY_CRITICAL;
    } else if (events.aborted > 0) {
        lines_add(&finding->evidence, arena,
            "%s connections were aborted since it started, because memory was short or there were too many orphans "
            "(TCPAbortOnMemory).",
            phrases_count(arena, (uint64_t)events.aborted));
    }
}

static void evidence_holders(const struct snapshot *snapshot, struct arena *arena, struct finding *finding)
{
    size_t count;
    struct share *shares = find_shares(snapshot, finding->host, &count);
    for (size_t i = 0; i < count && i < HOLDERS_SHOWN && shares[i].bytes > 0; i++) {
        const char *whose = shares[i].process ? phrases_process(arena, shares[i].process)
                                              : "No process (closed, or not accepted yet)";
        lines_add(&finding->evidence, arena, "%s: %s in the queues of %s.", whose,
            phrases_bytes(arena, shares[i].bytes), phrases_conns(arena, shares[i].conns));
    }
    if (shares[0].process != NULL && shares[0].bytes > 0) {
        struct process_count *held = arena_alloc(arena, sizeof *held);
        *held = (struct process_count){ .process = shares[0].process, .count = shares[0].conns };
        finding->owner = shares[0].process;
        finding->processes = held;
        finding->process_count = 1;
    }
    free(shares);
}

static void word(
    const struct snapshot *snapshot, const struct usage *usage, struct arena *arena, struct finding *finding)
{
    uint32_t known = finding->host != NULL ? finding->host->page_bytes : snapshot->page_bytes;
    uint64_t page = known != 0 ? known : PAGE_BYTES;
    const char *used = phrases_bytes(arena, (uint64_t)usage->pages * page);
    unsigned percent = (unsigned)(usage->pages * 100 / usage->limit);
    finding->title = arena_printf(arena, "The sockets of %s take %s, %u %% of the memory that TCP may have",
        finding->host != NULL ? finding->host->name : "this host", used, percent);
    finding->why = usage->pages >= usage->limit
        ? "TCP has used up its memory: the kernel drops packets that arrive, refuses to queue what programs send, and "
          "aborts orphans (\"TCP: out of memory\" in the kernel log). Connections look as if the network were bad."
        : "TCP is under memory pressure: the kernel shrinks the windows and buffers of every connection, so that all "
          "of them become slow. At the limit it drops packets and aborts connections.";
    lines_add(&finding->evidence, arena, "%s pages in use; pressure begins at %s, the limit is %s (tcp_mem).",
        phrases_count(arena, (uint64_t)usage->pages), phrases_count(arena, (uint64_t)usage->pressure),
        phrases_count(arena, (uint64_t)usage->limit));
    evidence_holders(snapshot, arena, finding);
    evidence_counters(snapshot, arena, finding);
    lines_add(
        &finding->ruled_out, arena, "Not the network: packets are refused here, because the memory for TCP is short.");

    fixes_add(&finding->fix_now, arena,
        "Look at the largest queues first: data that is not read (Recv-Q) or not taken by a peer (Send-Q).",
        "tcpwhy list --sort -send-q");
    fixes_add(&finding->fix_now, arena, "To win time, where the host has memory to spare, raise the limits.",
        arena_printf(arena, "sysctl -w net.ipv4.tcp_mem='%" PRId64 " %" PRId64 " %" PRId64 "'", usage->pressure * 3 / 2,
            usage->pressure * 2, usage->limit * 2));
    fixes_add(&finding->fix_for_good, arena,
        "Bound what one connection may queue: time limits on writing, TCP_NOTSENT_LOWAT, SO_SNDBUF and SO_RCVBUF "
        "where a program has very many connections; or more memory, or fewer connections for each host.",
        NULL);
    lines_add(&finding->will_not_help, arena,
        "Larger tcp_rmem and tcp_wmem (the usual \"tuning\"): each connection may then take more of what is short.");
}

static void assess_host(const struct context *context, const struct host *host, const struct rule *rule,
    struct arena *arena, struct finding_list *list)
{
    const struct snapshot *snapshot = context->snapshot;
    struct usage usage;
    if (!read_usage(snapshot, host, &usage) || usage.pages < usage.pressure)
        return;
    list->wants_rates |= snapshot->previous == NULL;
    struct finding *finding = finding_list_add(list, rule);
    int64_t critical_percent = (int64_t)context_limits(context, 0, rule)->critical_percent;
    finding->severity = usage.pages * 100 >= usage.limit * critical_percent ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    finding->netns = &snapshot->netns[usage.netns];
    finding->host = host;
    sample_largest(snapshot, arena, finding);
    word(snapshot, &usage, arena, finding);
    finding->count = finding->conn_count;
}

void tcp_memory_pressure_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    size_t count = hosts_count(context->snapshot);
    for (size_t i = 0; i < count; i++)
        assess_host(context, hosts_at(context->snapshot, i), rule, arena, list);
}
