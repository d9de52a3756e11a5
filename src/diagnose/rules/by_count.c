#include "diagnose/rules/by_count.h"

#include <inttypes.h>

#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/limits.h"
#include "diagnose/phrases.h"
#include "diagnose/platform.h"
#include "diagnose/rules/port_shortage.h"

enum {
    FIN_WAIT_2_WARNING = 1000, /* if so many wait at one moment, the peers probably do not close */
    BOUND_MIN = 500,           /* normally a socket is bound and not connected only for a moment */
};

/* --- the finding -------------------------------------------------------------------------------------------------- */

static struct finding *add(const struct context *context, const struct rule *rule, const struct total *total,
    enum severity severity, struct finding_list *list)
{
    struct finding *finding = finding_list_add(list, rule);
    finding->confidence = CONFIDENCE_POSSIBLE;
    finding->severity = severity;
    finding->count = total->count;
    finding->netns = &context->snapshot->netns[0];
    if (total->process != NO_INDEX)
        finding->owner = &context->snapshot->processes[total->process];
    return finding;
}

static bool is_in(const struct rule *rule, const struct total *total)
{
    return (rule->states & STATE_BIT(total->state)) != 0;
}

static enum severity severity_by(const struct limits *limits, uint64_t count)
{
    bool critical = limits->critical_count != 0 && limits->critical_without_age != 0 &&
        count >= limits->critical_without_age && count >= limits->critical_count;
    bool warning = limits->warning_count != 0 && count >= limits->warning_count;
    return critical ? SEVERITY_CRITICAL : warning ? SEVERITY_WARNING : SEVERITY_INFO;
}

static const char *whose(struct arena *arena, const struct finding *finding)
{
    return finding->owner == NULL ? "" : arena_printf(arena, " of %s", phrases_process_within(arena, finding->owner));
}

/* Adds the number, and that nothing else is known. */
static void evidence(
    struct arena *arena, const struct context *context, const struct total *total, struct finding *finding)
{
    lines_add(&finding->evidence, arena, "%s counted in %s at one moment, of %s in all.",
        phrases_count(arena, total->count), state_name((enum conn_state)total->state),
        phrases_conns(arena, snapshot_counted(context->snapshot)));
    lines_add(&finding->evidence, arena,
        "A number has neither ends nor ages: whether the same ones stay, and whose they are, is inferred.");
}

/* Adds the command that shows the rows. */
static void fix_rows(struct arena *arena, const struct context *context, const char *text, struct finding *finding)
{
    fixes_add(&finding->fix_now, arena, arena_printf(arena, "%s Give what it prints to tcpwhy: --from FILE.", text),
        platform_of(context->snapshot)->rows);
}

/* --- states ------------------------------------------------------------------------------------------------------- */

void by_count_close_wait(const struct context *context, const struct rule *rule, const struct total *total,
    struct arena *arena, struct finding_list *list)
{
    const struct limits *limits = context_limits(context, 0, rule);
    if (!is_in(rule, total) || total->count == 0 || (total->count < limits->warning_count && limits->warning_count > 0))
        return;
    struct finding *finding = add(context, rule, total, severity_by(limits, total->count), list);
    finding->title = arena_printf(arena, "%s%s in CLOSE_WAIT: the peers have closed, this host has not",
        phrases_conns(arena, total->count), whose(arena, finding));
    finding->why =
        "CLOSE_WAIT is entered when the peer's FIN comes, and normally left when the program here closes. A program "
        "that closes properly has only a few of them, for a moment. So many say that a program here does not close "
        "(a leak), does not read (it hangs), or does not even accept.";
    evidence(arena, context, total, finding);
    lines_add(&finding->ruled_out, arena,
        "Not the network, nor the peers: their FINs have arrived here, that is how CLOSE_WAIT is entered.");
    fix_rows(arena, context, "See which process holds them, and on which port.", finding);
    if (finding->owner != NULL)
        phrases_fix_threads(arena, context, finding->owner, &finding->fix_now);
    phrases_fix_close_always(arena, finding);
    lines_add(&finding->will_not_help, arena, "%s", platform_of(context->snapshot)->close_wait_wont_help);
}

