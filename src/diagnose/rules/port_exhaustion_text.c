/* The description of the finding about ephemeral ports. Rule: port_exhaustion.c. */
#include "diagnose/rules/port_exhaustion.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "diagnose/context.h"
#include "diagnose/phrases.h"
#include "diagnose/platform.h"
#include "diagnose/rules/port_shortage.h"

enum { WIDE_FIRST = 10240 };

static unsigned percent(const struct shortage *shortage)
{
    return (unsigned)((uint64_t)shortage->used * 100 / shortage->range.usable);
}

/* "10.0.0.9:5432" */
static const char *destination(struct arena *arena, const struct port_use *use)
{
    struct buf text = { 0 };
    ip_port_format(&text, &use->remote, use->remote_port);
    const char *copy = arena_strndup(arena, buf_text(&text), text.length);
    buf_deinit(&text);
    return copy;
}

static const char *owner_phrase(struct arena *arena, const struct finding *finding)
{
    return finding->owner == NULL ? ""
                                  : arena_printf(arena, " of %s%s", phrases_process_within(arena, finding->owner),
                                        finding->process_count > 1 ? " and others" : "");
}

/* "21,000 TIME_WAIT, 3,000 ESTABLISHED": most first */
static const char *states(struct arena *arena, const struct shortage *shortage)
{
    uint32_t left[STATE_COUNT];
    struct buf text = { 0 };
    for (int state = 0; state < STATE_COUNT; state++)
        left[state] = shortage->by_state[state];
    for (;;) {
        int most = 0;
        for (int state = 1; state < STATE_COUNT; state++)
            most = left[state] > left[most] ? state : most;
        if (left[most] == 0)
            break;
        buf_str(&text, text.length > 0 ? ", " : "");
        text_count(&text, left[most]);
        buf_printf(&text, " %s", state_name((enum conn_state)most));
        left[most] = 0;
    }
    const char *copy = arena_strndup(arena, buf_text(&text), text.length);
    buf_deinit(&text);
    return copy;
}

/* --- evidence --------------------------------------------------------------------------------------------------- */

static void evidence_range(
    struct arena *arena, const struct context *context, const struct shortage *shortage, struct finding *finding)
{
    const struct port_range *range = &shortage->range;
    const struct platform *platform = platform_of(context->snapshot);
    if (range->is_assumed) {
        finding->confidence = CONFIDENCE_LIKELY;
        lines_add(&finding->evidence, arena, "Assumed for %s, since it is not in this capture: %s, which is %s ports.",
            platform->port_range, ports_assumption(arena, context->snapshot, range),
            phrases_count(arena, range->usable));
        return;
    }
    if (platform->reserve_setting == NULL) { /* another system than Linux */
        lines_add(&finding->evidence, arena, "In this capture %s: %u to %u, which is %s ports%s.", platform->port_range,
            range->first, range->last, phrases_count(arena, range->usable + range->reserved),
            range->reserved == 0 ? ""
                                 : arena_printf(arena, ", less %s that are excluded: %s",
                                       phrases_count(arena, range->reserved), phrases_count(arena, range->usable)));
        return;
    }
    lines_add(&finding->evidence, arena, "ip_local_port_range %u to %u is %s ports%s.", range->first, range->last,
        phrases_count(arena, range->usable + range->reserved),
        range->reserved == 0 ? ", none of them reserved"
                             : arena_printf(arena, ", less %s reserved (ip_local_reserved_ports): %s",
                                   phrases_count(arena, range->reserved), phrases_count(arena, range->usable)));
}

static void evidence_sum(struct arena *arena, const struct shortage *shortage, struct finding *finding)
{
    uint32_t own = shortage->used - shortage->bound;
    if (shortage->kind == SHORTAGE_DESTINATION)
        lines_add(&finding->evidence, arena, "From %s to %s: %s.", phrases_address(arena, &shortage->use.local),
            destination(arena, &shortage->use), states(arena, shortage));
    else if (shortage->kind == SHORTAGE_SOURCE)
        lines_add(&finding->evidence, arena, "From %s to %u destinations: %s, on %s different ports.",
            phrases_address(arena, &shortage->use.local), shortage->destinations, states(arena, shortage),
            phrases_count(arena, shortage->used));
    else
        lines_add(&finding->evidence, arena, "Bound in that range: %s.", states(arena, shortage));
    if (shortage->recyclable > 0)
        lines_add(&finding->evidence, arena,
            "%s of the TIME_WAIT are not counted: tcp_tw_reuse lets connect() take their ports over.",
            phrases_count(arena, shortage->recyclable));
    if (shortage->bound > 0 && own > 0)
        lines_add(&finding->evidence, arena,
            "%s used by connections to one destination, and %s that other sockets are bound to, which connect() "
            "passes over: %s of %s ports, %u %%.",
            phrases_count(arena, own), phrases_count(arena, shortage->bound), phrases_count(arena, shortage->used),
            phrases_count(arena, shortage->range.usable), percent(shortage));
    else
        lines_add(&finding->evidence, arena, "%s of %s ports are taken: %u %%.", phrases_count(arena, shortage->used),
            phrases_count(arena, shortage->range.usable), percent(shortage));
}

