/*
 * TIME_WAIT: the connection has ended, and this side closed first (RFC 9293 §3.3.2, §3.6.1). It uses no descriptor and
 * no process, and ends after TCP_TIMEWAIT_LEN, 60 s. No number of them is a fault. A thousand of one service are
 * mentioned, because they show who closes first. port_exhaustion.c checks whether they use up ports.
 *
 * A namespace may reach its limit: inet_twsk_alloc() in net/ipv4/inet_timewait_sock.c makes at most tcp_max_tw_buckets
 * mini-sockets, in TIME_WAIT and FIN_WAIT_2 together. Above that, connections end without TIME_WAIT, and
 * TCPTimeWaitOverflow counts them. The counter never falls, so only its rise shows what happens now.
 */
#include "diagnose/rules/time_wait.h"

#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/platform.h"
#include "diagnose/rule.h"
#include "diagnose/rules/port_shortage.h"

/* --- churn ------------------------------------------------------------------------------------------------------ */

bool time_wait_churn_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    (void)context;
    (void)conn;
    (void)limits;
    return true;
}

/* Adds which share of the ports to one destination they use. If it is large, the finding does not say "harmless". */
static void assess_ports(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding)
{
    const struct port_use busiest = ports_busiest(context->snapshot, group->conns, group->count);
    struct port_range range = ports_range_or_usual(context->snapshot, busiest.netns);
    if (range.usable == 0)
        return;
    if ((busiest.connections - busiest.recyclable) * 2 >= range.usable) {
        finding->title = arena_printf(arena, "%s %s in TIME_WAIT keep most of the ports to one destination",
            phrases_conns(arena, group->count), phrases_service(arena, context, group));
        fixes_add(&finding->fix_now, arena,
            "Nothing as long as ports are left; the finding port-exhaustion says when they run short, and what then.",
            "tcpwhy explain port-exhaustion");
    }
    lines_add(&finding->evidence, arena,
        "They keep %s of the %s ports%s for the destination that has most, %s port %u: %u %%%s.",
        phrases_count(arena, busiest.connections), phrases_count(arena, range.usable),
        range.is_assumed ? arena_printf(arena, " (assumed: %s)", ports_assumption(arena, context->snapshot, &range))
                         : "",
        phrases_address(arena, &busiest.remote), busiest.remote_port,
        (unsigned)((uint64_t)busiest.connections * 100 / range.usable),
        busiest.recyclable > 0 ? arena_printf(arena, ", but %s of them may be taken over at once (tcp_tw_reuse)",
                                     phrases_count(arena, busiest.recyclable))
                               : "");
}

/* Counts those that go from this host to itself: to a loopback address, or to their own local address. */
static size_t count_within_host(const struct snapshot *snapshot, const struct group *group)
{
    size_t within = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        within += ip_is_loopback(&conn->remote) || ip_is_same(&conn->local, &conn->remote);
    }
    return within;
}

static void add_evidence_of_service_port(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    size_t within = count_within_host(context->snapshot, group);
    if (within == 0)
        lines_add(&finding->evidence, arena,
            "All of them share the service's own port %u: none of the ephemeral ports is used.", finding->local.port);
    else if (within == group->count)
        lines_add(&finding->evidence, arena,
            "All of them share the service's own port %u; but their clients are on this host too, so that each keeps "
            "one of its ephemeral ports at the other end.",
            finding->local.port);
    else
        lines_add(&finding->evidence, arena,
            "All of them share the service's own port %u; but the clients of %s are on this host too, so that each of "
            "these keeps one of its ephemeral ports at the other end.",
            finding->local.port, phrases_count(arena, within));
}

