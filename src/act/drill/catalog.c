/* The table of drills: one row for each finding. */
#include "act/drill/catalog.h"

#include <string.h>

#include "act/drill/closing.h"
#include "act/drill/host_limits.h"
#include "act/drill/limits.h"
#include "act/drill/opening.h"
#include "act/drill/wire.h"

enum {
    /* the largest numbers of connections */
    MAX_CONNS = 10000, /* more would be possible, but would show nothing new */
    MAX_FULL = 2000,   /* with full send buffers, which take memory */
    MAX_QUEUED = 4000, /* in an accept queue: a new namespace has somaxconn 4096 (SOMAXCONN, include/linux/socket.h) */
    /* seconds until the finding is reported */
    SETTLED_S = 7,        /* the rule wants 5 s */
    PATIENT_S = 22,       /* the rule wants 20 s */
    READING_S = 33,       /* the rule wants 30 s, because a program may pause between two reads */
    RETRANSMITTED_S = 10, /* the rule wants three retransmissions */
};

static const struct drill drills[] = {
    {
        .finding = "close-wait-leak",
        .does = "A service reads its clients' requests and the end of the stream, and forgets to close.",
        .name = "drill-leak",
        .service = { .play = service_leaks },
        .peer = { .play = peer_requests_and_closes },
        .count = 50,
        .count_max = MAX_CONNS,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "close-wait-unread",
        .does = "A service accepts its clients and never looks at them again; they ask and close.",
        .name = "drill-unread",
        .service = { .play = service_does_not_read },
        .peer = { .play = peer_requests_and_closes },
        .count = 50,
        .count_max = MAX_CONNS,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "close-wait-not-accepted",
        .does = "A service listens and never accepts; its clients connect, ask, and close.",
        .name = "drill-no-accept",
        .service = { .play = service_does_not_accept },
        .peer = { .play = peer_requests_and_closes_queued },
        .count = 50,
        .count_max = MAX_QUEUED,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "close-wait-inherited",
        .does = "A service closes properly, but a helper that it has forked holds the descriptors too.",
        .name = "drill-inherit",
        .helper = "drill-helper",
        .service = { .play = service_with_helper, .tick = service_with_helper_tick, .tick_ms = 500 },
        .peer = { .play = peer_requests_and_closes },
        .count = 20,
        .count_max = MAX_CONNS,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "close-wait-blocked-writer",
        .does = "Clients half-close and stop reading; the service still has data for them.",
        .name = "drill-writer",
        .service = { .play = service_fills_send_buffer },
        .peer = { .play = peer_half_closes_without_reading },
        .place = DRILL_LINE,
        .count = 25,
        .count_max = MAX_FULL,
        .after_s = SETTLED_S,
        .in_host = true,
    },
    {
        .finding = "closed-held",
        .does = "Clients reset their connections; the service keeps the descriptors, and netstat shows nothing.",
        .name = "drill-reset",
        .service = { .play = service_holds_reset_conns },
        .peer = { .play = peer_requests_and_resets },
        .count = 50,
        .count_max = MAX_CONNS,
        .after_s = SETTLED_S,
    },
    {
        .finding = "last-ack-unanswered",
        .does = "Clients close and vanish: what the service sends, its FIN too, is lost on the way to them.",
        .name = "drill-last-ack",
        .service = { .play = service_closes_after_peer },
        .peer = { .play = peer_half_closes_and_vanishes },
        .place = DRILL_LINE,
        .count = 120,
        .count_max = MAX_CONNS,
        .after_s = RETRANSMITTED_S,
        .renew_s = 90,
    },
    {
        .finding = "last-ack-zero-window",
        .does = "Clients half-close and stop reading; the service answers more than fits, and closes.",
        .name = "drill-last-ack",
        .service = { .play = service_fills_and_closes_after_peer },
        .peer = { .play = peer_half_closes_without_reading },
        .place = DRILL_LINE,
        .count = 110,
        .count_max = MAX_FULL,
        .after_s = SETTLED_S,
        .renew_s = 300,
    },
    {
        .finding = "fin-wait-1-unanswered",
        .does = "Clients vanish; the service closes, and its FIN is lost on the way to them.",
        .name = "drill-fin-wait",
        .service = { .play = service_closes_unanswered },
        .peer = { .play = peer_requests_and_vanishes },
        .place = DRILL_LINE,
        .count = 120,
        .count_max = MAX_CONNS,
        .after_s = RETRANSMITTED_S,
        .renew_s = 90,
    },
    {
        .finding = "fin-wait-1-zero-window",
        .does = "Clients stop reading; the service answers more than fits, and closes.",
        .name = "drill-fin-wait",
        .seen_finding = "established-unread",
        .seen_after_s = READING_S,
        .service = { .play = service_fills_and_closes },
        .peer = { .play = peer_requests_without_reading },
        .place = DRILL_LINE,
        .count = 110,
        .count_max = MAX_FULL,
        .after_s = SETTLED_S,
        .renew_s = 300,
    },
    {
        .finding = "closing-unanswered",
        .does = "Both ends close at once; the service's FIN is lost, the clients' arrives, then they vanish.",
        .name = "drill-closing",
        .service = { .play = service_closes_with_peer },
        .peer = { .play = peer_closes_simultaneously },
        .place = DRILL_LINE,
        .count = 120,
        .count_max = MAX_CONNS,
        .after_s = RETRANSMITTED_S,
        .renew_s = 90,
    },
    {
        .finding = "fin-wait-2-held",
        .does = "The service half-closes and keeps its descriptors; its clients never close.",
        .name = "drill-halfclose",
        .seen_finding = "close-wait-leak",
        .seen_after_s = SETTLED_S,
        .service = { .play = service_half_closes },
        .peer = { .play = peer_never_closes },
        .place = DRILL_LINE,
        .count = 120,
        .count_max = MAX_CONNS,
        .after_s = PATIENT_S,
        .in_host = true,
    },
    {
        .finding = "fin-wait-2-orphaned",
        .does = "The service closes; its clients acknowledge that, and never close.",
        .name = "drill-fin-wait",
        .seen_finding = "close-wait-leak",
        .seen_after_s = SETTLED_S,
        .service = { .play = service_closes_first },
        .peer = { .play = peer_never_closes },
        .place = DRILL_LINE,
        .count = 200,
        .count_max = MAX_CONNS,
        .after_s = PATIENT_S,
        .renew_s = 50,
    },
    {
        .finding = "time-wait-churn",
        .does = "Many short connections that the service closes first: a new burst each minute.",
        .name = "drill-churn",
        .service = { .play = service_closes_each, .tick = service_closes_each_tick },
        .peer = { .play = peer_connects_in_bursts, .tick = peer_connects_in_bursts_tick, .tick_ms = 58000 },
        .place = DRILL_LINE,
        .count = 5000,
        .count_max = MAX_CONNS,
        .after_s = 1,
    },
    {
        .finding = "time-wait-overflow",
        .does = "As many short connections as tcp_max_tw_buckets, set low, allows; and on and on.",
        .name = "drill-churn",
        .unheld = true,
        .service = { .play = service_closes_each_limited, .tick = service_closes_each_tick },
        .peer = { .play = peer_connects_steadily, .tick = peer_connects_steadily_tick, .tick_ms = 100 },
        .place = DRILL_LINE,
        .count = 500,
        .count_max = MAX_CONNS,
        .after_s = 1,
    },
    {
        .finding = "port-exhaustion",
        .does = "A client has as many connections to one service as it has local ports: few are allowed.",
        .name = "drill-ports",
        .service = { .play = client_out_of_ports, .tick = client_out_of_ports_tick, .tick_ms = 200 },
        .peer = { .play = peer_accepts },
        .place = DRILL_LINE,
        .count = 100,
        .count_max = MAX_CONNS,
        .after_s = 1,
    },
    {
        .finding = "syn-sent-unanswered",
        .does = "A client connects to a service whose host does not answer.",
        .name = "drill-connect",
        .service = { .play = client_connects_unanswered, .tick = client_connects_unanswered_tick, .tick_ms = 1000 },
        .peer = { .play = peer_listens_unreachable },
        .place = DRILL_LINE,
        .count = 50,
        .count_max = MAX_CONNS,
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
        .count_max = MAX_QUEUED,
        .after_s = 2,
    },
    {
        .finding = "syn-recv-unanswered",
        .does = "Clients' SYNs arrive; the service's answers are lost on the way back.",
        .name = "drill-one-way",
        .service = { .play = service_waits_for_acks },
        .peer = { .play = peer_receives_nothing, .tick = peer_receives_nothing_tick, .tick_ms = 50000 },
        .place = DRILL_LINE,
        .count = 40,
        .count_max = MAX_QUEUED / WIRE_BACKLOG_FACTOR,
        .after_s = RETRANSMITTED_S,
    },
    {
        .finding = "accept-queue-overflow",
        .does = "A service listens and does not accept: its queue is full, and others are turned away.",
        .name = "drill-backlog",
        .service = { .play = service_with_short_queue },
        .peer = { .play = peer_overflows_queue, .tick = peer_overflows_queue_tick, .tick_ms = 250 },
        .place = DRILL_LINE,
        .count = 33,
        .count_max = MAX_QUEUED,
        .after_s = SETTLED_S,
    },
    {
        .finding = "established-not-accepted",
        .does = "A service listens and never accepts; patient clients connect, say nothing, and wait.",
        .name = "drill-no-accept",
        .service = { .play = service_does_not_accept },
        .peer = { .play = peer_waits_in_queue },
        .count = 20,
        .count_max = MAX_QUEUED,
        .after_s = READING_S,
        .in_host = true,
    },
    {
        .finding = "established-unanswered",
        .does = "Clients vanish; the service has sent data that nobody acknowledges.",
        .name = "drill-sender",
        .service = { .play = service_sends_unanswered },
        .peer = { .play = peer_requests_and_vanishes },
        .place = DRILL_LINE,
        .count = 50,
        .count_max = MAX_CONNS,
        .after_s = RETRANSMITTED_S,
    },
    {
        .finding = "established-zero-window",
        .does = "Clients stop reading; the service has more to send than they take.",
        .name = "drill-sender",
        .seen_finding = "established-unread",
        .seen_after_s = READING_S,
        .service = { .play = service_sends_until_full },
        .peer = { .play = peer_requests_without_reading },
        .place = DRILL_LINE,
        .count = 50,
        .count_max = MAX_FULL,
        .after_s = READING_S,
    },
    {
        .finding = "established-unread",
        .does = "A service accepts its clients and never reads what they have sent; they wait.",
        .name = "drill-unread",
        .service = { .play = service_leaves_data_unread },
        .peer = { .play = peer_sends_data },
        .count = 50,
        .count_max = MAX_CONNS,
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
        .place = DRILL_LINE, /* a peer on the same host cannot vanish unnoticed */
        .count = 50,
        .count_max = MAX_CONNS,
        .after_s = 7200,
    },
    {
        .finding = "self-connect",
        .does =
            "A client connects to a port on which nobody listens, from that same port: to itself. Its service cannot "
            "bind.",
        .name = "drill-itself",
        .service = { .play = client_connects_to_itself },
        .peer = { .play = peer_needs_the_port },
        .count = 1,
        .count_max = 1,
        .after_s = 1,
    },
    {
        .finding = "descriptor-exhaustion",
        .does = "A service with a low limit of descriptors keeps every connection open until it has none left.",
        .name = "drill-nofile",
        .service = { .play = service_out_of_descriptors, .tick = service_out_of_descriptors_tick, .tick_ms = 1000 },
        .peer = { .play = peer_keeps_connections },
        .count = 256,
        .count_max = MAX_CONNS,
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
        .finding = "half-open",
        .does = "A host loses its power while its clients are silent; when it is back, it knows none of them.",
        .impossible =
            "it takes what both hosts show, and a drill plays on one. To see it, take a snapshot of two hosts with "
            "idle connections between them, after one was reset, and some new ones; then 'tcpwhy --from A --from B'.",
    },
    {
        .finding = "orphan-limit",
        .does =
            "Clients stop reading; the service answers and closes: orphans, near the limit of them, which is lowered.",
        .host_limit = "net.ipv4.tcp_max_orphans",
        .harm = "While the drill runs, the kernel may reset connections of any program where it would else finish them "
                "in order. What orphans look like shows 'tcpwhy drill fin-wait-1-zero-window' without any harm.",
        .name = "drill-orphans",
        .service = { .play = service_makes_orphans },
        .peer = { .play = peer_requests_without_reading },
        .place = DRILL_LINE,
        .count = 200,
        .count_max = MAX_FULL,
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
        .peer = { .play = peer_requests_without_reading, .tick = peer_requests_once_more_tick, .tick_ms = 500 },
        .place = DRILL_LINE,
        .count = 100,
        .count_max = MAX_FULL,
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
