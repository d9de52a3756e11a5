/*
 * FIN_WAIT_1, CLOSING, FIN_WAIT_2 and the limit of orphans: each finding on a host where it must be made, and
 * look-alikes that differ only in the fact that decides.
 */
#include <stdio.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "rule_cases.h"
#include "unit.h"

#define FIN_WAIT_1_20 "conn FIN_WAIT_1 10.0.0.5:9100 10.1.2.3:40000 x20 uid=7 "
#define CLOSING_20 "conn CLOSING 10.0.0.5:9100 10.1.2.3:40000 x20 uid=7 inode=0 "
#define FIN_WAIT_2_200 "conn FIN_WAIT_2 10.0.0.5:9100 10.1.2.3:40000 x200 "
#define RETRANSMITTED_6                                                                                                \
    "recv_q=0 send_q=1 timer=retransmit timer_ms=9000 retransmits=6 rto=12800 rtt=300 rttvar=150 unacked=1 "           \
    "last_ack_recv=40s last_data_sent=41s "
#define ZERO_WINDOW                                                                                                    \
    "recv_q=0 send_q=70000 timer=persist timer_ms=3000 probes=0 backoff=5 rto=200 rtt=300 rttvar=150 snd_wnd=0 "       \
    "last_ack_recv=2s last_data_sent=1m "
#define SILENT "recv_q=0 send_q=0 timer=none last_ack_recv=10m last_data_sent=10m last_data_recv=10m "
#define ORPHANS(count) "netns host own\nsetting net.ipv4.tcp_max_orphans 1000\ncounter TCP.orphan " count "\n"

