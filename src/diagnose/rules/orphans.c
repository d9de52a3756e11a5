/*
 * Orphans: sockets that their process has closed, and that still have to send data or a FIN, or wait for the peer. The
 * whole host may have tcp_max_orphans of them: tcp_too_many_orphans() in net/ipv4/tcp.c. Above that, close() resets the
 * connection (TCPAbortOnMemory; "too many orphaned sockets" in the kernel's log).
 *
 * tcp_out_of_resources() in net/ipv4/tcp_timer.c checks the limit too, at each time-out of an orphan. It doubles the
 * count for an orphan that has sent nothing for long (twice the longest time-out) or has used up its retries, and
 * doubles it again if an ICMP error has arrived. So the limit may act from a quarter of its number on.
 */
#include "diagnose/rules/orphans.h"

#include <inttypes.h>

#include "diagnose/command.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/limits.h"
#include "diagnose/phrases.h"
#include "diagnose/rule.h"
#include "model/host.h"

struct orphan_limit {
    int64_t orphans, limit;
    int64_t aborted;      /* TCPAbortOnMemory: its rise in the last rise_ms */
    int64_t aborted_ever; /* its value; it also counts resets because TCP memory was short */
    uint64_t rise_ms;
    uint64_t by_state[STATE_COUNT]; /* the orphans that were seen */
};

static const uint32_t ORPHAN_STATES = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_FIN_WAIT_2) |
    STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK);

/* Mini-sockets are not orphans: tcp_time_wait() has replaced the full socket. */
static bool is_orphan(const struct snapshot *snapshot, const struct host *host, const struct conn *conn)
{
    return hosts_of_conn(snapshot, conn) == host && (ORPHAN_STATES & STATE_BIT(conn->state)) != 0 &&
        conn_has(conn, CONN_INODE) && conn->inode == 0 &&
        !(conn_has(conn, CONN_TIMER) && conn->timer == TIMER_TIME_WAIT);
}

/* Count and limit belong to the whole host, but only the first namespace shows the setting. */
static bool read_limit(const struct snapshot *snapshot, const struct host *host, struct orphan_limit *facts)
{
    bool orphans = false, limit = false;
    for (size_t n = 0; n < snapshot->netns_count; n++) {
        const struct net_values *values = &snapshot->net_values[n];
        if (snapshot->netns[n].host != host)
            continue;
        if (!orphans && values->has_counter[COUNTER_ORPHANS]) {
            facts->orphans = values->counters[COUNTER_ORPHANS];
            orphans = true;
        }
        if (!limit && values->has_setting[SETTING_MAX_ORPHANS]) {
            facts->limit = values->settings[SETTING_MAX_ORPHANS];
            limit = true;
        }
        int64_t rise;
        if (snapshot_counter_rise(snapshot, (uint32_t)n, COUNTER_ABORT_ON_MEMORY, &rise, &facts->rise_ms) && rise > 0)
            facts->aborted += rise;
        if (values->has_counter[COUNTER_ABORT_ON_MEMORY])
            facts->aborted_ever += values->counters[COUNTER_ABORT_ON_MEMORY];
    }
    return orphans && limit && facts->limit > 0;
}

static void gather(const struct snapshot *snapshot, const struct host *host, struct orphan_limit *facts,
    struct arena *arena, struct finding *finding)
{
    size_t count = 0, filled = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        count += is_orphan(snapshot, host, &snapshot->conns[i]);
    uint32_t *conns = arena_alloc(arena, count * sizeof *conns);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (!is_orphan(snapshot, host, &snapshot->conns[i]))
            continue;
        facts->by_state[snapshot->conns[i].state]++;
        conns[filled++] = (uint32_t)i;
    }
    finding->conns = conns;
    finding->conn_count = count;
}

static void evidence_states(struct arena *arena, const struct orphan_limit *facts, struct finding *finding)
{
    static const struct {
        enum conn_state state;
        const char *meaning;
    } states[] = {
        { STATE_FIN_WAIT_1, "their FIN is not acknowledged, or data before it is not taken" },
        { STATE_CLOSING, "both sides closed at once, their FIN is not acknowledged" },
        { STATE_LAST_ACK, "both sides have closed, their FIN is not acknowledged" },
        { STATE_FIN_WAIT_2, "the peers do not close, and the time-out here is over 60 s" },
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        uint64_t count = facts->by_state[states[i].state];
        if (count > 0)
            lines_add(&finding->evidence, arena, "%s %s: %s.", phrases_count(arena, count), state_name(states[i].state),
                states[i].meaning);
    }
    if (finding->conn_count * 2 < finding->count)
        lines_add(&finding->evidence, arena,
            "%s of them are in network namespaces that could not be looked into, or ended while looking.",
            phrases_count(arena, finding->count - finding->conn_count));
}

