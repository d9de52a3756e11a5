/*
 * LISTEN: complete connections wait in the accept queue until the process calls accept(). If there are more than the
 * backlog (sk_acceptq_is_full() in include/net/sock.h), the kernel drops SYNs and the last ACKs of handshakes
 * (tcp_conn_request(), tcp_v4_syn_recv_sock()). Only accept() empties the queue.
 *
 * A queue may be full for a moment if many connections arrive at once. There is a finding if a connection has waited
 * for a second, if a client on this host had to repeat its SYN, or if the listener has dropped connections between two
 * readings. In a capture without ages, the full queue alone is enough.
 *
 * If peers have given up already, close-wait-not-accepted is the only finding about the listener, and reports all this.
 */
#include "diagnose/rules/listen.h"

#include <string.h>

#include "diagnose/acceptors_text.h"
#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/obstacle.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_drops.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "diagnose/rules/by_count.h"
#include "diagnose/upstream_text.h"

static bool drops_now(const struct context *context, const struct conn *listener)
{
    int64_t rise;
    uint64_t ms;
    if (queue_drops_since(context->snapshot, listener) > 0)
        return true;
    return snapshot_counter_rise(context->snapshot, listener->netns, COUNTER_LISTEN_OVERFLOWS, &rise, &ms) && rise > 0;
}

bool accept_queue_overflow_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    if (!listener_is_full(conn))
        return false;
    /*
     * Several listeners may share a port (SO_REUSEPORT). What waits does not show at which one, so one stands for all.
     */
    const struct queue *queue = context_queue(context, context_listener(context, conn));
    if (queue != NULL && queue->closed > 0)
        return false;
    if (queue != NULL && (queue->oldest_ms >= limits->settle_ms || queue->syns_refused > 0))
        return true;
    /* In a capture without ages, the row of the listener alone proves that the queue is full. */
    if (context->snapshot->origin != NULL && (queue == NULL || queue->aged == 0))
        return true;
    return drops_now(context, conn);
}

void accept_queue_overflow_assess(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    if (context->snapshot->counts_only)
        by_count_listen_overflows(context, rule, arena, list);
    for (size_t i = 0; context->snapshot->previous == NULL && i < context->queues.count; i++)
        list->wants_rates |= queue_is_full(&context->queues.items[i]) && context->queues.items[i].closed == 0;
}

/* --- descriptions ------------------------------------------------------------------------------------------------- */

void queue_evidence(struct arena *arena, const struct queue *queue, struct finding *finding)
{
    if (queue == NULL)
        return;
    if (queue->half_open > 0 && queue_is_full(queue))
        lines_add(&finding->evidence, arena,
            "%s more %s half-open (SYN_RECEIVED): the last step of the handshake is dropped while the queue is full.",
            phrases_count(arena, queue->half_open), queue->half_open == 1 ? "is" : "are");
    if (queue->syns_refused > 0)
        lines_add(&finding->evidence, arena,
            "%s on this host %s trying to connect to it (SYN_SENT); the full queue drops %s.",
            queue->syns_refused == 1 ? "1 client"
                                     : arena_printf(arena, "%s clients", phrases_count(arena, queue->syns_refused)),
            queue->syns_refused == 1 ? "is" : "are", queue->syns_refused == 1 ? "its SYN" : "their SYNs");
    if (queue->unanswered > 0)
        lines_add(&finding->evidence, arena,
            "%s of this host %s ESTABLISHED while this end is not there yet, and %s data in vain.",
            phrases_conns(arena, queue->unanswered), queue->unanswered == 1 ? "believes itself" : "believe themselves",
            queue->unanswered == 1 ? "sends" : "send");
}

