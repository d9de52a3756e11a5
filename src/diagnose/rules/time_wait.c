/*
 * TIME_WAIT: the connection is over and this side closed first (RFC 9293 §3.3.2, §3.6.1). It holds neither a
 * descriptor nor a process and is gone after TCP_TIMEWAIT_LEN, 60 s. However many there are, they are no fault; a
 * thousand of one service are worth a word, because of who closes first. Whether they use up ports is another rule's
 * question (port_exhaustion.c).
 *
 * What can go wrong is the limit of a namespace: inet_twsk_alloc() in net/ipv4/inet_timewait_sock.c makes no more than
 * tcp_max_tw_buckets of them, FIN_WAIT_2 mini-sockets included. Beyond, connections are closed without TIME_WAIT and
 * TCPTimeWaitOverflow counts them. The counter never falls, so that only its rise says anything about now.
 */
#include "diagnose/rules/time_wait.h"

#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/rule.h"

enum { NEAR_PERCENT = 90 };

bool time_wait_churn_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    (void)context;
    (void)conn;
    (void)limits;
    return true;
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
    finding->netns = &context->snapshot->netns[netns];
    /* At the limit, and no more skipped for the moment: worth knowing only. */
    finding->severity = facts.rise_known && facts.rise == 0 ? SEVERITY_INFO : SEVERITY_WARNING;
    finding->confidence = facts.rise_known ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    time_wait_overflow_describe(&facts, arena, finding);
}

/* Whether the person asked for the whole host, or for connections of this namespace that are in TIME_WAIT. */
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
