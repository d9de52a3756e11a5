/*
 * Each finding twice: on a host where it must be made, and on a look-alike where it must not. The two hosts differ only
 * in the fact that decides.
 */
#include "diagnose/diagnose.h"

#include <string.h>

#include "fixture.h"
#include "rule_cases.h"
#include "unit.h"

#define CLOSE_WAIT_300 "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x300 "
#define LAST_ACK_20 "conn LAST_ACK 10.0.0.5:9100 10.1.2.3:40000 x20 uid=7 inode=0 "
#define OLD "last_ack_recv=10m last_data_sent=10m last_data_recv=10m "
#define IDLE "recv_q=0 send_q=0 timer=none "

static const struct rule_case cases[] = {
    { "leak: end of stream read, old, held by one", SERVER CLOSE_WAIT_300 IDLE OLD "holders=812:20\n",
        "close-wait-leak 300 812 critical certain\n" },
    { "no leak: 3 s old, whatever the count",
        SERVER CLOSE_WAIT_300 IDLE "last_ack_recv=3s last_data_sent=3s last_data_recv=3s holders=812:20\n", "" },
    { "no leak: half-closed, data still flows (its ACKs come in)",
        SERVER CLOSE_WAIT_300 IDLE "last_ack_recv=120ms last_data_sent=120ms last_data_recv=10m holders=812:20\n", "" },
    { "no leak: half-closed, data is on its way out now",
        SERVER CLOSE_WAIT_300
        "recv_q=0 send_q=4096 timer=retransmit timer_ms=200 last_ack_recv=80ms last_data_sent=40ms holders=812:20\n",
        "" },
    { "a leak of seconds is likely and not yet critical",
        SERVER CLOSE_WAIT_300 IDLE "last_ack_recv=8s last_data_sent=8s last_data_recv=8s holders=812:20\n",
        "close-wait-leak 300 812 warning likely\n" },
    { "a leak of two minutes may still be a proxy that is half-closed on purpose",
        SERVER CLOSE_WAIT_300 IDLE "last_ack_recv=2m last_data_sent=2m last_data_recv=2m holders=812:20\n",
        "close-wait-leak 300 812 critical likely\n" },
    { "two leaked sockets are a finding, not a reason to wake anybody",
        SERVER "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x2 " IDLE OLD "holders=812:20\n",
        "close-wait-leak 2 812 info certain\n" },
    { "few sockets, but the descriptors run out",
        SERVER "process 900 tiny parent=800 fds=60/64 running=1d\n"
               "conn LISTEN *:9200 recv_q=0 send_q=8 holders=900:3\n"
               "conn CLOSE_WAIT 10.0.0.5:9200 10.1.2.3:40000 x20 " IDLE OLD "holders=900:20\n",
        "close-wait-leak 20 900 critical certain\n" },
    { "without ages it is only likely", SERVER CLOSE_WAIT_300 IDLE "holders=812:20\n",
        "close-wait-leak 300 812 warning likely\n" },

    { "unread: the FIN waits in Recv-Q", SERVER CLOSE_WAIT_300 "recv_q=1 send_q=0 timer=none " OLD "holders=812:20\n",
        "close-wait-unread 300 812 critical certain\n" },
    { "not unread: 2 s old",
        SERVER CLOSE_WAIT_300
        "recv_q=1 send_q=0 timer=none last_ack_recv=2s last_data_sent=2s last_data_recv=2s holders=812:20\n",
        "" },
    { "unread by a stopped process is worth a warning even if they are few",
        SERVER "process 901 held parent=800 fds=9/1024 state=T running=1d\n"
               "conn LISTEN *:9300 recv_q=0 send_q=8 holders=901:3\n"
               "conn CLOSE_WAIT 10.0.0.5:9300 10.1.2.3:40000 x3 recv_q=1 send_q=0 timer=none " OLD "holders=901:20\n",
        "close-wait-unread 3 901 warning certain\n" },

    { "unread by a process whose threads all wait for something else is worth a warning",
        SERVER "process 901 held parent=800 fds=9/1024 threads=4 running=1d\n"
               "wait 901 S call=futex threads=4\nconn LISTEN *:9300 recv_q=0 send_q=8 holders=901:3\n"
               "conn CLOSE_WAIT 10.0.0.5:9300 10.1.2.3:40000 x3 recv_q=1 send_q=0 timer=none " OLD "holders=901:20\n",
        "close-wait-unread 3 901 warning certain\n" },
    { "but not where a thread that was not seen may be serving them",
        SERVER "process 901 held parent=800 fds=9/1024 threads=5 running=1d\n"
               "wait 901 S call=futex threads=4\nconn LISTEN *:9300 recv_q=0 send_q=8 holders=901:3\n"
               "conn CLOSE_WAIT 10.0.0.5:9300 10.1.2.3:40000 x3 recv_q=1 send_q=0 timer=none " OLD "holders=901:20\n",
        "close-wait-unread 3 901 info certain\n" },
    { "nor for an idle pool: nobody is waiting for these",
        SERVER "process 901 java parent=800 fds=9/1024 threads=4 running=1d\n"
               "wait 901 S call=futex threads=4\n"
               "conn CLOSE_WAIT 10.0.0.5:40000 10.1.2.3:5432 x3 vary=local_port recv_q=1 send_q=0 timer=none " OLD
               "holders=901:20\n",
        "close-wait-unread 3 901 info certain\n" },
    { "not accepted: no inode, and the queue is that long",
        "netns host own\nprocess 812 spoolsvc parent=1 fds=9/1024 running=2d\n"
        "conn LISTEN *:9100 recv_q=50 send_q=128 holders=812:3\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x50 recv_q=1 send_q=0 timer=none inode=0 " OLD "\n",
        "close-wait-not-accepted 50 812 warning certain\n" },
    { "not accepted, and the queue is full",
        "netns host own\nprocess 812 spoolsvc parent=1 fds=9/1024 running=2d\n"
        "conn LISTEN *:9100 recv_q=11 send_q=10 holders=812:3\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x11 recv_q=1 send_q=0 timer=none inode=0 " OLD "\n",
        "close-wait-not-accepted 11 812 critical certain\n" },
    { "not yet accepted: a busy moment",
        SERVER
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x50 recv_q=1 send_q=0 timer=none inode=0 last_ack_recv=90ms\n",
        "" },
    { "not accepted by the service, not by the manager that keeps its socket (socket activation)",
        "netns host own\nprocess 1 systemd parent=0 fds=99/1024 running=9d\n"
        "process 812 spoolsvc parent=1 fds=9/1024 running=2d\n"
        "conn LISTEN *:9100 recv_q=3 send_q=128 holders=1:40,812:3\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x3 recv_q=1 send_q=0 timer=none inode=0 " OLD "\n",
        "close-wait-not-accepted 3 812 warning certain\n" },
    { "a master that only minds its workers is no reason for a warning while a worker can accept",
        "netns host own\nprocess 812 nginx parent=1 fds=9/1024 running=2d\n"
        "process 813 nginx parent=812 fds=9/1024 running=2d\n"
        "wait 812 S call=rt_sigsuspend threads=1\nwait 813 S call=epoll_wait threads=1\n"
        "conn LISTEN *:9100 recv_q=3 send_q=128 holders=812:6,813:6\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x3 recv_q=1 send_q=0 timer=none inode=0 "
        "last_ack_recv=10s last_data_sent=10s last_data_recv=10s\n",
        "close-wait-not-accepted 3 813 info certain\n" },
    { "but one that nobody can accept from is",
        "netns host own\nprocess 812 nginx parent=1 fds=9/1024 running=2d\n"
        "process 813 nginx parent=812 fds=9/1024 running=2d\n"
        "wait 812 S call=rt_sigsuspend threads=1\nwait 813 S call=futex threads=1\n"
        "conn LISTEN *:9100 recv_q=3 send_q=128 holders=812:6,813:6\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x3 recv_q=1 send_q=0 timer=none inode=0 "
        "last_ack_recv=10s last_data_sent=10s last_data_recv=10s\n",
        "close-wait-not-accepted 3 812 warning certain\n" },
    { "the listener whose queue is long is the one that does not accept (SO_REUSEPORT)",
        "netns host own\nprocess 812 good parent=1 fds=9/1024 running=2d\nprocess 813 bad parent=1 fds=9/1024 "
        "running=2d\n"
        "conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3\n"
        "conn LISTEN *:9100 recv_q=9 send_q=128 holders=813:3\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x9 recv_q=1 send_q=0 timer=none inode=0 " OLD "\n",
        "close-wait-not-accepted 9 813 warning certain\n" },

    { "inherited: two processes that have both been there for long hold it",
        SERVER "process 950 worker parent=812 fds=400/20000 running=1h\n" CLOSE_WAIT_300 IDLE OLD
               "holders=812:20,950:20\n",
        "close-wait-inherited 300 812 critical certain\n" },
    { "two copies of one program may share a connection on purpose (sshd)",
        SERVER "process 950 spoolsvc parent=812 fds=400/20000 running=1h\n" CLOSE_WAIT_300 IDLE OLD
               "holders=812:20,950:20\n",
        "close-wait-inherited 300 812 critical likely\n" },
    { "not inherited: a fork() is just under way",
        SERVER "process 950 spoolsvc parent=812 fds=400/20000 running=20ms\n" CLOSE_WAIT_300 IDLE OLD
               "holders=812:20,950:20\n",
        "close-wait-leak 300 812 critical certain\n" },
    { "not inherited: one process with two descriptors of the same socket",
        SERVER CLOSE_WAIT_300 IDLE OLD "holders=812:20,812:900\n", "close-wait-leak 300 812 critical certain\n" },
    { "left in a child that runs another program",
        SERVER "process 951 sleep parent=812 fds=400/20000 running=1h\n" CLOSE_WAIT_300 IDLE OLD "holders=951:20\n",
        "close-wait-inherited 300 951 critical likely\n" },
    { "a child that was handed its connections, or took care of them, knows of them (Node.js's cluster, sshd-session)",
        SERVER "process 951 worker parent=812 fds=400/20000 running=1h\n" CLOSE_WAIT_300 IDLE OLD "holders=951:20e\n",
        "close-wait-leak 300 951 critical certain\n" },
    { "a forked worker of the same program owns its connections",
        SERVER "process 952 spoolsvc parent=812 fds=400/20000 running=1h\n" CLOSE_WAIT_300 IDLE OLD "holders=952:20\n",
        "close-wait-leak 300 952 critical certain\n" },
    { "a program started for one connection has it on its standard input on purpose (inetd)",
        SERVER "process 953 ftpd parent=812 fds=5/1024 running=1h\n"
               "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 " IDLE OLD "holders=953:0\n",
        "close-wait-leak 1 953 info certain\n" },

    { "blocked writer: the peer's window is zero",
        SERVER CLOSE_WAIT_300 "recv_q=0 send_q=90000 timer=persist timer_ms=900 snd_wnd=0 last_ack_recv=1s "
                              "last_data_sent=10m holders=812:20\n",
        "close-wait-blocked-writer 300 812 warning certain\n" },
    { "not blocked: a slow reader whose window opens now and then",
        SERVER CLOSE_WAIT_300 "recv_q=0 send_q=90000 timer=persist timer_ms=200 snd_wnd=0 last_ack_recv=1s "
                              "last_data_sent=2s holders=812:20\n",
        "" },
    { "blocked writer: the data is sent again and again",
        SERVER CLOSE_WAIT_300 "recv_q=0 send_q=900 timer=retransmit timer_ms=9000 retransmits=6 rto=25600 rtt=1000 "
                              "rttvar=500 last_ack_recv=30s last_data_sent=10s holders=812:20\n",
        "close-wait-blocked-writer 300 812 warning likely\n" },
    { "blocked writer: the peer answers, but takes nothing",
        SERVER CLOSE_WAIT_300 "recv_q=0 send_q=900 timer=retransmit timer_ms=9000 retransmits=6 rto=25600 rtt=1000 "
                              "rttvar=500 last_ack_recv=3s last_data_sent=10s holders=812:20\n",
        "close-wait-blocked-writer 300 812 warning likely\n" },
    { "not blocked: one lost segment",
        SERVER CLOSE_WAIT_300 "recv_q=0 send_q=900 timer=retransmit timer_ms=300 retransmits=1 rto=400 rtt=1000 "
                              "rttvar=500 last_ack_recv=500ms last_data_sent=300ms holders=812:20\n",
        "" },

    { "LAST_ACK unanswered: six retransmissions, the listener is inferred",
        SERVER LAST_ACK_20
        "recv_q=1 send_q=1 timer=retransmit timer_ms=9000 retransmits=6 rto=12800 rtt=300 rttvar=150 "
        "unacked=1 last_ack_recv=40s last_data_sent=41s\n",
        "last-ack-unanswered 20 812 info certain\n" },
    { "LAST_ACK: the FIN is on its way",
        SERVER LAST_ACK_20 "recv_q=0 send_q=1 timer=retransmit timer_ms=190 retransmits=0 rto=200 rtt=300 rttvar=150 "
                           "unacked=1 last_ack_recv=10ms last_data_sent=11ms\n",
        "" },
    { "LAST_ACK: a lost segment or two",
        SERVER LAST_ACK_20 "recv_q=0 send_q=1 timer=retransmit timer_ms=600 retransmits=2 rto=800 rtt=300 rttvar=150 "
                           "unacked=1 last_ack_recv=900ms last_data_sent=1s\n",
        "" },
    { "LAST_ACK behind a zero window whose probes are answered",
        SERVER LAST_ACK_20
        "recv_q=0 send_q=70000 timer=persist timer_ms=3000 probes=0 backoff=5 rto=200 rtt=300 rttvar=150 "
        "snd_wnd=0 last_ack_recv=2s last_data_sent=1m\n",
        "last-ack-zero-window 20 812 info certain\n" },
    { "LAST_ACK behind a zero window, but the peer answers no probe any more",
        SERVER LAST_ACK_20
        "recv_q=0 send_q=70000 timer=persist timer_ms=3000 probes=5 backoff=5 rto=200 rtt=300 rttvar=150 "
        "snd_wnd=0 last_ack_recv=1m last_data_sent=1m\n",
        "last-ack-unanswered 20 812 info certain\n" },
    { "LAST_ACK: the peer is heard, takes nothing, and its window is not shown: ss leaves 0 out",
        SERVER LAST_ACK_20
        "recv_q=0 send_q=70000 timer=retransmit timer_ms=9000 retransmits=6 rto=12800 rtt=300 rttvar=150 "
        "unacked=1 last_ack_recv=3s last_data_sent=41s\n",
        "last-ack-zero-window 20 812 info likely\n" },
    { "LAST_ACK with data before the FIN, and a silent peer",
        SERVER LAST_ACK_20
        "recv_q=0 send_q=70000 timer=retransmit timer_ms=9000 retransmits=6 rto=12800 rtt=300 rttvar=150 "
        "unacked=1 last_ack_recv=40s last_data_sent=41s\n",
        "last-ack-unanswered 20 812 info certain\n" },
    { "LAST_ACK: a bare FIN needs no room in a buffer, so that the way there is to blame",
        SERVER LAST_ACK_20
        "recv_q=0 send_q=1 timer=retransmit timer_ms=9000 retransmits=6 rto=12800 rtt=300 rttvar=150 "
        "unacked=1 last_ack_recv=3s last_data_sent=41s\n",
        "last-ack-unanswered 20 812 info likely\n" },
    { "LAST_ACK of a slow download that still moves",
        SERVER LAST_ACK_20
        "recv_q=0 send_q=70000 timer=persist timer_ms=100 probes=0 rto=200 rtt=300 rttvar=150 snd_wnd=0 "
        "last_ack_recv=100ms last_data_sent=400ms\n",
        "" },
    { "LAST_ACK that comes near the orphan limit: that is a finding of its own",
        "netns host own\nsetting net.ipv4.tcp_max_orphans 100\ncounter TCP.orphan 60\n" LAST_ACK_20
        "recv_q=1 send_q=1 timer=retransmit timer_ms=9000 retransmits=6 rto=12800 rtt=300 rttvar=150 unacked=1 "
        "last_ack_recv=40s last_data_sent=41s\n",
        "orphan-limit 60 0 critical certain\nlast-ack-unanswered 20 0 info certain\n" },

    { "copies of one worker are one owner",
        SERVER "process 961 php-fpm parent=700 command=\"php-fpm: pool www\" fds=300/1024 running=1h\n"
               "process 962 php-fpm parent=700 command=\"php-fpm: pool www\" fds=300/1024 running=1h\n"
               "conn CLOSE_WAIT 10.0.0.5:40000 10.9.9.9:5432 x30 vary=local_port " IDLE OLD "holders=961:20\n"
               "conn CLOSE_WAIT 10.0.0.5:41000 10.9.9.9:5432 x40 vary=local_port " IDLE OLD "holders=962:20\n",
        "close-wait-leak 70 962 warning certain\n" },
    { "two programs that leak to the same server are two owners",
        SERVER "process 961 one parent=700 command=one fds=300/1024 running=1h\n"
               "process 962 two parent=700 command=two fds=300/1024 running=1h\n"
               "conn CLOSE_WAIT 10.0.0.5:40000 10.9.9.9:5432 x30 vary=local_port " IDLE OLD "holders=961:20\n"
               "conn CLOSE_WAIT 10.0.0.5:41000 10.9.9.9:5432 x40 vary=local_port " IDLE OLD "holders=962:20\n",
        "close-wait-leak 40 962 warning certain\nclose-wait-leak 30 961 warning certain\n" },
    { "a service behind many addresses is one service",
        SERVER "process 961 one parent=700 fds=300/1024 running=1h\n"
               "conn CLOSE_WAIT 10.0.0.5:40000 10.9.9.9:443 x30 vary=peer_address " IDLE OLD "holders=961:20\n",
        "close-wait-leak 30 961 warning certain\n" },
    { "the end that must act is reported, the other is its proof",
        SERVER "process 970 client parent=800 fds=300/1024 running=1h\n"
               "conn CLOSE_WAIT 127.0.0.1:9100 127.0.0.1:40000 x30 " IDLE OLD "holders=812:20\n"
               "conn FIN_WAIT_2 127.0.0.1:40000 127.0.0.1:9100 x30 vary=local_port " IDLE OLD "inode=0\n",
        "close-wait-leak 30 812 warning certain\n" },
    { "a leak is only likely where the other end has half-closed and may wait for an answer",
        SERVER "process 970 client parent=800 fds=300/1024 running=1h\n"
               "conn CLOSE_WAIT 127.0.0.1:9100 127.0.0.1:40000 x30 " IDLE OLD "holders=812:20\n"
               "conn FIN_WAIT_2 127.0.0.1:40000 127.0.0.1:9100 x30 vary=local_port " IDLE OLD
               "shutdown=send holders=970:20\n",
        "close-wait-leak 30 812 warning likely\n" },
};

