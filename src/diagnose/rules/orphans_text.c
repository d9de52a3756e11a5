/* What the finding about the limit of orphans says. Why it is made: orphans.c. */
#include "diagnose/rules/orphans.h"

#include <inttypes.h>

#include "diagnose/command.h"
#include "diagnose/phrases.h"

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

void orphan_limit_describe(const struct orphan_limit *facts, struct arena *arena, struct finding *finding)
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
            "TCPAbortOnMemory stands at %s: connections have been reset for want of orphans or memory since the "
            "start.",
            phrases_count(arena, (uint64_t)facts->aborted_ever));
    evidence_states(arena, facts, finding);
    evidence_peers(arena, finding);
    lines_add(&finding->ruled_out, arena,
        "A leak of descriptors: orphans have none. TIME_WAIT and FIN_WAIT_2 mini-sockets do not count.");

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
        "Give up sooner on peers that are gone: fewer attempts for each orphan. It is set in each network namespace. Its "
        "price: a client that is out of reach for some 13 s instead of 100 s loses the end of its answer.",
        "net.ipv4.tcp_orphan_retries", "4");
    lines_add(&finding->will_not_help, arena, "Restarting the service: that closes more sockets, and makes orphans.");
    lines_add(&finding->will_not_help, arena,
        "tcp_fin_timeout of 60 s or less: what it governs are mini-sockets, which are not counted here.");
}
