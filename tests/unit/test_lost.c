/* Connections that nobody answers, with both ends seen: are packets lost on the way there or on the way back? */
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "model/host.h"
#include "two_hosts.h"

#define WEB                                                                                                            \
    "host web-3 linux 6.18.44 2026-01-31T12:03:11.123Z\nsetting net.ipv4.ip_local_port_range 32768 60999\n"            \
    "process 100 client user=www fds=200/1024 state=S\n"
#define DB_AT(time)                                                                                                    \
    "host db-1 linux 6.18.44 2026-01-31T" time "Z\nprocess 200 postgres user=pg fds=300/1024 state=S\n"                \
    "conn LISTEN *:5432 recv_q=0 send_q=128 holders=200:3\n"
#define DB DB_AT("12:03:11.123")
/* Seven timeouts, at least 26 s together, and nothing was received meanwhile. */
#define UNANSWERED                                                                                                     \
    " timer=retransmit timer_ms=500..24000 retransmits=7 backoff=7 rto=26112 rtt=4ms unacked=1 notsent=0 "             \
    "snd_wnd=65535 last_data_sent=60s last_data_recv=65s last_ack_recv=52s bytes_received=900 "
#define FINS(count)                                                                                                    \
    "conn FIN_WAIT_1 10.0.0.5:40000 10.0.0.9:5432 x" count " vary=local_port recv_q=0 send_q=1 "                       \
    "bytes_acked=301" UNANSWERED "\n"
#define DATA(acked)                                                                                                    \
    "conn ESTABLISHED 10.0.0.5:40000 10.0.0.9:5432 x12 vary=local_port recv_q=0 send_q=100 bytes_acked=" acked         \
        UNANSWERED "holders=100:9\n"
#define AT_DB(state, count) "conn " state " 10.0.0.9:5432 10.0.0.5:40000 x" count " "
#define QUIET                                                                                                          \
    "recv_q=0 send_q=0 timer=none bytes_acked=900 bytes_received=300 last_data_sent=65s last_data_recv=70s "           \
    "last_ack_recv=65s holders=200:9\n"

struct expected {
    const char *id, *title, *why;
    const char *not_why; /* NULL: not checked */
    enum confidence confidence;
};

static void check_finding(const struct diagnosis *diagnosis, const struct expected *expected)
{
    const struct finding *finding = two_hosts_finding(diagnosis, expected->id);
    assert_non_null(finding);
    if (strstr(finding->title, expected->title) == NULL || strstr(finding->why, expected->why) == NULL)
        print_error("%s\n%s\n", finding->title, finding->why);
    assert_non_null(strstr(finding->title, expected->title));
    assert_non_null(strstr(finding->why, expected->why));
    if (expected->not_why != NULL)
        assert_null(strstr(finding->why, expected->not_why));
    assert_int_equal(finding->confidence, expected->confidence);
}

static void check(const char *web, const char *db, struct expected expected)
{
    struct two_hosts said;
    two_hosts_diagnose(&said, web, db, NULL);
    check_finding(&said.diagnosis, &expected);
    two_hosts_deinit(&said);
}

static void a_fin_that_does_not_arrive(void **state)
{
    (void)state;
    check(WEB FINS("120"), DB AT_DB("ESTABLISHED", "120") QUIET,
        (struct expected){ "fin-wait-1-unanswered",
            "The FIN of 120 connections to 10.0.0.9:5432 does not arrive: the peers are still there",
            "lost on the way to the peer", "vanished", CONFIDENCE_LIKELY });
}

/* The other program has not closed either. That is another fault: it would not keep its kernel from acknowledging. */
static void an_acknowledgement_that_does_not_come_back(void **state)
{
    (void)state;
    struct two_hosts said;
    two_hosts_diagnose(&said, WEB FINS("120"),
        DB AT_DB("CLOSE_WAIT", "120") "recv_q=0 send_q=0 timer=none bytes_acked=900 bytes_received=301 "
                                      "last_data_sent=65s last_data_recv=52s last_ack_recv=52s holders=200:9\n",
        NULL);
    check_finding(&said.diagnosis,
        &(struct expected){
            "fin-wait-1-unanswered", "is lost on the way back", "has arrived there", "vanished", CONFIDENCE_LIKELY });
    assert_non_null(two_hosts_finding(&said.diagnosis, "close-wait-leak"));
    two_hosts_deinit(&said);
}

/* A kernel whose receive buffer is full may drop packets silently. The cause is its program. */
static void a_full_buffer_is_not_the_path(void **state)
{
    (void)state;
    struct two_hosts said;
    two_hosts_diagnose(&said, WEB FINS("120"),
        DB AT_DB("ESTABLISHED", "120") "recv_q=90000 send_q=0 timer=none bytes_acked=900 bytes_received=300 "
                                       "last_data_sent=65s last_data_recv=70s last_ack_recv=65s holders=200:9\n",
        NULL);
    assert_null(two_hosts_finding(&said.diagnosis, "fin-wait-1-unanswered"));
    assert_non_null(two_hosts_finding(&said.diagnosis, "established-unread"));
    two_hosts_deinit(&said);
}