static void evidence_backlog(
    const struct context *context, const struct conn *listener, struct arena *arena, struct finding *finding)
{
    const struct net_values *values = snapshot_net_values(context->snapshot, listener);
    int64_t somaxconn = setting_value(values, SETTING_SOMAXCONN, 0);
    if (somaxconn > 0 && listener->send_q_bytes < somaxconn)
        lines_add(&finding->evidence, arena,
            "The backlog of %s is what the program asked for in listen(); somaxconn allows %s.",
            phrases_count(arena, listener->send_q_bytes), phrases_count(arena, (uint64_t)somaxconn));
    else if (somaxconn > 0)
        lines_add(&finding->evidence, arena, "The backlog of %s is the most that net.core.somaxconn allows.",
            phrases_count(arena, listener->send_q_bytes));
    if (setting_value(values, SETTING_ABORT_ON_OVERFLOW, 0) != 0)
        lines_add(&finding->evidence, arena,
            "tcp_abort_on_overflow is on: clients get a reset instead of being kept waiting.");
}

/* The setting that limits the argument of listen() on the system. */
static const char *limit_of_backlog(const struct snapshot *snapshot)
{
    static const struct {
        const char *os, *limit;
    } limits[] = {
        { "linux", "net.core.somaxconn" },
        { "macos", "kern.ipc.somaxconn" },
        { "freebsd", "kern.ipc.soacceptqueue" },
        { "solaris", "_conn_req_max_q (ipadm)" },
        { "aix", "somaxconn (no -o)" },
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (snapshot->os != NULL && strcmp(snapshot->os, limits[i].os) == 0)
            return limits[i].limit;
    }
    return "the system's limit of it";
}

static void evidence_drops(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    uint64_t now = 0;
    for (size_t i = 0; i < group->count; i++)
        now += queue_drops_since(context->snapshot, &context->snapshot->conns[group->conns[i]]);
    phrases_drops(arena, context->snapshot, group->conns, group->count, &finding->evidence);
    int64_t rise = 0;
    uint64_t ms = 0;
    bool known = snapshot_counter_rise(
        context->snapshot, context->snapshot->conns[group->conns[0]].netns, COUNTER_LISTEN_OVERFLOWS, &rise, &ms);
    if (now > 0)
        lines_add(&finding->evidence, arena, "At most %s of them within the last %s.", phrases_count(arena, now),
            phrases_duration(arena, ms));
    else if (known && rise > 0)
        lines_add(&finding->evidence, arena, "%s attempts met a full queue within the last %s (ListenOverflows).",
            phrases_count(arena, (uint64_t)rise), phrases_duration(arena, ms));
}

/* Fills in the connections of the finding: the listeners, then what waits at them. */
static void take_waiting(const struct context *context, const struct group *group, const struct conn *shown,
    struct arena *arena, struct finding *finding)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct queue *queue = context_queue(context, shown);
    uint64_t most = group->count + (queue ? queue->waiting : 0);
    uint32_t *conns = arena_alloc(arena, most * sizeof *conns);
    size_t count = 0;
    uint64_t in_queue = 0;
    for (; count < group->count; count++) {
        conns[count] = group->conns[count];
        in_queue += snapshot->conns[conns[count]].recv_q_bytes;
    }
    for (size_t i = 0; i < snapshot->conn_count && count < most; i++) {
        const struct conn *conn = &snapshot->conns[i];
        bool waits = (conn->state == STATE_ESTABLISHED || conn->state == STATE_CLOSE_WAIT) &&
            conn_has(conn, CONN_INODE) && conn->inode == 0;
        if (waits && context_listener(context, conn) == shown)
            conns[count++] = (uint32_t)i;
    }
    finding->conns = conns;
    finding->conn_count = count;
    finding->count = in_queue;
}

static void judge(const struct queue *queue, const struct group *group, bool drops, struct finding *finding)
{
    const struct limits *limits = group->limits;
    finding->age_known = queue != NULL && queue->oldest_ms > 0;
    finding->age_at_least = true;
    finding->oldest_ms = finding->age_known ? queue->oldest_ms : 0;
    finding->median_ms = finding->oldest_ms;
    finding->severity = limits->warning_count != 0 && group->count >= limits->warning_count ? SEVERITY_WARNING
                                                                                            : SEVERITY_INFO;
    if (finding->oldest_ms >= limits->critical_age_ms)
        finding->severity = SEVERITY_CRITICAL;
    /* Only a process that accepts too slowly, or not at all, keeps a queue full for long, or so full that it drops. */
    finding->confidence = finding->age_known || drops ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
}

