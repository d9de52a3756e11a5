/*
 * No counter says how many connection attempts one listener has dropped. Its own one (sk_drops) counts each segment
 * that it did not use: also a SYN that the client repeats, and bare ACKs that TCP_DEFER_ACCEPT ignores (tcp_v4_rcv(),
 * label discard_and_relse). ListenDrops counts attempts only, but of all listeners of the network namespace, also of
 * closed ones. Each drop raises both (tcp_listendrop()). So the smaller one is an upper bound.
 */
#include "diagnose/phrases_drops.h"

#include "diagnose/phrases.h"
#include "diagnose/queues.h"

void phrases_drops(
    struct arena *arena, const struct snapshot *snapshot, const uint32_t *conns, size_t count, struct lines *evidence)
{
    const struct net_values *values = snapshot_net_values(snapshot, &snapshot->conns[conns[0]]);
    bool is_listed = values != NULL && values->has_counter[COUNTER_LISTEN_DROPS];
    uint64_t all = is_listed ? (uint64_t)values->counters[COUNTER_LISTEN_DROPS] : UINT64_MAX;
    uint64_t own = 0;
    for (size_t i = 0; i < count; i++) {
        const struct conn *listener = &snapshot->conns[conns[i]];
        own += conn_has(listener, CONN_SKMEM) ? listener->skmem_drops : 0;
    }
    if (own == 0 || all == 0)
        return;
    const char *own_counter = count == 1 ? "its own counter" : "their own counters";
    const char *begin = arena_printf(arena, "%s dropped at most %s connection attempts since %s opened",
        count == 1 ? "This listener has" : "These listeners have", phrases_count(arena, own < all ? own : all),
        count == 1 ? "it was" : "they were");
    if (!is_listed)
        lines_add(evidence, arena,
            "%s: %s (sk_drops) also counts repeated SYNs, and bare ACKs that TCP_DEFER_ACCEPT ignores.", begin,
            own_counter);
    else if (own > all)
        lines_add(evidence, arena,
            "%s: all listeners of its network namespace together have dropped that many (ListenDrops).", begin);
    else if (own < all)
        lines_add(evidence, arena,
            "%s, by %s (sk_drops); all listeners of its network namespace together have dropped %s (ListenDrops).",
            begin, own_counter, phrases_count(arena, all));
    else
        lines_add(evidence, arena, "%s (sk_drops and ListenDrops agree).", begin);
}