void by_count_sent_fin(const struct context *context, const struct rule *rule, const struct total *total,
    struct arena *arena, struct finding_list *list)
{
    const struct limits *limits = context_limits(context, 0, rule);
    if (!is_in(rule, total) || total->count < limits->min_without_age)
        return;
    const char *state = state_name((enum conn_state)total->state);
    struct finding *finding = add(context, rule, total, severity_by(limits, total->count), list);
    finding->title = arena_printf(arena, "%s%s wait in %s for an acknowledgement of their FIN",
        phrases_conns(arena, total->count), whose(arena, finding), state);
    finding->why = arena_printf(arena,
        "This side has closed, and its FIN waits for an acknowledgement. A FIN with no data before it is acknowledged "
        "within one round trip; %s lasts longer while data before the FIN is still on its way, which is normal. So "
        "many at one moment rather say that some peers do not acknowledge: they are gone (crashed, asleep, behind a "
        "NAT or firewall that forgot the connection), or they do not read that data.",
        state);
    evidence(arena, context, total, finding);
    lines_add(&finding->ruled_out, arena,
        "Not the application here: %s is entered by closing. What it forgot to close would be in CLOSE_WAIT.", state);
    fix_rows(arena, context, "See to which peers they go, and whether anything is retransmitted.", finding);
    lines_add(&finding->will_not_help, arena, "None of these affects %s: %s.", state,
        platform_of(context->snapshot)->sent_fin_wont_help);
}

void by_count_fin_wait_2(const struct context *context, const struct rule *rule, const struct total *total,
    struct arena *arena, struct finding_list *list)
{
    const struct platform *platform = platform_of(context->snapshot);
    const struct limits *limits = context_limits(context, 0, rule);
    if (!is_in(rule, total) || total->count < limits->min_count)
        return;
    enum severity severity = total->count >= FIN_WAIT_2_WARNING ? SEVERITY_WARNING : SEVERITY_INFO;
    struct finding *finding = add(context, rule, total, severity, list);
    finding->title = arena_printf(arena, "%s%s wait in FIN_WAIT_2 for peers that do not close",
        phrases_conns(arena, total->count), whose(arena, finding));
    finding->why = arena_printf(arena,
        "This side has closed, the peers' kernels have acknowledged it, and the programs there keep their ends open. "
        "%s, so that a busy server has some at any moment. Where a program here has only shut down its sending side "
        "(a half-close), %s.",
        platform->fin_wait_2_life, platform->fin_wait_2_half_closed);
    evidence(arena, context, total, finding);
    lines_add(&finding->ruled_out, arena,
        "Not a lost FIN: the peers' kernels have acknowledged ours, that is how FIN_WAIT_2 is entered.");
    fix_rows(arena, context,
        "See whether a process still holds them (half-closed here) or none does (they end by themselves), and who the "
        "peers are: there the same connections are in CLOSE_WAIT.",
        finding);
    fixes_add(&finding->fix_for_good, arena,
        "In the peer's program: close when recv() returns 0 (tcpwhy explain close-wait-leak).", NULL);
    lines_add(&finding->will_not_help, arena, "%s", platform->fin_wait_2_wont_help);
}

void by_count_time_wait(const struct context *context, const struct rule *rule, const struct total *total,
    struct arena *arena, struct finding_list *list)
{
    const struct platform *platform = platform_of(context->snapshot);
    const struct limits *limits = context_limits(context, 0, rule);
    if (!is_in(rule, total) || total->count < limits->min_count)
        return;
    struct finding *finding = add(context, rule, total, SEVERITY_INFO, list);
    struct port_range range = ports_range_or_usual(context->snapshot, 0);
    finding->title = arena_printf(arena, "%s in TIME_WAIT: normal in itself, the side that closes first waits",
        phrases_conns(arena, total->count));
    finding->why = arena_printf(arena,
        "%s and holds neither a descriptor nor a process. It matters only where this host opened them and most go to "
        "one destination: then they use up the ports, %s at most (%u to %u%s).",
        platform->time_wait_life, phrases_count(arena, range.usable), range.first, range.last,
        range.is_assumed ? arena_printf(arena, ", assumed: the default of %s", platform->name) : "");
    evidence(arena, context, total, finding);
    fix_rows(arena, context, "See whether they are of a service here or go out to one destination.", finding);
    lines_add(&finding->will_not_help, arena, "%s", platform->time_wait_wont_help);
}

void by_count_syn_sent(const struct context *context, const struct rule *rule, const struct total *total,
    struct arena *arena, struct finding_list *list)
{
    const struct limits *limits = context_limits(context, 0, rule);
    if (!is_in(rule, total) || total->count < limits->min_without_age)
        return;
    struct finding *finding = add(context, rule, total, severity_by(limits, total->count), list);
    finding->title = arena_printf(
        arena, "%s%s wait in SYN_SENT for an answer", phrases_conns(arena, total->count), whose(arena, finding));
    finding
        ->why = "A SYN was sent, and neither an acceptance nor a refusal has come back yet. So many at once are rarely "
                "on their way: they are dropped by a firewall, a host that is down, a wrong address or route, or a "
                "server whose accept queue is full.";
    evidence(arena, context, total, finding);
    lines_add(&finding->ruled_out, arena,
        "Not a port on which nobody listens, if that host refuses: a reset would have come at once. Windows with its "
        "firewall on does not refuse (stealth mode).");
    fix_rows(arena, context, "See to which address and port they go.", finding);
    lines_add(&finding->will_not_help, arena, "%s", platform_of(context->snapshot)->handshake_wont_help);
}