static void every_case_is_judged_as_expected(void **state)
{
    (void)state;
    rule_cases_check(cases, sizeof cases / sizeof *cases);
}

static void every_finding_fires_somewhere_above(void **state)
{
    (void)state;
    static const char *const ids[] = { "close-wait-leak", "close-wait-unread", "close-wait-not-accepted",
        "close-wait-inherited", "close-wait-blocked-writer", "last-ack-unanswered", "last-ack-zero-window", NULL };
    rule_cases_need(cases, sizeof cases / sizeof *cases, ids);
}

/* The facts of a finding besides its name. */
static void the_other_end_is_proof(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot,
        SERVER "process 970 client parent=800 fds=300/1024 running=1h\n"
               "conn CLOSE_WAIT 127.0.0.1:9100 127.0.0.1:40000 x30 " IDLE OLD "holders=812:20\n"
               "conn FIN_WAIT_2 127.0.0.1:40000 127.0.0.1:9100 x30 vary=local_port " IDLE OLD "holders=970:20\n");
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    const struct finding *finding = &diagnosis.findings[0];
    assert_int_equal(finding->counterpart_count, 1);
    assert_int_equal(finding->counterparts[0].process->pid, 970);
    assert_int_equal(finding->counterparts[0].count, 30);
    assert_true(finding->local.known);
    assert_int_equal(finding->local.port, 9100);
    assert_false(finding->remote.known);
    assert_int_equal(finding->oldest_ms, 600000);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void an_orphan_has_an_inferred_owner_and_a_time_left(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot,
        SERVER LAST_ACK_20
        "recv_q=1 send_q=1 timer=retransmit timer_ms=12000 retransmits=6 rto=12800 rtt=300 rttvar=150 unacked=1\n");
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    const struct finding *finding = &diagnosis.findings[0];
    assert_true(finding->owner_inferred);
    assert_int_equal(finding->owner->pid, 812);
    assert_int_equal(finding->process_count, 0);
    assert_true(finding->give_up_known);
    /*
     * 0.2 s doubling, 25.4 s in all at the next time-out but 12 s from now; 102.2 s are over at the one after next:
     * 12 + 25.6 + 51.2
     */
    assert_in_range(finding->last_give_up_ms, 88000, 90000);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