static const struct rule_case cases[] = {
    { "FIN_WAIT_1 unanswered: six retransmissions, an orphan of the listener",
        SERVER FIN_WAIT_1_20 "inode=0 " RETRANSMITTED_6 "\n", "fin-wait-1-unanswered 20 812 info certain\n" },
    { "FIN_WAIT_1 unanswered with a descriptor: shutdown() was called, not close()",
        SERVER FIN_WAIT_1_20 RETRANSMITTED_6 "shutdown=send holders=812:20\n",
        "fin-wait-1-unanswered 20 812 info certain\n" },
    { "FIN_WAIT_1: what is heard of the peer may be its own data: it does not tell whose fault it is",
        SERVER FIN_WAIT_1_20 "inode=0 recv_q=0 send_q=70000 timer=retransmit timer_ms=9000 retransmits=6 rto=12800 "
                             "rtt=300 rttvar=150 unacked=1 last_ack_recv=3s last_data_sent=41s\n",
        "fin-wait-1-unanswered 20 812 info likely\n" },
    { "FIN_WAIT_1: the FIN is on its way",
        SERVER FIN_WAIT_1_20 "inode=0 recv_q=0 send_q=1 timer=retransmit timer_ms=190 retransmits=0 rto=200 rtt=300 "
                             "rttvar=150 unacked=1 last_ack_recv=10ms last_data_sent=11ms\n",
        "" },
    { "FIN_WAIT_1: two lost segments",
        SERVER FIN_WAIT_1_20 "inode=0 recv_q=0 send_q=1 timer=retransmit timer_ms=600 retransmits=2 rto=800 rtt=300 "
                             "rttvar=150 unacked=1 last_ack_recv=900ms last_data_sent=1s\n",
        "" },
    { "FIN_WAIT_1 behind a zero window whose probes are answered", SERVER FIN_WAIT_1_20 "inode=0 " ZERO_WINDOW "\n",
        "fin-wait-1-zero-window 20 812 info certain\n" },
    { "FIN_WAIT_1 of a large answer to a slow reader: data still flows",
        SERVER FIN_WAIT_1_20 "inode=0 recv_q=0 send_q=70000 timer=persist timer_ms=100 probes=0 rto=200 rtt=300 "
                             "rttvar=150 snd_wnd=0 last_ack_recv=100ms last_data_sent=400ms\n",
        "" },
    { "FIN_WAIT_1 of a large answer on a fast line",
        SERVER FIN_WAIT_1_20 "inode=0 recv_q=0 send_q=900000 timer=retransmit timer_ms=180 retransmits=0 rto=200 "
                             "rtt=300 rttvar=150 snd_wnd=65535 unacked=10 last_ack_recv=1ms last_data_sent=1ms\n",
        "" },
    { "FIN_WAIT_1 behind a zero window, but no probe is answered any more",
        SERVER FIN_WAIT_1_20 "inode=0 recv_q=0 send_q=70000 timer=persist timer_ms=3000 probes=5 backoff=5 rto=200 "
                             "rtt=300 rttvar=150 snd_wnd=0 last_ack_recv=1m last_data_sent=1m\n",
        "fin-wait-1-unanswered 20 812 info certain\n" },
    { "a hundred of them are worth a warning",
        SERVER "conn FIN_WAIT_1 10.0.0.5:9100 10.1.2.3:40000 x100 uid=7 inode=0 " RETRANSMITTED_6 "\n",
        "fin-wait-1-unanswered 100 812 warning certain\n" },
    { "the reader that does not read is on this host too: then it is the finding",
        SERVER "process 970 client parent=800 fds=300/1024 running=1h\n"
               "conn FIN_WAIT_1 127.0.0.1:9100 127.0.0.1:40000 x20 uid=7 inode=0 " ZERO_WINDOW "\n"
               "conn CLOSE_WAIT 127.0.0.1:40000 127.0.0.1:9100 x20 vary=local_port recv_q=65000 send_q=0 timer=none "
               "last_ack_recv=1m last_data_sent=1m last_data_recv=1m holders=970:20\n",
        "close-wait-unread 20 970 warning likely\n" },

    { "CLOSING unanswered", SERVER CLOSING_20 RETRANSMITTED_6 "\n", "closing-unanswered 20 812 info certain\n" },
    { "CLOSING behind a zero window", SERVER CLOSING_20 ZERO_WINDOW "\n", "closing-unanswered 20 812 info certain\n" },
    { "CLOSING: a round trip",
        SERVER CLOSING_20 "recv_q=0 send_q=1 timer=retransmit timer_ms=190 retransmits=0 rto=200 rtt=300 rttvar=150 "
                          "unacked=1 last_ack_recv=10ms last_data_sent=11ms\n",
        "" },

    { "FIN_WAIT_2 held: half-closed, and nothing comes", SERVER FIN_WAIT_2_200 SILENT "shutdown=send holders=812:20\n",
        "fin-wait-2-held 200 812 warning certain\n" },
    { "FIN_WAIT_2 held after shutdown(SHUT_RDWR)", SERVER FIN_WAIT_2_200 SILENT "shutdown=both holders=812:20\n",
        "fin-wait-2-held 200 812 warning certain\n" },
    { "FIN_WAIT_2 held, with SO_KEEPALIVE: its timer is not an orphan's",
        SERVER FIN_WAIT_2_200 "recv_q=0 send_q=0 timer=keepalive timer_ms=7000000 last_ack_recv=10m last_data_sent=10m "
                              "last_data_recv=10m shutdown=send holders=812:20\n",
        "fin-wait-2-held 200 812 warning likely\n" },
    { "FIN_WAIT_2 with data still coming: a half-close as rsh does it",
        SERVER FIN_WAIT_2_200 "recv_q=0 send_q=0 timer=none last_ack_recv=40ms last_data_sent=10m last_data_recv=40ms "
                              "shutdown=send holders=812:20\n",
        "" },
    { "FIN_WAIT_2 for ten seconds: the peer is at work",
        SERVER FIN_WAIT_2_200 "recv_q=0 send_q=0 timer=none last_ack_recv=10s last_data_sent=10s last_data_recv=10s "
                              "shutdown=send holders=812:20\n",
        "" },
    { "two of them are worth knowing",
        SERVER "conn FIN_WAIT_2 10.0.0.5:9100 10.1.2.3:40000 x2 " SILENT "shutdown=send holders=812:20\n",
        "fin-wait-2-held 2 812 info certain\n" },
    { "without ages it is only likely",
        SERVER FIN_WAIT_2_200 "recv_q=0 send_q=0 timer=none shutdown=send holders=812:20\n",
        "fin-wait-2-held 200 812 warning likely\n" },
    { "FIN_WAIT_2 held, and the other end is stuck in CLOSE_WAIT here: that is the finding",
        SERVER "process 970 client parent=800 fds=300/1024 running=1h\n"
               "conn FIN_WAIT_2 127.0.0.1:9100 127.0.0.1:40000 x30 " SILENT "shutdown=send holders=812:20\n"
               "conn CLOSE_WAIT 127.0.0.1:40000 127.0.0.1:9100 x30 vary=local_port " SILENT "holders=970:20\n",
        "close-wait-leak 30 970 warning likely\n" },

    { "FIN_WAIT_2 orphans that expire by themselves",
        SERVER FIN_WAIT_2_200 "inode=0 recv_q=0 send_q=0 timer=time_wait timer_ms=1000..30000\n",
        "fin-wait-2-orphaned 200 812 info certain\n" },
    { "few of them: any server that closes first has some",
        SERVER "conn FIN_WAIT_2 10.0.0.5:9100 10.1.2.3:40000 x99 inode=0 recv_q=0 send_q=0 timer=time_wait "
               "timer_ms=1000..30000\n",
        "" },
    { "young ones: the peers are about to close",
        SERVER FIN_WAIT_2_200 "inode=0 recv_q=0 send_q=0 timer=time_wait timer_ms=45000..60000\n", "" },
    { "full orphans: tcp_fin_timeout is over 60 s",
        SERVER "setting net.ipv4.tcp_fin_timeout 120\n" FIN_WAIT_2_200
               "inode=0 recv_q=0 send_q=0 timer=keepalive timer_ms=20000 last_ack_recv=40s\n",
        "fin-wait-2-orphaned 200 812 info certain\n" },
    { "thousands of them are worth a warning",
        SERVER "conn FIN_WAIT_2 10.0.0.5:9100 10.1.2.3:1024 x5000 inode=0 recv_q=0 send_q=0 timer=time_wait "
               "timer_ms=1000..30000\n",
        "fin-wait-2-orphaned 5000 812 warning certain\n" },
    { "so are few that come near the limit which they share with TIME_WAIT",
        SERVER "setting net.ipv4.tcp_max_tw_buckets 230\ncounter TCP.tw 200\n" FIN_WAIT_2_200
               "inode=0 recv_q=0 send_q=0 timer=time_wait timer_ms=1000..30000\n",
        "fin-wait-2-orphaned 200 812 warning certain\n" },

    { "orphans at a quarter of the limit", ORPHANS("250"), "orphan-limit 250 0 warning certain\n" },
    { "orphans at half of it", ORPHANS("500"), "orphan-limit 500 0 critical certain\n" },
    { "orphans below a quarter", ORPHANS("249"), "" },
    { "orphans, and the limit is not shown (another namespace)", "netns host own\ncounter TCP.orphan 900\n", "" },
};