void by_count_syn_received(const struct context *context, const struct rule *rule, const struct total *total,
    struct arena *arena, struct finding_list *list)
{
    const struct limits *limits = context_limits(context, 0, rule);
    if (!is_in(rule, total) || total->count < limits->min_without_age)
        return;
    struct finding *finding = add(context, rule, total, severity_by(limits, total->count), list);
    finding->title = arena_printf(
        arena, "%s in SYN_RECEIVED have not answered the SYN-ACK yet", phrases_conns(arena, total->count));
    finding->why =
        "The clients' SYNs came, and the SYN-ACKs are not answered. Either the senders were made up (a SYN flood: "
        "many peers with one connection each), or the SYN-ACKs do not reach the clients (a route back that "
        "differs, a firewall that saw only one direction), or a service does not accept and its queue is full.";
    evidence(arena, context, total, finding);
    lines_add(&finding->ruled_out, arena,
        "Not a leak of the program here: it sees a connection only when the handshake is complete.");
    fix_rows(arena, context, "See how many peers they have, and the Recv-Q of the listener.", finding);
    lines_add(&finding->will_not_help, arena, "More retransmissions of the SYN-ACK: the same loss, for longer.");
}

void by_count_bound(const struct context *context, const struct rule *rule, const struct total *total,
    struct arena *arena, struct finding_list *list)
{
    if (total->state != STATE_BOUND || total->count < BOUND_MIN)
        return;
    const struct limits *limits = context_limits(context, 0, rule);
    struct port_range range = ports_range_or_usual(context->snapshot, 0);
    uint64_t percent = range.usable > 0 ? total->count * 100 / range.usable : 0;
    enum severity severity = percent >= limits->critical_percent ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    struct finding *finding = add(context, rule, total, severity, list);
    finding->fault = FAULT_LOCAL_APPLICATION;
    finding->title = arena_printf(arena,
        "%s sockets%s are bound, and neither connected nor listening: a leak of sockets",
        phrases_count(arena, total->count), whose(arena, finding));
    finding->why = "A socket that is about to connect is bound for a moment only. Sockets that stay so were left open: "
                   "connect() failed or was never called, and the program did not close them. Each keeps its port from "
                   "every other connection, and a handle of its process.";
    evidence(arena, context, total, finding);
    lines_add(&finding->evidence, arena, "That is %" PRIu64 " %% of the %s ports from %u to %u%s.", percent,
        phrases_count(arena, range.usable), range.first, range.last,
        range.is_assumed ? arena_printf(arena, " (assumed: the default of %s)", platform_of(context->snapshot)->name)
                         : "");
    lines_add(&finding->ruled_out, arena, "Not other hosts: a socket that is only bound has no peer.");
    fix_rows(arena, context, "See whose they are, and whether the same ports stay.", finding);
    phrases_fix_restart(arena, context, finding->owner, &finding->fix_now);
    fixes_add(&finding->fix_for_good, arena,
        "In the program: close the socket when connect() fails or times out, and use connections again.", NULL);
    lines_add(&finding->will_not_help, arena, "A wider port range: the leak fills that too.");
}

void by_count_listen_overflows(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)
{
    const struct snapshot *snapshot = context->snapshot, *previous = snapshot->previous;
    const enum counter counter = COUNTER_LISTEN_OVERFLOWS;
    if (previous == NULL || previous->netns_count == 0 || !previous->net_values[0].has_counter[counter])
        return;
    int64_t rise = snapshot->net_values[0].counters[counter] - previous->net_values[0].counters[counter];
    if (rise <= 0)
        return;
    const struct total none = { .count = (uint64_t)rise, .process = NO_INDEX };
    struct finding *finding = add(context, rule, &none, SEVERITY_WARNING, list);
    finding->title = arena_printf(
        arena, "A full accept queue did not take %s between the two readings", phrases_conns(arena, (uint64_t)rise));
    finding->why = "ListenOverflows counts connections whose handshake was complete, and for which the accept queue of "
                   "their listener had no place. It is emptied by accept() alone: the process that listens accepts too "
                   "slowly, or hangs.";
    lines_add(&finding->evidence, arena, "ListenOverflows was %s at the first reading, and is %s at the last.",
        phrases_count(arena, (uint64_t)previous->net_values[0].counters[counter]),
        phrases_count(arena, (uint64_t)snapshot->net_values[0].counters[counter]));
    lines_add(&finding->evidence, arena, "The counter is one for all listeners: which of them it is, it does not say.");
    fix_rows(arena, context, "See which listener has more in Recv-Q than its Send-Q allows.", finding);
    lines_add(&finding->will_not_help, arena,
        "A larger backlog (somaxconn) alone: a queue that nobody empties fills whatever its size.");
}
