/*
 * Half-open: the connection is open here, and the other host does not know it any more (RFC 9293 section 3.5.1). TCP
 * sends nothing on an idle connection. So this side notices nothing until it sends data or a keepalive probe, which is
 * answered by a reset. From one end the connection only looks idle. unknown_verdict.c compares both ends.
 */
#include "diagnose/rules/half_open.h"

#include "diagnose/group.h"
#include "diagnose/phrases.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/places.h"
#include "diagnose/unknown_verdict.h"
#include "model/host.h"

bool half_open_applies(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    (void)limits;
    return conn_has(conn, CONN_QUEUES) && conn->recv_q_bytes == 0 && conn->send_q_bytes == 0 &&
        unknown_verdict(context, conn) >= UNKNOWN_POSSIBLE;
}

/* --- what the finding says ---------------------------------------------------------------------------------------- */

/* What the connections of a group have in common. */
struct half_open {
    const char *there;           /* the other host, "db-1"; NULL: they go to several */
    const struct conn *listener; /* of the service there, or NULL */
    bool is_namespace;           /* it is another network namespace of this host */
    int64_t later_ms;            /* how much later the other host was read; negative: earlier */
    enum unknown_sign sign;      /* of the least certain connection */
    uint64_t siblings;           /* of the service; 0: there are several services, or no siblings */
    bool all_siblings;           /* each service has some */
    bool is_dated;
    uint32_t quiet_ms; /* the least */
};

static void add_facts(const struct context *context, const struct conn *conn, const struct unknown_service *service,
    struct half_open *facts)
{
    enum unknown_sign sign = unknown_verdict(context, conn);
    uint32_t quiet_ms = unknown_ends_quiet_ms(conn);
    facts->sign = sign < facts->sign ? sign : facts->sign;
    facts->quiet_ms = quiet_ms < facts->quiet_ms ? quiet_ms : facts->quiet_ms;
    facts->is_dated &= service->dated > 0;
    facts->all_siblings &= service->siblings > 0;
}

static struct half_open facts_of(const struct context *context, const struct group *group, struct arena *arena)
{
    const struct snapshot *snapshot = context->snapshot;
    struct half_open facts = { .sign = UNKNOWN_LIKELY, .quiet_ms = UINT32_MAX, .all_siblings = true, .is_dated = true };
    const struct unknown_service *last = NULL;
    bool one_place = true, one_service = true;
    for (size_t i = 0; i < group->count; i++) {
        const struct conn *conn = &snapshot->conns[group->conns[i]];
        const struct unknown_service *service = unknown_ends_service(context, conn);
        if (service == NULL)
            continue;
        if (last == NULL)
            facts.there = places_name(arena, snapshot, conn, service->netns);
        one_place &= last == NULL || last->netns == service->netns;
        one_service &= last == NULL || last == service;
        facts.siblings = service->siblings;
        facts.is_namespace = snapshot->netns[service->netns].host == hosts_of_conn(snapshot, conn);
        facts.later_ms = service->times.later_ms;
        facts.listener = unknown_verdict_listener(context, service);
        last = service;
        add_facts(context, conn, service, &facts);
    }
    if (!one_place)
        facts.there = NULL;
    if (!one_service)
        facts.siblings = 0;
    return facts;
}

/* "at the same time", "12 s earlier" */
static const char *when_seen(struct arena *arena, const struct half_open *facts)
{
    enum { MOMENT_MS = 1000 };
    int64_t later = facts->later_ms;
    if (later > -MOMENT_MS && later < MOMENT_MS)
        return "at the same time";
    return arena_printf(arena, "%s %s", phrases_duration(arena, (uint64_t)(later < 0 ? -later : later)),
        later < 0 ? "earlier" : "later");
}

/* The process that listens there, if it was started after the last segment had come from it; else NULL. */
static const struct process *restarted_there(const struct context *context, const struct half_open *facts)
{
    const struct process *process = facts->listener != NULL ? snapshot_owner(context->snapshot, facts->listener) : NULL;
    bool later = process != NULL && process->running_ms > 0 && process->running_ms < facts->quiet_ms;
    return later ? process : NULL;
}

