#include "diagnose/logged.h"

#include <string.h>

#include "diagnose/context.h"
#include "diagnose/finding.h"
#include "diagnose/phrases.h"
#include "diagnose/platform.h"

/* The finding that each message belongs to, its sentences, and the next command. */
static const struct {
    const char *rule, *quote, *title, *why;
    const char *next, *command; /* NULL: the connections themselves, as that system shows them */
    const char *wont_help;
} messages[LOG_MESSAGE_COUNT] = {
    [LOG_PORT_REUSED] = { "port-exhaustion", "event 4227 of Tcpip",
        "Windows could not open a connection: the port chosen for it was still in TIME_WAIT to the same destination",
        "Windows gives each new connection a dynamic port. The one it chose had been used for the same destination a "
        "moment before, and still stood in TIME_WAIT. That happens where many short connections go to one address and "
        "port: the range is used up, or nearly.",
        "Count by destination who has the most connections, TIME_WAIT included.",
        "Get-NetTCPConnection | Group-Object RemoteAddress, RemotePort | Sort-Object Count -Descending | "
        "Select-Object -First 10 Count, Name",
        "More memory or descriptors: ports are short." },
    [LOG_PORTS_USED_UP] = { "port-exhaustion", "event 4231 of Tcpip",
        "Windows had no dynamic port left: every port of the range was in use",
        "Every outgoing connection needs a port of the dynamic range, and so does each socket that is bound to port 0. "
        "At that moment all were taken: by many connections to one destination, or by a process that leaks sockets.",
        "See which process holds them, bound ones included.",
        "Get-NetTCPConnection | Group-Object OwningProcess, State | Sort-Object Count -Descending | Select-Object "
        "-First 10",
        "A shorter TcpTimedWaitDelay where the sockets are bound or in CLOSE_WAIT: it concerns TIME_WAIT." },
    [LOG_SYN_FLOODING] = { "syn-recv-flood", "\"possible SYN flooding\"",
        "The kernel has found the queue of half-open connections of a listener full",
        "The kernel writes this when the SYN queue of a listener is full, and answers with cookies from then on, or "
        "drops. It is a flood of made-up senders, or a service that accepts too slowly for its clients: the kernel "
        "cannot tell these apart.",
        NULL, NULL, "Switching SYN cookies off: they are what keeps the service reachable." },
    [LOG_TOO_MANY_ORPHANS] = { "orphan-limit", "\"too many orphaned sockets\"",
        "The kernel had too many connections that no process holds any more, and reset some",
        "An orphan was closed by its process, and its peer has not acknowledged yet: FIN_WAIT_1, LAST_ACK, CLOSING. "
        "Above tcp_max_orphans, which counts some of them double or fourfold, the kernel resets what is closed.",
        "See whose they are.", "ss -tanoe state fin-wait-1; ss -tanoe state last-ack; ss -tanoe state closing",
        "A larger tcp_max_orphans alone: the peers do not answer any sooner." },
    [LOG_NO_TCP_MEMORY] = { "tcp-memory-pressure", "\"TCP: out of memory\"",
        "The kernel had no memory left for TCP, and reset connections",
        "All sockets together held more than the third number of tcp_mem allows: data that programs here do not read, "
        "or that peers do not take.",
        NULL, NULL, "A larger tcp_mem alone: what is not read grows further." },
    [LOG_TIME_WAIT_FULL] = { "time-wait-overflow", "\"time wait bucket table overflow\"",
        "There were more connections in TIME_WAIT than tcp_max_tw_buckets allows: new ones end without it",
        "What ends above the limit skips TIME_WAIT, and late segments of it may meet a new connection. So many come "
        "from many short connections that this host closes first.",
        "See what is set, and how many there are.", "sysctl net.ipv4.tcp_max_tw_buckets; ss -s",
        "tcp_fin_timeout: it concerns FIN_WAIT_2." },
    [LOG_QUEUE_OVERFLOW] = { "accept-queue-overflow", "\"sonewconn: … Listen queue overflow\"",
        "The accept queue of a listener was full, and connections were dropped",
        "A connection whose handshake is complete waits in its listener's queue until accept() takes it. The kernel "
        "drops where more than one and a half times the backlog wait: the process that listens accepts too slowly, or "
        "hangs.",
        "See which listener it is: the first of the three numbers is how many wait.", "netstat -Lan",
        "A larger backlog alone: a queue that nobody empties fills whatever its size." },
    [LOG_TRACKING_FULL] = { "syn-sent-unanswered", "\"nf_conntrack: table full\"",
        "The table of connection tracking was full: new connections of, to or through this host were dropped",
        "The packet filter keeps an entry for each connection, closed ones for a while too. Where the table is full, "
        "the first packet of a new connection is dropped in silence, and who sent it waits in SYN_SENT.",
        "See how full it is, and of what.",
        "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max; conntrack -S",
        "tcp_syn_retries: the packets are dropped on this host, however often they come." },
};

static const struct rule *rule_of(const char *id)
{
    unsigned rule = 1;
    while (rule < rule_count && strcmp(rules[rule].id, id) != 0)
        rule++;
    return rule < rule_count ? &rules[rule] : NULL;
}

static const char *log_sentence(const struct context *context, enum log_message message, struct arena *arena)
{
    uint32_t times = context->snapshot->logged[message];
    return arena_printf(arena, "The log in this text has %s%s.", messages[message].quote,
        times == 1 ? "" : arena_printf(arena, ", %s times", phrases_count(arena, times)));
}

static void add_finding(
    const struct context *context, enum log_message message, struct arena *arena, struct finding_list *list)
{
    const struct snapshot *snapshot = context->snapshot;
    struct finding *finding = finding_list_add(list, rule_of(messages[message].rule));
    finding->severity = SEVERITY_WARNING;
    finding->confidence = CONFIDENCE_LIKELY;
    if (message == LOG_TRACKING_FULL)
        finding->fault = FAULT_HOST_SETTINGS;
    finding->netns = snapshot->netns_count > 0 ? &snapshot->netns[0] : NULL;
    finding->title = messages[message].title;
    finding->why = messages[message].why;
    lines_add(&finding->evidence, arena, "%s", log_sentence(context, message, arena));
    lines_add(&finding->evidence, arena,
        "It tells of the moment at which it was written: whether it is so now, and of which connections, is not "
        "known.");
    const char *next = messages[message].next;
    fixes_add(&finding->fix_now, arena,
        arena_printf(arena, "%s%s", next != NULL ? next : "See the connections themselves, with who holds them.",
            message == LOG_TRACKING_FULL ? "" : " Give what it prints to tcpwhy: --from FILE."),
        messages[message].command != NULL ? messages[message].command : platform_of(snapshot)->rows);
    lines_add(&finding->will_not_help, arena, "%s", messages[message].wont_help);
}

void logged_add_findings(const struct context *context, struct arena *arena, struct finding_list *list)
{
    for (int message = 0; message < LOG_MESSAGE_COUNT; message++) {
        if (context->snapshot->logged[message] == 0)
            continue;
        const char *id = messages[message].rule;
        size_t at = 0;
        while (at < list->count && strcmp(list->items[at].id, id) != 0)
            at++;
        if (at < list->count)
            lines_add(&list->items[at].evidence, arena, "%s", log_sentence(context, (enum log_message)message, arena));
        else
            add_finding(context, (enum log_message)message, arena, list);
    }
}