static void evidence_rate(
    struct arena *arena, const struct context *context, const struct shortage *shortage, struct finding *finding)
{
    uint32_t waiting = shortage->by_state[STATE_TIME_WAIT];
    unsigned life_s = platform_of(context->snapshot)->time_wait_s;
    if (life_s == 0 || waiting < life_s)
        return;
    lines_add(&finding->evidence, arena,
        "About %s a second were closed here in the last %s; each keeps its port for %u s, so that %s ports carry about "
        "%s a second.",
        phrases_conns(arena, waiting / life_s), life_s == 60 ? "minute" : phrases_duration(arena, life_s * 1000ULL),
        life_s, phrases_count(arena, shortage->range.usable), phrases_count(arena, shortage->range.usable / life_s));
}

static bool is_windows(const struct context *context)
{
    const char *os = platform_of(context->snapshot)->os;
    return os != NULL && strcmp(os, "windows") == 0;
}

/* The command for the address family: Windows has one range for IPv4 and one for IPv6. */
static const char *command_for_family(
    struct arena *arena, const struct context *context, const struct shortage *shortage, const char *command)
{
    static const char v4[] = "netsh int ipv4";
    const struct ip *end = shortage->kind == SHORTAGE_DESTINATION ? &shortage->use.remote : &shortage->use.local;
    if (command == NULL || !is_windows(context) || shortage->kind == SHORTAGE_BOUND || ip_is_v4(end))
        return command;
    char *copy = arena_strndup(arena, command, strlen(command));
    for (char *at = copy; (at = strstr(at, v4)) != NULL; at++)
        at[sizeof v4 - 2] = '6';
    return copy;
}

/* --- fixes ------------------------------------------------------------------------------------------------------ */

static void fix_range(
    struct arena *arena, const struct context *context, const struct shortage *shortage, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    if (shortage->range.is_assumed)
        fixes_add(&finding->fix_now, arena, platform->show_ports.text,
            command_for_family(arena, context, shortage, platform->show_ports.command));
    if (platform->widen_ports.text != NULL)
        fixes_add(&finding->fix_now, arena, platform->widen_ports.text,
            command_for_family(arena, context, shortage, platform->widen_ports.command));
    if (platform->widen_ports.text != NULL || shortage->range.first <= WIDE_FIRST)
        return;
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena,
            "Widen the range to %s ports. First see that no service listens there, and on a node of Kubernetes that no "
            "NodePort lies there (30000 to 32767: no socket shows it); keep their ports out with "
            "net.ipv4.ip_local_reserved_ports.",
            phrases_count(arena, (uint64_t)shortage->range.last - WIDE_FIRST + 1)),
        arena_printf(arena, "sysctl -w net.ipv4.ip_local_port_range='%d %u'", WIDE_FIRST, shortage->range.last));
}

static void fix_reuse(
    struct arena *arena, const struct context *context, const struct shortage *shortage, struct finding *finding)
{
    const struct net_values *values = &context->snapshot->net_values[shortage->use.netns];
    if (platform_of(context->snapshot)->time_wait_reuse == NULL ||
        shortage->by_state[STATE_TIME_WAIT] * 2 < finding->conn_count || shortage->recyclable > 0 ||
        setting_value(values, SETTING_TW_REUSE, 2) == 1 || setting_value(values, SETTING_TIMESTAMPS, 1) == 0)
        return;
    fixes_add(&finding->fix_now, arena,
        "Let connect() take over the port of a TIME_WAIT that is older than a second; only for outgoing "
        "connections whose peer uses TCP timestamps.",
        "sysctl -w net.ipv4.tcp_tw_reuse=1");
}

static void fixes_for_connections(
    struct arena *arena, const struct context *context, const struct shortage *shortage, struct finding *finding)
{
    if (shortage->kind == SHORTAGE_DESTINATION)
        fix_reuse(arena, context, shortage, finding);
    fix_range(arena, context, shortage, finding);
    fixes_add(&finding->fix_for_good, arena,
        "Use connections again instead of opening one for each request: HTTP keep-alive (in nginx \"keepalive\" in "
        "the upstream block), a connection pool with an upper bound.",
        NULL);
    const char *bound_first = platform_of(context->snapshot)->bound_first;
    if (bound_first != NULL && shortage->kind == SHORTAGE_SOURCE)
        fixes_add(&finding->fix_for_good, arena,
            arena_printf(arena,
                "In the program: %s before bind(address, 0). The port is then chosen by connect(), and need only be "
                "unique for each destination.",
                bound_first),
            NULL);
    else if (bound_first != NULL)
        fixes_add(&finding->fix_for_good, arena,
            arena_printf(arena,
                "Where a program binds a source address first, %s, otherwise one port serves only one destination.",
                bound_first),
            NULL);
    fixes_add(&finding->fix_for_good, arena,
        "More source addresses, or more destination addresses or ports: each combination has the whole range.", NULL);
}