static void a_peer_that_is_gone_may_have_vanished(void **state)
{
    (void)state;
    const struct expected gone = { "fin-wait-1-unanswered", "Nobody answers the FIN of 120 connections",
        "The peer has vanished", "still there", CONFIDENCE_CERTAIN };
    check(WEB FINS("120"), DB, gone);
    /* Seen two minutes before, which is one minute before the silence began. */
    check(WEB FINS("120"), DB_AT("12:01:11.123") AT_DB("ESTABLISHED", "120") QUIET, gone);
}

static void a_peer_that_was_seen_after_the_silence_began_is_there(void **state)
{
    (void)state;
    check(WEB FINS("120"), DB_AT("12:02:55.123") AT_DB("ESTABLISHED", "120") QUIET,
        (struct expected){
            "fin-wait-1-unanswered", "does not arrive", "lost on the way to the peer", "vanished", CONFIDENCE_LIKELY });
}

static void of_some_the_other_end_was_seen(void **state)
{
    (void)state;
    check(WEB FINS("120"), DB AT_DB("ESTABLISHED", "40") QUIET,
        (struct expected){ "fin-wait-1-unanswered", "Nobody answers the FIN of 120 connections",
            "On 40 connections the peer is there", NULL, CONFIDENCE_LIKELY });
}

static void data_that_is_lost_on_one_of_both_ways(void **state)
{
    (void)state;
    check(WEB DATA("301"), DB AT_DB("ESTABLISHED", "12") QUIET,
        (struct expected){ "established-unanswered", "does not arrive", "lost on the way to the peer", "vanished",
            CONFIDENCE_LIKELY });
    check(WEB DATA("201"), DB AT_DB("ESTABLISHED", "12") QUIET,
        (struct expected){
            "established-unanswered", "is lost on the way back", "has arrived there", "vanished", CONFIDENCE_LIKELY });
}

/* Some captures have only the state of a connection. */
static void without_timers_the_other_end_counts_too(void **state)
{
    (void)state;
    check(WEB "conn FIN_WAIT_1 10.0.0.5:40000 10.0.0.9:5432 x120 vary=local_port recv_q=0 send_q=1\n",
        DB AT_DB("ESTABLISHED", "120") "recv_q=0 send_q=0 holders=200:9\n",
        (struct expected){ "fin-wait-1-unanswered", "120 connections", "lost on the way to the peer", "crashed",
            CONFIDENCE_POSSIBLE });
}

static void check_one_host(const char *host, struct expected expected)
{
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot, host);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    check_finding(&diagnosis, &expected);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

/* Both ends are seen at the same moment, so it is certain. A host cannot have crashed that shows the other end. */
static void a_host_does_not_vanish_from_itself(void **state)
{
    (void)state;
    static const char fin[] = "conn FIN_WAIT_1 127.0.0.1:40000 127.0.0.1:5432 x120 vary=local_port recv_q=0 send_q=1 "
                              "bytes_acked=301" UNANSWERED "\n";
    static const char end[] = "process 200 postgres fds=300/1024\nconn ESTABLISHED 127.0.0.1:5432 127.0.0.1:40000 x120 "
                              "recv_q=0 send_q=0 timer=none bytes_acked=900 bytes_received=300 last_data_sent=65s "
                              "last_data_recv=70s last_ack_recv=65s holders=200:9\n";
    char both[4096];
    snprintf(both, sizeof both, "%s%s", fin, end);
    check_one_host(both,
        (struct expected){ "fin-wait-1-unanswered", "does not arrive", "on this host drops the packets", "vanished",
            CONFIDENCE_CERTAIN });
    check_one_host(fin,
        (struct expected){ "fin-wait-1-unanswered", "Nobody answers", "Both ends belong to this host", "vanished",
            CONFIDENCE_CERTAIN });
}

#define OWN                                                                                                            \
    "process 100 client user=www fds=200/1024 state=S\nprocess 200 postgres fds=300/1024\n"                            \
    "setting net.ipv4.ip_local_port_range 32768 60999\n"
/* Another connection shows that 10.0.0.9 is an address of this host. */
#define HAS_9 "conn ESTABLISHED 10.0.0.9:22 10.7.7.7:50000 recv_q=0 send_q=0 timer=none holders=200:8\n"
#define LISTENS_9 "conn LISTEN 10.0.0.9:5432 recv_q=0 send_q=128 holders=200:3\n"
#define PROBES                                                                                                         \
    "conn ESTABLISHED 10.0.0.5:40000 10.0.0.9:5432 x12 vary=local_port recv_q=0 send_q=0 timer=keepalive probes=4 "    \
    "timer_ms=9000 last_data_sent=900s last_data_recv=900s last_ack_recv=800s bytes_acked=9 bytes_received=9 "         \
    "holders=100:9\n"