/* If all threads are in the freezer, the process is paused, whatever the threads waited for before. */
static void a_frozen_process_is_said_to_be_frozen(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot,
        "netns host own\nprocess 812 spoolsvc parent=1 fds=9/1024 threads=1 running=2d unit=spool.service\n"
        "wait 812 S channel=do_freezer_trap call=epoll_wait threads=1\n"
        "conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x5 recv_q=1 send_q=0 timer=none " OLD "holders=812:20\n");
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    assert_int_equal(diagnosis.findings[0].severity, SEVERITY_WARNING);
    assert_non_null(strstr(diagnosis.findings[0].why, "is frozen"));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void a_selection_narrows_the_findings(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct selection selection = { .states = STATE_BIT(STATE_LAST_ACK) };
    fixture_must(&snapshot,
        SERVER CLOSE_WAIT_300 IDLE OLD
        "holders=812:20\n" LAST_ACK_20
        "recv_q=1 send_q=1 timer=retransmit timer_ms=12000 retransmits=6 rto=12800 rtt=300 rttvar=150 unacked=1\n");
    diagnose(&snapshot, &selection, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    assert_string_equal(diagnosis.findings[0].id, "last-ack-unanswered");
    assert_int_equal(diagnosis.selected_count, 20);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_as_expected),
        cmocka_unit_test(every_finding_fires_somewhere_above),
        cmocka_unit_test(the_other_end_is_proof),
        cmocka_unit_test(an_orphan_has_an_inferred_owner_and_a_time_left),
        cmocka_unit_test(a_frozen_process_is_said_to_be_frozen),
        cmocka_unit_test(a_selection_narrows_the_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
