/*
 * Keepalive (RFC 9293 section 3.8.4) sends probes to a peer from which nothing has come for a long time. The peer's
 * kernel answers each probe, whatever its program does. So unanswered probes prove that the peer has vanished or that
 * the path is broken. They show it before the kernel gives the connection up, and although no data waits.
 */
#include "diagnose/rules/lost_probes.h"

#include "diagnose/phrases.h"
#include "diagnose/phrases_age.h"
#include "diagnose/phrases_owners.h"
#include "diagnose/phrases_peer.h"

/*
 * The number of probes without an answer. Any segment of the peer sets it back to 0 (tcp_ack()). While the keepalive
 * timer runs, the kernel reports it in the field of the retransmissions (inet_sk_diag_fill()).
 */
static unsigned lost_probes(const struct conn *conn)
{
    if (!conn_has(conn, CONN_TIMER) || conn->timer != TIMER_KEEPALIVE)
        return 0;
    return conn->probes > conn->retransmits ? conn->probes : conn->retransmits;
}

bool lost_probes_prove(const struct conn *conn)
{
    enum { LOST = 2 }; /* the answer to the last probe may be on its way */
    return lost_probes(conn) >= LOST;
}

bool lost_probes_are_most(const struct context *context, const struct group *group)
{
    size_t probed = 0;
    for (size_t i = 0; i < group->count; i++)
        probed += lost_probes(&context->snapshot->conns[group->conns[i]]) > 0;
    return probed * 2 > group->count;
}

void lost_probes_describe(const struct context *context, const struct group *group, const struct lost *lost,
    struct arena *arena, struct finding *finding)
{
    unsigned most = 0;
    for (size_t i = 0; i < group->count; i++) {
        unsigned probes = lost_probes(&context->snapshot->conns[group->conns[i]]);
        most = probes > most ? probes : most;
    }
    const char *what = arena_printf(arena, "the keepalive probes of %s on %s %s", phrases_owner(arena, finding),
        phrases_conns(arena, group->count), phrases_service(arena, context, group));
    const char *title = lost_title(arena, lost, what);
    finding->title = title != NULL ? title : arena_printf(arena, "Nobody answers %s", what);
    finding->why = arena_printf(arena,
        "The connection was idle, keepalive has asked whether the peer is there, and nothing came back. %s Keepalive "
        "ends it when as many probes as are set (tcp_keepalive_probes) are lost; the program gets ETIMEDOUT then.",
        lost_why(arena, lost,
            "The peer has vanished without a word (crashed, lost its power or its network), or something on the path "
            "has forgotten the connection and drops its packets (a firewall, a NAT)."));
    if (finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    lines_add(&finding->evidence, arena,
        "Up to %u probes in a row were not answered; any packet of the peer would set that back.", most);
    if (group->ages_known)
        lines_add(&finding->evidence, arena, "Nothing has passed on it %s.", phrases_ages(arena, group));
    if (finding->distinct_peers == 1 && finding->count > 1 && !lost->is_local && !lost_has_all(lost))
        lines_add(&finding->evidence, arena, "All of them have one peer: that host, or the path to it.");
    else if (finding->distinct_peers > 1)
        lines_add(
            &finding->evidence, arena, "They have %s different peers.", phrases_count(arena, finding->distinct_peers));
    phrases_pairs(arena, context, group, &finding->evidence);
    lines_add(&finding->ruled_out, arena, "Not a program there that hangs: its kernel would answer the probes.");
    lost_assess(arena, lost, finding);
    lost_fix(arena, context, lost, finding);
    const char *address = phrases_address(arena, &finding->peers[0].address);
    fixes_add(&finding->fix_now, arena,
        "Nothing ends them sooner but closing them here. See whether the peer is there; silence proves nothing where "
        "ping is filtered.",
        arena_printf(arena, "ping -c 3 %s", address));
    fixes_add(&finding->fix_now, arena, "See on this host whether its answers arrive.",
        arena_printf(arena, "tcpdump -ni any 'host %s and tcp'", address));
    fixes_add(&finding->fix_for_good, arena,
        "Where a firewall or NAT forgets idle connections: keepalive with pauses shorter than its idle time-out "
        "(TCP_KEEPIDLE), so that it never does.",
        NULL);
    lines_add(
        &finding->will_not_help, arena, "Longer keepalive times: the connection is gone, and is kept for longer.");
}