void accept_queue_overflow_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct conn *first = &context->snapshot->conns[group->conns[0]];
    const struct conn *shown = context_listener(context, first);
    const struct queue *queue = context_queue(context, shown);
    const struct acceptors acceptors = acceptors_find(context, arena, shown != NULL ? shown : first);
    const char *owner = acceptors_name(arena, &acceptors, finding->owner);
    enum obstacle halt = obstacle_to_accept(acceptors.obstructed);
    const char *obstacle = obstacle_text(arena, acceptors.obstructed, halt);
    bool stands_still = obstacle != NULL || (queue != NULL && queue->oldest_ms >= group->limits->critical_age_ms);

    take_waiting(context, group, shown, arena, finding);
    judge(queue, group, queue_drops_since(context->snapshot, first) > 0, finding);
    finding->title = arena_printf(arena, "%s %s%s: the accept queue on port %u is full, new clients are turned away",
        owner, obstacle_title(halt), stands_still ? "does not accept" : "does not accept fast enough",
        first->local_port);
    finding->why = arena_printf(arena,
        "The kernel completes connections and puts them into the accept queue of the listening socket; the process "
        "takes them out with accept(). It does not%s, the queue has reached its backlog, and the kernel drops what "
        "comes: clients see time-outs although the server is up.%s",
        stands_still ? "" : " keep up",
        obstacle ? arena_printf(arena, " %s %s.", phrases_process(arena, acceptors.obstructed), obstacle) : "");

    for (size_t i = 0; i < group->count && i < 4; i++) {
        const struct conn *listener = &context->snapshot->conns[group->conns[i]];
        lines_add(&finding->evidence, arena, "The listener's accept queue holds %s of at most %s: it is full.",
            phrases_count(arena, listener->recv_q_bytes), phrases_count(arena, (uint64_t)listener->send_q_bytes + 1));
    }
    acceptors_evidence(arena, &acceptors, &finding->evidence);
    evidence_backlog(context, first, arena, finding);
    evidence_drops(context, group, arena, finding);
    if (finding->age_known)
        lines_add(&finding->evidence, arena, "The longest in it has waited for at least %s.",
            phrases_duration(arena, finding->oldest_ms));
    queue_evidence(arena, queue, finding);
    phrases_descriptors(arena, finding->owner, &finding->evidence);

    lines_add(&finding->ruled_out, arena,
        "Not the network, nor the clients: their handshakes are complete, what is missing is accept().");
    lines_add(&finding->ruled_out, arena, "Not a SYN flood: made-up senders never get as far as the accept queue.");

    upstream_describe_workers(context, group, arena, finding);
    acceptors_fix(arena, context, &acceptors, &finding->fix_now);
    phrases_fix_restart_only(
        arena, context, acceptors.master != NULL ? acceptors.master : finding->owner, &finding->fix_now);
    acceptors_fix_for_good(arena, &acceptors, &finding->fix_for_good);
    const char *limit = limit_of_backlog(context->snapshot);
    fixes_add(&finding->fix_for_good, arena,
        arena_printf(arena,
            "Where it accepts, but too slowly: more workers or more machines. For short bursts alone a larger backlog "
            "helps: the listen() argument and %s together.",
            limit),
        NULL);
    if (strcmp(limit, "net.core.somaxconn") == 0) {
        lines_add(&finding->will_not_help, arena,
            "tcp_max_syn_backlog: that concerns half-open connections, not completed ones.");
        lines_add(&finding->will_not_help, arena,
            "tcp_abort_on_overflow: clients fail faster, the server still does not accept.");
    }
    if (stands_still)
        lines_add(&finding->will_not_help, arena,
            "A larger backlog (somaxconn): the queue only gets longer; nobody empties it.");
}
