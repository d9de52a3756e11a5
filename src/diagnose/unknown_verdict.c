#include "diagnose/unknown_verdict.h"

#include <string.h>

#include "diagnose/phrases.h"
#include "model/host.h"

enum {
    MARGIN_MS = 1000,
    MOMENT_MS = 5000, /* nobody restarts a client in less time */
    FEW = 10,         /* a tenth is few */
};

const struct conn *unknown_verdict_listener(const struct context *context, const struct unknown_service *service)
{
    if (service->is_incoming)
        return NULL;
    const struct conn *first = &context->snapshot->conns[service->first];
    const struct conn end = { .local = first->remote,
        .local_port = first->remote_port,
        .netns = service->netns,
        .ipv6 = first->ipv6,
        .state = STATE_ESTABLISHED };
    return listeners_find(&context->listeners, &end);
}

/* Connections that wait to be accepted have another cause, and may have no row at all. */
static bool is_accepting(const struct conn *listener)
{
    return listener == NULL || !conn_has(listener, CONN_QUEUES) || listener->recv_q_bytes == 0;
}

/*
 * True if the missing connections may have been closed by chance between the two snapshots. Idle connections are closed
 * one after the other, when their time is over. From their number (known + missing) and their age follows how many are
 * closed by chance in the time between the snapshots. The number of missing ones must be this expected number times a
 * factor, which falls as their number rises. With the factors, chance alone gives such a number in one of ten thousand
 * cases (Poisson distribution). But all of them may also be closed at one moment, which is one event for all.
 */
static bool is_chance(const struct unknown_service *service, uint32_t quiet_ms)
{
    static const uint16_t factors[] = { 10000, 10000, 150, 40, 22, 15, 13, 12, 11, 11 };
    enum { KNOWN_FACTORS = sizeof factors / sizeof *factors, FACTOR = 10, AT_ONE_MOMENT = 100 };
    uint64_t factor = service->quiet < KNOWN_FACTORS ? factors[service->quiet] : FACTOR;
    uint64_t open_ms = unknown_times_open_ms(&service->times);
    return service->quiet * quiet_ms < factor * (service->known + service->missing) * open_ms ||
        quiet_ms < AT_ONE_MOMENT * open_ms;
}

/* True if the other snapshot may have been filtered, so that connections of this service would not be in it. */
static bool may_be_filtered(const struct context *context, const struct unknown_service *service)
{
    const struct host *other = context->snapshot->netns[service->netns].host;
    bool is_text = other != NULL && other->source != NULL && strncmp(other->source, "capture-", 8) == 0;
    return service->siblings == 0 && is_text && !service->has_rows;
}

/* The snapshot of the other host does not have the connection. Decides how sure it is that the host has lost it. */
static enum unknown_sign weigh(const struct context *context, const struct unknown_service *service, uint32_t quiet_ms)
{
    int64_t later = service->times.later_ms;
    if (is_chance(service, quiet_ms))
        return later > MARGIN_MS ? UNKNOWN_UNSURE : UNKNOWN_NOT;
    if (may_be_filtered(context, service) || service->in_use * FEW > service->quiet ||
        service->misdated > service->dated || (service->siblings > 0 && quiet_ms <= service->known_quiet_ms))
        return UNKNOWN_UNSURE;
    bool at_one_moment = service->times.same_host || (service->dated > 0 && later <= MOMENT_MS);
    return service->siblings > 0 && at_one_moment ? UNKNOWN_LIKELY : UNKNOWN_POSSIBLE;
}

static enum unknown_sign judge(
    const struct context *context, const struct unknown_service *service, const struct conn *conn)
{
    const struct conn *listener = unknown_verdict_listener(context, service);
    if (service->siblings == 0 && (service->times.same_host || listener == NULL))
        return UNKNOWN_NOT;
    if (!conn_has(conn, CONN_TCP_INFO))
        return UNKNOWN_UNSURE;
    uint32_t quiet_ms = unknown_ends_quiet_ms(conn);
    if (!unknown_ends_is_idle(conn, service->is_incoming) || !is_accepting(listener) ||
        quiet_ms < unknown_times_needed_ms(&service->times))
        return UNKNOWN_NOT;
    return weigh(context, service, quiet_ms);
}

enum unknown_sign unknown_verdict(const struct context *context, const struct conn *conn)
{
    const struct unknown_service *service = unknown_ends_service(context, conn);
    return service != NULL ? judge(context, service, conn) : UNKNOWN_NOT;
}

void unknown_verdict_note_unsure(const struct context *context, struct diagnosis *diagnosis)
{
    const struct unknown_ends *ends = unknown_ends_find(context);
    uint64_t unsure = 0;
    for (size_t i = 0; i < ends->count; i++) {
        const struct conn *conn = &context->snapshot->conns[ends->items[i].conn];
        const struct unknown_service *service = &ends->services[ends->items[i].service];
        /* A few of many are always opened or closed between two snapshots. */
        bool few = service->missing * FEW < service->known + service->missing;
        unsure += context->selected[ends->items[i].conn] && !few && judge(context, service, conn) == UNKNOWN_UNSURE;
    }
    if (unsure == 0)
        return;
    diagnosis_add_gap(diagnosis, GAP_ENDS_UNKNOWN,
        arena_printf(&diagnosis->arena,
            "whether %s that are open here are known at the other end: its host was seen, and they were not. They may "
            "have been opened or closed between the two snapshots, or another host may answer for that address",
            phrases_conns(&diagnosis->arena, unsure)),
        NULL);
}