void time_wait_churn_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *service = phrases_service(arena, context, group);
    finding->title = arena_printf(arena, "%s %s in TIME_WAIT: harmless", phrases_conns(arena, group->count), service);
    const struct platform *platform = platform_of(context->snapshot);
    finding->why = arena_printf(arena,
        group->incoming
            ? "They are over. The service here closes first, as most servers do, and TIME_WAIT stays with the side "
              "that does. %s and holds neither a descriptor nor a process nor a port of its own."
            : "They are over. The client here closes first, and TIME_WAIT stays with the side that does. %s and holds "
              "neither a descriptor nor a process, but a local port towards that destination.",
        platform->time_wait_life);
    uint64_t rate = platform->time_wait_s != 0 ? group->count / platform->time_wait_s : 0;
    if (platform->time_wait_s != 0)
        lines_add(&finding->evidence, arena, "About %s connection%s %s closed here a second, over the last %s.",
            phrases_count(arena, rate), rate == 1 ? "" : "s", rate == 1 ? "was" : "were",
            platform->time_wait_s == 60 ? "minute" : phrases_duration(arena, platform->time_wait_s * 1000ULL));
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "In TIME_WAIT %s%s.", phrases_ages(arena, group),
            platform->time_wait_s != 0 ? arena_printf(arena, ", of %u s", platform->time_wait_s) : "");
    if (group->incoming)
        add_evidence_of_service_port(context, group, arena, finding);
    else
        assess_ports(arena, context, group, finding);
    lines_add(&finding->ruled_out, arena, "Not a leak: a connection gets here only when both sides have closed.");
    if (finding->fix_now.count == 0)
        fixes_add(&finding->fix_now, arena, "Nothing.", NULL);
    fixes_add(&finding->fix_for_good, arena,
        group->incoming
            ? "If opening so many connections costs too much: keep them open (HTTP keep-alive), so that clients use "
              "them for more than one request."
            : "If ports to that destination run short, or opening so many costs too much: keep connections open and "
              "use them again (keep-alive, a pool), or let the other side close first.",
        NULL);
    lines_add(&finding->will_not_help, arena, "%s", platform->time_wait_wont_help);
    if (group->incoming && platform->time_wait_reuse != NULL)
        lines_add(&finding->will_not_help, arena, "%s", platform->time_wait_reuse);
    lines_add(&finding->will_not_help, arena,
        "SO_LINGER with time 0: it avoids TIME_WAIT by a reset, which can lose the last data.");
}

/* --- overflow --------------------------------------------------------------------------------------------------- */

enum { NEAR_PERCENT = 90 };

struct time_wait_overflow {
    uint32_t netns;
    int64_t used, limit; /* entries; limit 0: unknown */
    int64_t skipped;     /* TCPTimeWaitOverflow: connections that ended without TIME_WAIT since the namespace exists */
    int64_t rise;        /* its rise in the last rise_ms */
    uint64_t rise_ms;
    bool rise_known;
};

static void describe_overflow(const struct time_wait_overflow *facts, struct arena *arena, struct finding *finding)
{
    const char *used = phrases_count(arena, (uint64_t)facts->used);
    const char *limit = phrases_count(arena, (uint64_t)facts->limit);
    bool full = facts->limit > 0 && facts->used >= facts->limit;
    finding->title = full ? arena_printf(arena, "The table of TIME_WAIT is full: %s of %s entries", used, limit)
        : facts->rise_known && facts->rise > 0
        ? arena_printf(arena, "The table of TIME_WAIT was full a moment ago (%s entries now)", used)
        : arena_printf(arena, "The table of TIME_WAIT is nearly full: %s of %s entries", used, limit);
    finding
        ->why = "When the limit is reached, the kernel closes connections without TIME_WAIT. Late segments of such a "
                "connection can then disturb a new one on the same ports, and a last FIN that was lost is answered "
                "by a reset. It is a safety limit against floods; here it is reached by ordinary load.";
    if (facts->rise_known && facts->rise > 0)
        lines_add(&finding->evidence, arena, "%s were closed without TIME_WAIT in the last %s (TCPTimeWaitOverflow).",
            phrases_conns(arena, (uint64_t)facts->rise), phrases_duration(arena, facts->rise_ms));
    else if (facts->rise_known)
        lines_add(&finding->evidence, arena, "TCPTimeWaitOverflow has not risen in the last %s.",
            phrases_duration(arena, facts->rise_ms));
    else
        lines_add(&finding->evidence, arena,
            "Whether it happens now is not known: there is only one reading of TCPTimeWaitOverflow.");
    lines_add(&finding->evidence, arena, "%s were closed without TIME_WAIT since the namespace was made.",
        phrases_conns(arena, (uint64_t)facts->skipped));
    if (facts->limit > 0)
        lines_add(&finding->evidence, arena,
            "%s entries now, FIN_WAIT_2 without a process included, of %s (tcp_max_tw_buckets, for this namespace).",
            used, limit);
    lines_add(
        &finding->ruled_out, arena, "Not a shortage of ports: that is another limit, and has a finding of its own.");
    if (facts->limit > 0)
        fixes_add(&finding->fix_now, arena,
            "Raise the limit in this namespace; an entry takes about 250 bytes of kernel memory.",
            arena_printf(arena, "sysctl -w net.ipv4.tcp_max_tw_buckets=%lld", (long long)facts->limit * 2));
    fixes_add(&finding->fix_for_good, arena,
        "Close fewer connections: keep-alive and pools. Each one that is used again saves an entry.", NULL);
    lines_add(&finding->will_not_help, arena,
        "Lowering tcp_max_tw_buckets to be rid of TIME_WAIT: that is what does the harm here.");
    lines_add(&finding->will_not_help, arena, "tcp_fin_timeout: TIME_WAIT is fixed at 60 s.");
}