static void fixes_for_bound(
    struct arena *arena, const struct context *context, const struct shortage *shortage, struct finding *finding)
{
    phrases_fix_restart(arena, context, finding->owner, &finding->fix_now);
    fix_range(arena, context, shortage, finding);
    fixes_add(&finding->fix_for_good, arena,
        "In the program: close a socket when connect() fails, and do not call bind() before it is to connect.", NULL);
}

static void will_not_help(
    struct arena *arena, const struct context *context, const struct shortage *shortage, struct finding *finding)
{
    const struct platform *platform = platform_of(context->snapshot);
    if (platform->time_wait_reuse != NULL)
        lines_add(&finding->will_not_help, arena,
            "SO_REUSEADDR: before bind(address, 0) it changes nothing (unless net.ipv4.ip_autobind_reuse is 1); with a "
            "port of the program's own choice connect() to the same destination fails instead.");
    else
        lines_add(&finding->will_not_help, arena,
            "SO_REUSEADDR: two sockets may then have one port, and connect() to the same destination still fails.");
    lines_add(&finding->will_not_help, arena, "%s", platform->ports_wont_help);
    if (shortage->kind == SHORTAGE_SOURCE && platform->time_wait_reuse != NULL)
        lines_add(&finding->will_not_help, arena, "tcp_tw_reuse: it concerns connect(), not bind().");
    lines_add(&finding->will_not_help, arena, "More descriptors (ulimit -n): ports are short, not descriptors.");
}

/* --- the finding ------------------------------------------------------------------------------------------------ */

static void title_and_why(
    struct arena *arena, const struct context *context, const struct shortage *shortage, struct finding *finding)
{
    const char *no_port = platform_of(context->snapshot)->no_port;
    const char *used = phrases_count(arena, shortage->used);
    const char *usable = phrases_count(arena, shortage->range.usable);
    const char *from = phrases_address(arena, &shortage->use.local);
    const char *owner = owner_phrase(arena, finding);
    switch (shortage->kind) {
    case SHORTAGE_DESTINATION:
        finding->title = arena_printf(arena, "%s of %s ports for connections%s to %s are used (%u %%)", used, usable,
            owner, destination(arena, &shortage->use), percent(shortage));
        finding->why = arena_printf(arena,
            "Connections from one address to one destination need a local port each, and this range is nearly used up. "
            "When it is, connect() fails with %s; with few left it already takes long, because it searches.",
            no_port);
        return;
    case SHORTAGE_SOURCE:
        finding->title = arena_printf(arena, "%s of %s ports of %s are used (%u %%): sockets%s bound before connecting",
            used, usable, from, percent(shortage), owner);
        finding->why = arena_printf(arena,
            "The sockets were bound to a source address before they connected. Then the kernel must find a port that "
            "nobody has on that address, whatever the destination; at the end bind() fails with %s.",
            is_windows(context) ? "WSAEADDRINUSE (10048)" : "EADDRINUSE (\"Address already in use\")");
        return;
    case SHORTAGE_BOUND:
        finding->title = arena_printf(arena, "%s of %s ports cannot be had (%u %%): sockets%s are bound to them", used,
            usable, percent(shortage), owner);
        finding->why = arena_printf(arena,
            "Sockets that are bound, and neither connected nor closed, keep their ports from every connect(), which "
            "then fails with %s.",
            no_port);
        return;
    }
}

void port_exhaustion_describe(
    const struct context *context, const struct shortage *shortage, struct arena *arena, struct finding *finding)
{
    title_and_why(arena, context, shortage, finding);
    evidence_range(arena, context, shortage, finding);
    evidence_sum(arena, shortage, finding);
    evidence_rate(arena, context, shortage, finding);
    if (shortage->kind == SHORTAGE_SOURCE) {
        finding->confidence = CONFIDENCE_LIKELY; /* a connected socket does not show whether it was bound before */
        lines_add(&finding->evidence, arena,
            "Hardly a port is used for two destinations: connect() alone would have shared them.");
        lines_add(&finding->ruled_out, arena, "Not one destination that takes all ports: there are %u.",
            shortage->destinations);
    } else if (shortage->kind == SHORTAGE_DESTINATION) {
        lines_add(&finding->ruled_out, arena,
            "Not the destination: it accepts them. A wrong source address fails at once, not only at times.");
    }
    if (shortage->kind == SHORTAGE_BOUND)
        fixes_for_bound(arena, context, shortage, finding);
    else
        fixes_for_connections(arena, context, shortage, finding);
    will_not_help(arena, context, shortage, finding);
}