static void every_case_is_judged_as_expected(void **state)
{
    (void)state;
    rule_cases_check(cases, sizeof cases / sizeof *cases);
}

static void every_finding_fires_somewhere_above(void **state)
{
    (void)state;
    static const char *const ids[] = { "fin-wait-1-unanswered", "fin-wait-1-zero-window", "closing-unanswered",
        "fin-wait-2-held", "fin-wait-2-orphaned", "orphan-limit", NULL };
    rule_cases_need(cases, sizeof cases / sizeof *cases, ids);
}

static void a_process_that_does_not_read_is_at_fault_itself(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot,
        SERVER FIN_WAIT_2_200
        "recv_q=5000 send_q=0 timer=none last_ack_recv=10m last_data_sent=10m last_data_recv=10m shutdown=send "
        "holders=812:20\n");
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_string_equal(diagnosis.findings[0].id, "fin-wait-2-held");
    assert_int_equal(diagnosis.findings[0].fault, FAULT_LOCAL_APPLICATION);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static bool has_evidence(const struct finding *finding, const char *words)
{
    bool found = false;
    for (size_t i = 0; i < finding->evidence.count; i++)
        found |= strstr(finding->evidence.items[i], words) != NULL;
    return found;
}

/* An old acknowledgement does not show that the peer still exists; answers to keepalive probes do. */
static void a_peer_that_may_be_gone_is_not_blamed(void **state)
{
    (void)state;
    static const struct {
        const char *conns;
        enum fault fault;
        bool nothing_runs;
    } each[] = {
        { FIN_WAIT_2_200 SILENT "shutdown=send holders=812:20\n", FAULT_PEER_OR_PATH, true },
        { FIN_WAIT_2_200 "recv_q=0 send_q=0 timer=keepalive timer_ms=9000 last_ack_recv=10m last_data_sent=10m "
                         "last_data_recv=10m shutdown=send holders=812:20\n",
            FAULT_PEER_OR_PATH, false },
        { FIN_WAIT_2_200 "recv_q=0 send_q=0 timer=keepalive timer_ms=9000 last_ack_recv=9s last_data_sent=10m "
                         "last_data_recv=10m shutdown=send holders=812:20\n",
            FAULT_PEER_APPLICATION, false },
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        struct snapshot snapshot;
        struct diagnosis diagnosis;
        char text[1000];
        snprintf(text, sizeof text, "%s%s", SERVER, each[i].conns);
        fixture_must(&snapshot, text);
        diagnose(&snapshot, NULL, NULL, &diagnosis);
        assert_string_equal(diagnosis.findings[0].id, "fin-wait-2-held");
        assert_int_equal(diagnosis.findings[0].fault, each[i].fault);
        assert_int_equal(has_evidence(&diagnosis.findings[0], "No time-out runs"), each[i].nothing_runs);
        diagnosis_deinit(&diagnosis);
        snapshot_deinit(&snapshot);
    }
}

