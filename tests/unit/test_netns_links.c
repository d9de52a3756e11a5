/*
 * A full accept queue and what calls it from another network namespace of the host: connected ones, and isolated ones
 * with the same addresses and ports.
 */
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "unit.h"

/* The queue's eleven have sent 70 bytes each, 40 s ago. */
#define SERVER                                                                                                         \
    "netns web own\n"                                                                                                  \
    "process 812 server parent=800 fds=900/20000 state=S running=2d\n"                                                 \
    "conn LISTEN *:80 recv_q=11 send_q=10 skmem_drops=70 holders=812:3\n"                                              \
    "conn ESTABLISHED 10.0.0.5:80 10.0.0.9:50000 x11 recv_q=70 send_q=0 timer=none inode=0 bytes_acked=0 "             \
    "bytes_received=70 last_data_sent=41s last_data_recv=40s last_ack_recv=40s rtt=300\n"
#define CLIENTS(netns)                                                                                                 \
    "netns " netns "\nprocess 900 client parent=800 fds=400/20000 state=S running=2d\n"                                \
    "conn SYN_SENT 10.0.0.9:40000 10.0.0.5:80 x7 vary=local_port recv_q=0 send_q=1 timer=retransmit "                  \
    "retransmits=5 timer_ms=500 holders=900:20\n"
#define ACCEPTED(bytes)                                                                                                \
    "conn ESTABLISHED 10.0.0.9:50000 10.0.0.5:80 x11 vary=local_port recv_q=0 send_q=0 timer=none bytes_acked=" bytes  \
    " bytes_received=0 last_data_sent=40s last_data_recv=41s last_ack_recv=40s rtt=300 inode=700\n"
#define TWIN                                                                                                           \
    "netns twin\nconn LISTEN *:80 recv_q=0 send_q=128\n"                                                               \
    "conn ESTABLISHED 10.0.0.5:80 10.0.0.9:50000 x11 recv_q=0 send_q=0 timer=none bytes_acked=0 bytes_received=70 "    \
    "last_data_sent=41s last_data_recv=40s last_ack_recv=40s rtt=300 inode=800\n"

static const char queue_only[] = "accept-queue-overflow", both[] = "accept-queue-overflow syn-sent-unanswered";

static const struct {
    const char *what, *snapshot, *found;
    bool gap;
} cases[] = {
    { "both ends of what waits were seen: the SYNs go to the same queue", SERVER CLIENTS("clients") ACCEPTED("71"),
        queue_only, false },
    { "nothing connects the two but their addresses", SERVER CLIENTS("elsewhere"), both, true },
    { "ends that fit, with other bytes", SERVER CLIENTS("elsewhere") ACCEPTED("31"), both, true },
    { "ends that fit, and a second listener that may have them", SERVER CLIENTS("clients") ACCEPTED("71") TWIN, both,
        true },
    { "one is connected, the other is isolated and has the same addresses",
        SERVER "netns clients\n" ACCEPTED("71") CLIENTS("elsewhere"), both, true },
    { "another port is another service's",
        SERVER "netns clients\n"
               "process 900 client parent=800 fds=400/20000 state=S running=2d\n"
               "conn SYN_SENT 10.0.0.9:40000 10.0.0.5:81 x7 vary=local_port recv_q=0 send_q=1 timer=retransmit "
               "retransmits=5 timer_ms=500 holders=900:20\n",
        both, false },
};

static void check(const char *what, const char *host, const char *found, bool gap)
{
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct buf ids = { 0 };
    fixture_must(&snapshot, host);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    for (size_t i = 0; i < diagnosis.finding_count; i++)
        buf_printf(&ids, "%s%s", i > 0 ? " " : "", diagnosis.findings[i].id);
    if (strcmp(buf_text(&ids), found) != 0)
        fail_msg("%s: %s", what, buf_text(&ids));
    if ((diagnosis.gap_count > 0 && strcmp(diagnosis.gaps[0].id, "ends-ambiguous") == 0) != gap)
        fail_msg("%s: %s gap", what, gap ? "no" : "a");
    buf_deinit(&ids);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void only_namespaces_that_are_known_to_be_connected_share_a_queue(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].what, cases[i].snapshot, cases[i].found, cases[i].gap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_namespaces_that_are_known_to_be_connected_share_a_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