static void add_evidence(const struct context *context, const struct group *group, const struct half_open *facts,
    struct arena *arena, struct finding *finding)
{
    const char *service = phrases_service(arena, context, group);
    lines_add(&finding->evidence, arena, "%s was looked at %s, and has %s in any state.",
        facts->there != NULL ? facts->there : "Each of the other hosts", when_seen(arena, facts),
        group->count == 1 ? "not got this connection" : "none of these connections");
    lines_add(&finding->evidence, arena, "Nothing has come on %s for the last %s.",
        group->count == 1 ? "it" : "any of them", phrases_duration(arena, facts->quiet_ms));
    if (facts->all_siblings)
        lines_add(&finding->evidence, arena,
            "%s between the same addresses, %s, %s there%s: no NAT hides the other ends, and that snapshot shows such "
            "connections.",
            facts->siblings == 0 ? "Other connections"
                                 : arena_printf(arena, "%s other connection%s", phrases_count(arena, facts->siblings),
                                       facts->siblings == 1 ? "" : "s"),
            service, facts->siblings == 1 ? "is" : "are",
            facts->is_dated ? ", and both ends remember the same moments" : "");
    const struct process *process = restarted_there(context, facts);
    if (process != NULL)
        lines_add(&finding->evidence, arena, "%s, which listens there, was started %s ago: after the last that came.",
            phrases_process(arena, process), phrases_duration(arena, process->running_ms));
    if (group->keepalives == 0)
        lines_add(&finding->evidence, arena, "Keepalive is off: nothing will notice unless something is sent.");
    else
        lines_add(&finding->evidence, arena,
            "Keepalive runs on %s: its next probe ends the connection, by the reset that answers it or by none.",
            group->keepalives == group->count ? "all of them" : phrases_conns(arena, group->keepalives));
    phrases_descriptors(arena, finding->owner, &finding->evidence);
}

static void rule_out(const struct half_open *facts, struct arena *arena, struct finding *finding)
{
    lines_add(
        &finding->ruled_out, arena, "Not connections that only rest: the other host would have its ends of them.");
    lines_add(&finding->ruled_out, arena,
        "Not connections that were opened or closed while the snapshots were taken: nothing has come for much longer, "
        "and far more are missing than chance gives.");
    if (facts->all_siblings)
        lines_add(&finding->ruled_out, arena,
            "Not several hosts behind one address (a load balancer): then those that are known would be as quiet as "
            "those that are not. All of them are younger, or were used later.");
}

static void add_fixes(const struct context *context, const struct group *group, const struct half_open *facts,
    struct arena *arena, struct finding *finding)
{
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena,
            "On %s, see since when it and its service have been running, and whether its address was another "
            "host's before.",
            facts->there != NULL ? facts->there : "those hosts"),
        "uptime -s");
    fixes_add(&finding->fix_now, arena,
        "Have the program here drop them: empty its pool, or end what waits on them. Restarting it does so too.", NULL);
    phrases_fix_restart(arena, context, finding->owner, &finding->fix_now);
    fixes_add(&finding->fix_for_good, arena,
        group->keepalives == group->count
            ? "Keepalive is on, and takes long: a TCP_KEEPIDLE of a minute or so finds them sooner (the kernel's own "
              "is 2 hours)."
            : "Let the program set SO_KEEPALIVE, with a TCP_KEEPIDLE of a minute or so: the first probe is answered by "
              "a reset, and the program gets an error.",
        NULL);
    fixes_add(&finding->fix_for_good, arena,
        "A pool: test a connection before it is used, and close what has been idle for long. Who waits for an answer: "
        "a time limit on it.",
        NULL);
    lines_add(
        &finding->will_not_help, arena, "Restarting the service at the other end: it does not know these connections.");
    lines_add(&finding->will_not_help, arena,
        "net.ipv4.tcp_keepalive_time alone: it counts only for sockets that have SO_KEEPALIVE switched on.");
}

void half_open_describe(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)
{
    const struct half_open facts = facts_of(context, group, arena);
    bool is_likely = facts.sign == UNKNOWN_LIKELY;
    const char *they = group->count == 1 ? "it is" : "they are";
    finding->title = arena_printf(arena, "%s keeps %s %s that %s not know: %s half-open", phrases_owner(arena, finding),
        phrases_conns(arena, group->count), phrases_service(arena, context, group),
        facts.there != NULL ? arena_printf(arena, "%s does", facts.there) : "the other hosts do", they);
    finding->why = arena_printf(arena,
        "The other end is gone, and what would have said so never came: %s, or it gave the connection up while nothing "
        "got through.%s TCP sends "
        "nothing on an idle connection, so that this side does not know. Who sends on it next gets a reset, or no "
        "answer; who waits for data on it waits for ever.",
        facts.is_namespace ? "its container was restarted or made anew with the same address"
                           : "its host was restarted or lost its power, another host has taken over its address",
        is_likely ? ""
                  : " Or something between answers for that address, which cannot be ruled out here: a NAT, a "
                    "load balancer.");
    finding->confidence = is_likely ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    if (!is_likely || group->keepalives == group->count)
        finding->severity = SEVERITY_INFO;
    add_evidence(context, group, &facts, arena, finding);
    rule_out(&facts, arena, finding);
    add_fixes(context, group, &facts, arena, finding);
}