static void a_peer_that_does_not_read_is_at_fault_in_closing(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot, SERVER CLOSING_20 ZERO_WINDOW "\n");
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.findings[0].fault, FAULT_PEER_APPLICATION);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

/* With a selection, a finding about the host is shown if it is about a selected connection. */
static void near_the_limit_a_selection_shows_the_limit(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct selection selection = { .states = STATE_BIT(STATE_FIN_WAIT_1) };
    fixture_must(&snapshot, ORPHANS("500") FIN_WAIT_1_20 "inode=0 " RETRANSMITTED_6 "\n");
    diagnose(&snapshot, &selection, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 2);
    assert_string_equal(diagnosis.findings[0].id, "orphan-limit");
    assert_int_equal(diagnosis.findings[0].severity, SEVERITY_CRITICAL);
    assert_string_equal(diagnosis.findings[1].id, "fin-wait-1-unanswered");
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void fin_wait_2_has_a_time_left_unless_it_is_held(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool known;
        uint64_t last_ms;
    } hosts[] = {
        { SERVER FIN_WAIT_2_200 "inode=0 recv_q=0 send_q=0 timer=time_wait timer_ms=1000..30000\n", true, 30000 },
        /* 20 s as a full socket, then 60 s as a mini-socket */
        { SERVER "setting net.ipv4.tcp_fin_timeout 120\n" FIN_WAIT_2_200
                 "inode=0 recv_q=0 send_q=0 timer=keepalive timer_ms=20000 last_ack_recv=40s\n",
            true, 80000 },
        { SERVER FIN_WAIT_2_200 SILENT "shutdown=send holders=812:20\n", false, 0 },
    };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct snapshot snapshot;
        struct diagnosis diagnosis;
        fixture_must(&snapshot, hosts[i].host);
        diagnose(&snapshot, NULL, NULL, &diagnosis);
        assert_int_equal(diagnosis.findings[0].give_up_known, hosts[i].known);
        assert_int_equal(diagnosis.findings[0].last_give_up_ms, hosts[i].last_ms);
        diagnosis_deinit(&diagnosis);
        snapshot_deinit(&snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_as_expected),
        cmocka_unit_test(every_finding_fires_somewhere_above),
        cmocka_unit_test(a_process_that_does_not_read_is_at_fault_itself),
        cmocka_unit_test(a_peer_that_may_be_gone_is_not_blamed),
        cmocka_unit_test(a_peer_that_does_not_read_is_at_fault_in_closing),
        cmocka_unit_test(near_the_limit_a_selection_shows_the_limit),
        cmocka_unit_test(fin_wait_2_has_a_time_left_unless_it_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