static void assess_netns(const struct context *context, const struct rule *rule, uint32_t netns, struct arena *arena,
    struct finding_list *list)
{
    const struct net_values *values = &context->snapshot->net_values[netns];
    struct time_wait_overflow facts = { .netns = netns };
    facts.limit = setting_value(values, SETTING_MAX_TW_BUCKETS, 0);
    if (!values->has_counter[COUNTER_TIME_WAIT_OVERFLOW] || values->counters[COUNTER_TIME_WAIT_OVERFLOW] <= 0)
        return;
    facts.skipped = values->counters[COUNTER_TIME_WAIT_OVERFLOW];
    facts.used = values->has_counter[COUNTER_TIME_WAIT] ? values->counters[COUNTER_TIME_WAIT] : 0;
    facts.rise_known = snapshot_counter_rise(
        context->snapshot, netns, COUNTER_TIME_WAIT_OVERFLOW, &facts.rise, &facts.rise_ms);
    bool near = facts.limit > 0 && facts.used * 100 >= facts.limit * NEAR_PERCENT;
    if (!facts.rise_known && near && context->snapshot->previous == NULL)
        list->wants_rates = true;
    if (!near && !(facts.rise_known && facts.rise > 0))
        return;
    struct finding *finding = finding_list_add(list, rule);
    finding->count = (uint64_t)facts.used;
    finding->is_concerned = true; /* see time_wait_overflow_assess() */
    finding->netns = &context->snapshot->netns[netns];
    /* If the namespace is at its limit but the counter does not rise now, it is only an information. */
    finding->severity = facts.rise_known && facts.rise == 0 ? SEVERITY_INFO : SEVERITY_WARNING;
    finding->confidence = facts.rise_known ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    describe_overflow(&facts, arena, finding);
}

/* For each namespace: true if all connections, or some in TIME_WAIT of this namespace, are selected. */
static bool *concerned_namespaces(const struct context *context)
{
    const struct snapshot *snapshot = context->snapshot;
    bool *concerned = xcalloc(snapshot->netns_count + 1, sizeof *concerned);
    for (size_t n = 0; n < snapshot->netns_count; n++)
        concerned[n] = context->selects_all;
    for (size_t i = 0; !context->selects_all && i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (context->selected[i] && conn->state == STATE_TIME_WAIT && conn->netns < snapshot->netns_count)
            concerned[conn->netns] = true;
    }
    return concerned;
}

void time_wait_overflow_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    bool *concerned = concerned_namespaces(context);
    for (uint32_t n = 0; n < context->snapshot->netns_count; n++) {
        if (concerned[n])
            assess_netns(context, rule, n, arena, list);
    }
    free(concerned);
}
