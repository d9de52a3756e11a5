/* What the findings about TIME_WAIT say. Why each is made: time_wait.c. */
#include "diagnose/rules/time_wait.h"

#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/platform.h"
#include "diagnose/rules/port_shortage.h"

/* --- churn ------------------------------------------------------------------------------------------------------ */

/* The share of the ports to one destination; where it is large, "harmless" would be saying too much. */
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

/* Some of them go from this host to itself: to a loopback address, or to the one that they come from. */
static bool are_within_host(const struct snapshot *snapshot, const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        if (ip_is_loopback(&conn->remote) || ip_is_same(&conn->local, &conn->remote))
            return true;
    }
    return false;
}

void time_wait_churn_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const char *service = phrases_service(arena, context, group);
    finding->title = arena_printf(arena, "%s %s in TIME_WAIT: harmless", phrases_conns(arena, group->count), service);
    const struct platform *platform = platform_of(context->snapshot);
    finding->why = arena_printf(arena,
        group->incoming
            ? "They are over. The service here closes first, as most servers do, and TIME_WAIT stays with the side that "
              "does. %s and holds neither a descriptor nor a process nor a port of its own."
            : "They are over. The client here closes first, and TIME_WAIT stays with the side that does. %s and holds "
              "neither a descriptor nor a process, but a local port towards that destination.",
        platform->time_wait_life);
    uint64_t rate = platform->time_wait_s != 0 ? group->count / platform->time_wait_s : 0;
    if (platform->time_wait_s != 0)
        lines_add(&finding->evidence, arena, "About %s connection%s %s closed here a second, over the last %s.",
            phrases_count(arena, rate), rate == 1 ? "" : "s", rate == 1 ? "was" : "were",
            platform->time_wait_s == 60 ? "minute" : phrases_duration(arena, platform->time_wait_s * 1000ULL));
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "In TIME_WAIT %s, of 60 s.", phrases_ages(arena, group));
    if (group->incoming && are_within_host(context->snapshot, group))
        lines_add(&finding->evidence, arena,
            "All of them share the service's own port %u; but their clients are on this host too, so that each keeps one "
            "of its ephemeral ports at the other end.",
            finding->local.port);
    else if (group->incoming)
        lines_add(&finding->evidence, arena,
            "All of them share the service's own port %u: none of the ephemeral ports is used.", finding->local.port);
    else
        assess_ports(arena, context, group, finding);
    lines_add(&finding->ruled_out, arena, "A leak: a connection gets here only when both sides have closed.");
    if (finding->fix_now.count == 0)
        fixes_add(&finding->fix_now, arena, "Nothing.", NULL);
    fixes_add(&finding->fix_for_good, arena,
        group->incoming
            ? "If opening so many connections costs too much: keep them open (HTTP keep-alive), so that clients use "
              "them for more than one request."
            : "If ports to that destination run short, or opening so many costs too much: keep connections open and use "
              "them again (keep-alive, a pool), or let the other side close first.",
        NULL);
    lines_add(&finding->will_not_help, arena, "%s", platform->time_wait_wont_help);
    if (group->incoming && platform->time_wait_reuse != NULL)
        lines_add(&finding->will_not_help, arena, "%s", platform->time_wait_reuse);
    lines_add(&finding->will_not_help, arena,
        "SO_LINGER with time 0: it avoids TIME_WAIT by a reset, which can lose the last data.");
}

/* --- overflow --------------------------------------------------------------------------------------------------- */

void time_wait_overflow_describe(const struct time_wait_overflow *facts, struct arena *arena, struct finding *finding)
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
    lines_add(&finding->ruled_out, arena, "Want of ports: that is another limit, and has a finding of its own.");
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