static void evidence_peers(struct arena *arena, struct finding *finding)
{
    if (finding->peer_count == 0)
        return;
    const struct peer_count *first = &finding->peers[0];
    if (first->count * 2 >= finding->conn_count)
        lines_add(&finding->evidence, arena, "%s of them go to one peer, %s.", phrases_count(arena, first->count),
            phrases_address(arena, &first->address));
    else if (finding->distinct_peers > 1)
        lines_add(&finding->evidence, arena, "They go to %s different peers: no single one explains them.",
            phrases_count(arena, finding->distinct_peers));
}

static void describe(const struct orphan_limit *facts, struct arena *arena, struct finding *finding)
{
    const char *orphans = phrases_count(arena, (uint64_t)facts->orphans);
    const char *limit = phrases_count(arena, (uint64_t)facts->limit);
    finding->title = arena_printf(arena, "%s orphaned sockets, %" PRId64 " %% of what the kernel allows (%s)", orphans,
        facts->orphans * 100 / facts->limit, limit);
    finding
        ->why = "Their processes have closed them, and the kernel still tries to deliver what is left. Above the "
                "limit the kernel resets connections. An orphan that has sent nothing for minutes, or has used up "
                "its retries, counts twice, and twice again after an ICMP error: so resets can begin at a quarter of "
                "the limit.";
    lines_add(&finding->evidence, arena, "%s orphans (\"orphan\" in /proc/net/sockstat), tcp_max_orphans is %s.",
        orphans, limit);
    if (facts->aborted > 0)
        lines_add(&finding->evidence, arena, "%s reset for it in the last %s (TCPAbortOnMemory).",
            facts->aborted == 1 ? "1 connection was"
                                : arena_printf(arena, "%s were", phrases_conns(arena, (uint64_t)facts->aborted)),
            phrases_duration(arena, facts->rise_ms));
    else if (facts->aborted_ever > 0)
        lines_add(&finding->evidence, arena,
            "TCPAbortOnMemory stands at %s: connections have been reset since the start, "
            "because of the limit of orphans or because memory was short.",
            phrases_count(arena, (uint64_t)facts->aborted_ever));
    evidence_states(arena, facts, finding);
    evidence_peers(arena, finding);
    lines_add(&finding->ruled_out, arena,
        "Not a leak of descriptors: orphans have none. TIME_WAIT and FIN_WAIT_2 mini-sockets do not count.");

    fixes_add(&finding->fix_now, arena,
        "See which peers do not answer or do not read: the findings about FIN_WAIT_1, LAST_ACK and CLOSING name them.",
        "tcpwhy count --state fin-wait-1,closing,last-ack --by state,peer");
    fixes_add(&finding->fix_now, arena,
        "If the memory is there, raise the limit; an orphan can take some 64 kB that cannot be swapped.",
        arena_printf(arena, "sysctl -w net.ipv4.tcp_max_orphans=%lld", (long long)facts->limit * 2));
    fixes_add(&finding->fix_for_good, arena,
        "In the program: do not close right after a large answer to a client that may not read it; bound the "
        "sending with TCP_USER_TIMEOUT.",
        NULL);
    command_keep_setting(arena, finding, &finding->fix_for_good,
        "Give up sooner on peers that are gone: fewer attempts for each orphan. It is set in each network namespace. "
        "Its price: a client that is out of reach for some 13 s instead of 100 s loses the end of its answer.",
        "net.ipv4.tcp_orphan_retries", "4");
    lines_add(&finding->will_not_help, arena, "Restarting the service: that closes more sockets, and makes orphans.");
    lines_add(&finding->will_not_help, arena,
        "tcp_fin_timeout of 60 s or less: what it governs are mini-sockets, which are not counted here.");
}

static void assess_host(const struct context *context, const struct host *host, const struct rule *rule,
    struct arena *arena, struct finding_list *list)
{
    struct orphan_limit facts = { 0 };
    const struct limits *limits = context_limits(context, 0, rule);
    if (!read_limit(context->snapshot, host, &facts) ||
        facts.orphans * 100 < facts.limit * (int64_t)limits->warning_percent)
        return;
    struct finding *finding = finding_list_add(list, rule);
    finding->count = (uint64_t)facts.orphans;
    bool critical = facts.orphans * 100 >= facts.limit * (int64_t)limits->critical_percent;
    finding->severity = critical ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    finding->host = host;
    gather(context->snapshot, host, &facts, arena, finding);
    finding_fill_from_conns(context, arena, finding);
    describe(&facts, arena, finding);
}

void orphan_limit_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    size_t count = hosts_count(context->snapshot);
    for (size_t i = 0; i < count; i++)
        assess_host(context, hosts_at(context->snapshot, i), rule, arena, list);
}
