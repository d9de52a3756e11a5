/* The table of drills: one row for each finding that there is. */
#include "act/drill/catalog.h"

#include <string.h>

#include "act/drill/closing.h"
#include "act/drill/host_limits.h"
#include "act/drill/limits.h"
#include "act/drill/opening.h"
#include "act/drill/wire.h"

enum {
    MOST = 10000,         /* descriptors and ports would do for more; nobody learns more from more */
    MAX_FULL = 2000,      /* with full send buffers */
    MAX_QUEUED = 4000,    /* somaxconn is 4096: net/ipv4/af_inet.c */
    SETTLED_S = 7,        /* judged from 5 s on */
    PATIENT_S = 22,       /* from 20 s on */
    READING_S = 33,       /* from 30 s on: a pause in reading is nothing */
    RETRANSMITTED_S = 10, /* and three retransmissions */
};

static const struct drill drills[] = {
    {
        .finding = "close-wait-leak",
        .does = "A service reads its clients' requests and the end of the stream, and forgets to close.",
        .name = "drill-leak",
        .service = { .play = service_leaks },
        .peer = { .play = peer_asks_and_closes },
        .count = 50,
        .most = MOST,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "close-wait-unread",
        .does = "A service accepts its clients and never looks at them again; they ask and close.",
        .name = "drill-unread",
        .service = { .play = service_does_not_read },
        .peer = { .play = peer_asks_and_closes },
        .count = 50,
        .most = MOST,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "close-wait-not-accepted",
        .does = "A service listens and never accepts; its clients connect, ask, and close.",
        .name = "drill-no-accept",
        .service = { .play = service_does_not_accept },
        .peer = { .play = peer_asks_and_closes_queued },
        .count = 50,
        .most = MAX_QUEUED,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "close-wait-inherited",
        .does = "A service closes properly, but a helper that it has forked holds the descriptors too.",
        .name = "drill-inherit",
        .helper = "drill-helper",
        .service = { .play = service_with_helper, .tick = service_with_helper_tick, .tick_ms = 500 },
        .peer = { .play = peer_asks_and_closes },
        .count = 20,
        .most = MOST,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "close-wait-blocked-writer",
        .does = "Clients half-close and stop reading; the service still has data for them.",
        .name = "drill-writer",
        .service = { .play = service_writes_in_vain },
        .peer = { .play = peer_half_closes_deaf },
        .place = DRILL_LINE,
        .count = 25,
        .most = MAX_FULL,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "closed-held",
        .does = "Clients reset their connections; the service keeps the descriptors, and netstat shows nothing.",
        .name = "drill-reset",
        .service = { .play = service_keeps_what_is_reset },
        .peer = { .play = peer_asks_and_resets },
        .count = 50,
        .most = MOST,
        .after_s = SETTLED_S,
    },
    {
        .finding = "last-ack-unanswered",
        .does = "Clients close and vanish: what the service sends, its FIN too, is lost on the way to them.",
        .name = "drill-last-ack",
        .service = { .play = service_closes_after_peer },
        .peer = { .play = peer_half_closes_vanishes },
        .place = DRILL_LINE,
        .count = 120,
        .most = MOST,
        .after_s = RETRANSMITTED_S,
        .renew_s = 90,
    },
    {
        .finding = "last-ack-zero-window",
        .does = "Clients half-close and stop reading; the service answers more than fits, and closes.",
        .name = "drill-last-ack",
        .service = { .play = service_writes_closes_after_peer },
        .peer = { .play = peer_half_closes_deaf },
        .place = DRILL_LINE,
        .count = 110,
        .most = MAX_FULL,
        .after_s = SETTLED_S,
        .renew_s = 300,
    },
    {
        .finding = "fin-wait-1-unanswered",
        .does = "Clients vanish; the service closes, and its FIN is lost on the way to them.",
        .name = "drill-fin-wait",
        .service = { .play = service_closes_unheard },
        .peer = { .play = peer_asks_vanishes },
        .place = DRILL_LINE,
        .count = 120,
        .most = MOST,
        .after_s = RETRANSMITTED_S,
        .renew_s = 90,
    },
    {
        .finding = "fin-wait-1-zero-window",
        .does = "Clients stop reading; the service answers more than fits, and closes.",
        .name = "drill-fin-wait",
        .service = { .play = service_writes_closes },
        .peer = { .play = peer_asks_deaf },
        .place = DRILL_LINE,
        .count = 110,
        .most = MAX_FULL,
        .after_s = SETTLED_S,
        .renew_s = 300,
    },
    {
        .finding = "closing-unanswered",
        .does = "Both ends close at once; the service's FIN is lost, the clients' arrives, then they vanish.",
        .name = "drill-closing",
        .service = { .play = service_closes_with_peer },
        .peer = { .play = peer_closes_at_once },
        .place = DRILL_LINE,
        .count = 120,
        .most = MOST,
        .after_s = RETRANSMITTED_S,
        .renew_s = 90,
    },
    {
        .finding = "fin-wait-2-held",
        .does = "The service half-closes and keeps its descriptors; its clients never close.",
        .name = "drill-halfclose",
        .in_host_finding = "close-wait-leak",
        .service = { .play = service_half_closes },
        .peer = { .play = peer_never_closes },
        .place = DRILL_LINE,
        .count = 120,
        .most = MOST,
        .after_s = PATIENT_S,
        .in_host = true,
    },
    {
        .finding = "fin-wait-2-orphaned",
        .does = "The service closes; its clients acknowledge that, and never close.",
        .name = "drill-fin-wait",
        .service = { .play = service_closes_first },
        .peer = { .play = peer_never_closes },
        .place = DRILL_LINE,
        .count = 200,
        .most = MOST,
        .after_s = PATIENT_S,
        .renew_s = 50,
    },
    {
        .finding = "time-wait-churn",
        .does = "Many short connections that the service closes first: a new burst each minute.",
        .name = "drill-churn",
        .service = { .play = service_closes_each, .tick = service_closes_each_tick },
        .peer = { .play = peer_calls_in_bursts, .tick = peer_calls_in_bursts_tick, .tick_ms = 58000 },
        .place = DRILL_LINE,
        .count = 5000,
        .most = MOST,
        .after_s = 1,
    },
    {
        .finding = "time-wait-overflow",
        .does = "As many short connections as tcp_max_tw_buckets, set low, allows; and on and on.",
        .name = "drill-churn",
        .service = { .play = service_closes_each_limited, .tick = service_closes_each_tick },
        .peer = { .play = peer_calls_on, .tick = peer_calls_on_tick, .tick_ms = 100 },
        .place = DRILL_LINE,
        .count = 500,
        .most = MOST,
        .after_s = 1,
    },
    {
        .finding = "port-exhaustion",
        .does = "A client has as many connections to one service as it has local ports: few are allowed.",
        .name = "drill-ports",
        .service = { .play = client_out_of_ports, .tick = client_out_of_ports_tick, .tick_ms = 200 },
        .peer = { .play = peer_serves },
        .place = DRILL_LINE,
        .count = 100,
        .most = MOST,
        .after_s = 1,
    },
    {
        .finding = "syn-sent-unanswered",
        .does = "A client connects to a service whose host does not answer.",
        .name = "drill-connect",
        .service = { .play = client_waits_for_answer, .tick = client_waits_for_answer_tick, .tick_ms = 1000 },
        .peer = { .play = peer_serves_unreachable },
        .place = DRILL_LINE,
        .count = 50,
        .most = MOST,
        .after_s = RETRANSMITTED_S,
    },
    {
        .finding = "syn-recv-flood",
        .does = "SYNs from made-up senders (198.18.0.0/15) fill the queue of half-open connections.",
        .name = "drill-flooded",
        .service = { .play = service_just_listens },
        .peer = { .play = peer_floods, .tick = peer_floods_tick, .tick_ms = 100 },
        .place = DRILL_LINE,
        .count = 128,
        .most = MAX_QUEUED,
        .after_s = 2,
    },
    {
        .finding = "syn-recv-unanswered",
        .does = "Clients' SYNs arrive; the service's answers are lost on the way back.",
        .name = "drill-one-way",
        .service = { .play = service_waits_for_acks },
        .peer = { .play = peer_hears_nothing, .tick = peer_hears_nothing_tick, .tick_ms = 50000 },
        .place = DRILL_LINE,
        .count = 40,
        .most = MAX_QUEUED / WIRE_ROOM,
        .after_s = RETRANSMITTED_S,
    },
    {
        .finding = "accept-queue-overflow",
        .does = "A service listens and does not accept: its queue is full, and others are turned away.",
        .name = "drill-backlog",
        .service = { .play = service_queue_too_short },
        .peer = { .play = peer_knocks, .tick = peer_knocks_tick, .tick_ms = 250 },
        .place = DRILL_LINE,
        .count = 33,
        .most = MAX_QUEUED,
        .after_s = SETTLED_S,
    },
    {
        .finding = "established-not-accepted",
        .does = "A service listens and never accepts; patient clients connect, say nothing, and wait.",
        .name = "drill-no-accept",
        .service = { .play = service_does_not_accept },
        .peer = { .play = peer_waits_in_queue },
        .count = 20,
        .most = MAX_QUEUED,
        .after_s = READING_S,
        .in_host = true,
    },
    {
        .finding = "established-unanswered",
        .does = "Clients vanish; the service has sent data that nobody acknowledges.",
        .name = "drill-sender",
        .service = { .play = service_sends_unheard },
        .peer = { .play = peer_asks_vanishes },
        .place = DRILL_LINE,
        .count = 50,
        .most = MOST,
        .after_s = RETRANSMITTED_S,
    },
    {
        .finding = "established-zero-window",
        .does = "Clients stop reading; the service has more to send than they take.",
        .name = "drill-sender",
        .service = { .play = service_sends_in_vain },
        .peer = { .play = peer_asks_deaf },
        .place = DRILL_LINE,
        .count = 50,
        .most = MAX_FULL,
        .after_s = READING_S,
    },
    {
        .finding = "established-unread",
        .does = "A service accepts its clients and never reads what they have sent; they wait.",
        .name = "drill-unread",
        .service = { .play = service_leaves_data },
        .peer = { .play = peer_sends_data },
        .count = 50,
        .most = MOST,
        .after_s = READING_S,
        .in_host = true,
    },
    {
        .finding = "established-idle",
        .does = "Connections without keepalive on which nothing passes after the first request.",
        .note = "That they have been idle for hours nothing can make true at once: run the drill as long (--for 3h).",
        .name = "drill-idle",
        .service = { .play = service_idles },
        .peer = { .play = peer_idles },
        .place = DRILL_LINE, /* between two sockets of one host nobody vanishes unnoticed */
        .count = 50,
        .most = MOST,
        .after_s = 7200,
    },
    {
        .finding = "self-connect",
        .does =
            "A client connects to a port on which nobody listens, from that same port: to itself. Its service cannot "
            "bind.",
        .name = "drill-itself",
        .service = { .play = client_connects_to_itself },
        .peer = { .play = peer_wants_the_port },
        .count = 1,
        .most = 1,
        .after_s = 1,
    },
    {
        .finding = "descriptor-exhaustion",
        .does = "A service with a low limit of descriptors keeps every connection open until it has none left.",
        .name = "drill-nofile",
        .service = { .play = service_out_of_descriptors, .tick = service_out_of_descriptors_tick, .tick_ms = 1000 },
        .peer = { .play = peer_holds_on },
        .count = 256,
        .most = MOST,
        .after_s = 1,
        .note = "The count is the limit of descriptors (RLIMIT_NOFILE), set for that process alone.",
    },
    {
        .finding = "close-wait-held",
        .does = "A service has not closed; a capture does not show why.",
        .impossible =
            "it is said of captures that show states and little more; on a host that tcpwhy looks at itself, the "
            "queues are known, and it says which of the other findings it is. To see it, make 'tcpwhy drill "
            "close-wait-leak', and in its namespace 'lsof -nP -iTCP | tcpwhy --from -'.",
    },
    {
        .finding = "owner-ended",
        .does = "A process of Windows has ended; a child that inherited its socket keeps the port.",
        .impossible =
            "it is Windows that goes on naming a process which has ended; Linux names the child. To see it, give a "
            "netstat -ano with --from, and a whole tasklist of that moment with --tasks.",
    },
    {
        .finding = "orphan-limit",
        .does =
            "Clients stop reading; the service answers and closes: orphans, near the limit of them, which is lowered.",
        .host_limit = "net.ipv4.tcp_max_orphans",
        .harm = "While the drill runs, the kernel may reset connections of any program where it would else finish them "
                "in order. What orphans look like shows 'tcpwhy drill fin-wait-1-zero-window' without any harm.",
        .name = "drill-orphans",
        .service = { .play = service_fills_orphans },
        .peer = { .play = peer_asks_deaf },
        .place = DRILL_LINE,
        .count = 200,
        .most = MAX_FULL,
        .after_s = SETTLED_S,
        .renew_s = 200,
    },
    {
        .finding = "tcp-memory-pressure",
        .does = "Clients stop reading; what the service has sent fills the memory of TCP, whose limits are lowered.",
        .host_limit = "net.ipv4.tcp_mem",
        .harm = "While the drill runs, the kernel shrinks the windows and buffers of every program's connections. What "
                "full buffers look like shows 'tcpwhy drill established-zero-window' without any harm.",
        .name = "drill-memory",
        .service = { .play = service_fills_memory, .tick = service_serves_one_more_tick },
        .peer = { .play = peer_asks_deaf, .tick = peer_asks_once_more_tick, .tick_ms = 500 },
        .place = DRILL_LINE,
        .count = 100,
        .most = MAX_FULL,
        .after_s = SETTLED_S,
    },
};

const struct drill *drill_table(unsigned *ret_count)
{
    *ret_count = sizeof drills / sizeof *drills;
    return drills;
}

const struct drill *drill_find(const char *finding)
{
    for (unsigned i = 0; i < sizeof drills / sizeof *drills; i++) {
        if (strcmp(drills[i].finding, finding) == 0)
            return &drills[i];
    }
    return NULL;
}