#define CLOSING_CLIENT                                                                                                 \
    "conn CLOSE_WAIT 10.0.0.5:40000 10.0.0.9:5432 x12 vary=local_port recv_q=1 send_q=9000 bytes_acked=301" UNANSWERED \
    "holders=100:9\n"

/* Two addresses of one host, and the row of the other end is gone. */
static void one_host_with_two_addresses_does_not_vanish(void **state)
{
    (void)state;
    static const struct {
        const char *conns, *id, *title, *why, *foreign; /* foreign: the words where the address is not this host's */
    } two[] = {
        { FINS("120"), "fin-wait-1-unanswered", "Nobody answers", "Both ends belong to this host", "has vanished" },
        { DATA("301"), "established-unanswered", "Nobody answers", "Both ends belong to this host", "vanished" },
        { PROBES, "established-unanswered", "keepalive probes", "Both ends belong to this host", "has vanished" },
        { CLOSING_CLIENT, "close-wait-blocked-writer", "stopped taking", "Both ends belong to this host", "is gone." },
    };
    char host[4096];
    for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
        struct expected expected = { two[i].id, two[i].title, two[i].why, two[i].foreign, CONFIDENCE_LIKELY };
        snprintf(host, sizeof host, OWN HAS_9 "%s", two[i].conns);
        check_one_host(host, expected);
        /* A look-alike: nothing shows that the address is this host's. */
        snprintf(host, sizeof host, OWN "%s", two[i].conns);
        struct snapshot snapshot;
        struct diagnosis diagnosis;
        fixture_must(&snapshot, host);
        diagnose(&snapshot, NULL, NULL, &diagnosis);
        const struct finding *finding = two_hosts_finding(&diagnosis, two[i].id);
        assert_non_null(finding);
        assert_non_null(strstr(finding->why, two[i].foreign));
        assert_null(strstr(finding->why, "Both ends belong"));
        diagnosis_deinit(&diagnosis);
        snapshot_deinit(&snapshot);
    }
    snprintf(host, sizeof host, OWN LISTENS_9 "%s", FINS("120"));
    check_one_host(host,
        (struct expected){ "fin-wait-1-unanswered", "Nobody answers", "Both ends belong to this host", "vanished",
            CONFIDENCE_CERTAIN });
}

/* Network namespaces that are not connected may use the same addresses, as isolated containers do. */
static void an_address_of_an_isolated_namespace_is_not_this_hosts(void **state)
{
    (void)state;
#define PART(text) "netns host own inode=1\n" OWN text "netns web inode=2\n" HAS_9
    check_one_host(PART(FINS("120")),
        (struct expected){
            "fin-wait-1-unanswered", "Nobody answers", "has vanished", "Both ends", CONFIDENCE_CERTAIN });
}

/* The kernel of each host counts its own events. */
static void memory_pressure_of_one_host_is_not_counted_for_another(void **state)
{
    (void)state;
    struct two_hosts said;
    two_hosts_diagnose(&said,
        WEB "setting net.ipv4.tcp_mem 1000 1300 2000\ncounter TCP.mem 1400\ncounter TcpExt.TCPMemoryPressures 3\n",
        DB "counter TcpExt.TCPMemoryPressures 900\n", NULL);
    const struct finding *finding = two_hosts_finding(&said.diagnosis, "tcp-memory-pressure");
    assert_non_null(finding);
    bool is_told = false;
    for (size_t i = 0; i < finding->evidence.count; i++)
        is_told |= strstr(finding->evidence.items[i], "memory pressure 3 times") != NULL;
    assert_true(is_told);
    two_hosts_deinit(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fin_that_does_not_arrive),
        cmocka_unit_test(an_acknowledgement_that_does_not_come_back),
        cmocka_unit_test(a_full_buffer_is_not_the_path),
        cmocka_unit_test(a_peer_that_is_gone_may_have_vanished),
        cmocka_unit_test(a_peer_that_was_seen_after_the_silence_began_is_there),
        cmocka_unit_test(of_some_the_other_end_was_seen),
        cmocka_unit_test(data_that_is_lost_on_one_of_both_ways),
        cmocka_unit_test(without_timers_the_other_end_counts_too),
        cmocka_unit_test(a_host_does_not_vanish_from_itself),
        cmocka_unit_test(one_host_with_two_addresses_does_not_vanish),
        cmocka_unit_test(memory_pressure_of_one_host_is_not_counted_for_another),
        cmocka_unit_test(an_address_of_an_isolated_namespace_is_not_this_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
