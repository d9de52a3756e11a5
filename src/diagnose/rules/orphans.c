/*
 * Orphans: sockets that their process has closed and that still have something to send or to wait for. The whole host
 * may have tcp_max_orphans of them: tcp_too_many_orphans() in net/ipv4/tcp.c. Beyond, close() resets the connection
 * instead of ending it in order (TCPAbortOnMemory; "too many orphaned sockets" in the kernel's log).
 *
 * tcp_out_of_resources() in net/ipv4/tcp_timer.c asks the same at each time-out of an orphan, and doubles the count
 * for one that has sent nothing for long (twice the longest time-out) or has used up its retries, and again for one
 * that an ICMP error came for. So the limit acts from a quarter of its number on.
 */
#include "diagnose/rules/orphans.h"

#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/limits.h"
#include "diagnose/rule.h"
#include "model/host.h"

static const uint32_t ORPHAN_STATES = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_FIN_WAIT_2) |
    STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK);

/* Mini-sockets are not among them: tcp_time_wait() takes the full socket away. */
static bool is_orphan(const struct snapshot *snapshot, const struct host *host, const struct conn *conn)
{
    return hosts_of_conn(snapshot, conn) == host && (ORPHAN_STATES & STATE_BIT(conn->state)) != 0 &&
        conn_has(conn, CONN_INODE) && conn->inode == 0 &&
        !(conn_has(conn, CONN_TIMER) && conn->timer == TIMER_TIME_WAIT);
}

/* Both are the host's, but the setting is shown only in its first namespace. */
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

static void assess_host(const struct context *context, const struct host *host, const struct rule *rule,
    struct arena *arena, struct finding_list *list)
{
    struct orphan_limit facts = { 0 };
    const struct limits *limits = context_limits(context, 0, rule);
    if (!context->selects_all || !read_limit(context->snapshot, host, &facts) ||
        facts.orphans * 100 < facts.limit * (int64_t)limits->warning_percent)
        return;
    struct finding *finding = finding_list_add(list, rule);
    finding->count = (uint64_t)facts.orphans;
    bool critical = facts.orphans * 100 >= facts.limit * (int64_t)limits->critical_percent;
    finding->severity = critical ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    finding->host = host;
    gather(context->snapshot, host, &facts, arena, finding);
    finding_fill_from_conns(context, arena, finding);
    orphan_limit_describe(&facts, arena, finding);
}

void orphan_limit_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    size_t count = hosts_count(context->snapshot);
    for (size_t i = 0; i < count; i++)
        assess_host(context, hosts_at(context->snapshot, i), rule, arena, list);
}
