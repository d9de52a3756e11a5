/*
 * The owner that a finding names if the process waits for another server, if it is one of several similar processes, or
 * if it was not seen.
 */
#include "diagnose/diagnose.h"

#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "rule_cases.h"
#include "unit.h"

#define IDLE "recv_q=0 send_q=0 timer=none "
#define SINCE(time) "last_ack_recv=" time " last_data_sent=" time " last_data_recv=" time " "
/* Clients have closed, and the process has read that. */
#define GONE_30 "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x30 " IDLE
#define READ_30 GONE_30 SINCE("1m") "holders=812:20\n"
/* Connections to a server. */
#define TO_SERVER(state) "conn " state " 10.0.0.5:50000 10.9.0.7:8080 x30 vary=local_port " IDLE
#define ANSWERED_BEFORE "last_data_sent=1m last_data_recv=2m last_ack_recv=1m bytes_received=5000 bytes_acked=900 "
#define ASKED_ONCE "last_data_sent=119500 last_data_recv=2m last_ack_recv=119s bytes_received=0 bytes_acked=300 "
#define ONE_ON "conn ESTABLISHED 10.0.0.5:50001 10.9.0.7:22 recv_q=0 "
#define RETRANSMITS                                                                                                    \
    "timer=retransmit retransmits=7 timer_ms=9000 rto=25600 rtt=300 rttvar=150 last_data_sent=1m last_data_recv=2m "   \
    "last_ack_recv=1m holders=812:7\n"
#define MINE_TOO "holders=812:200\n"

/* Clients have closed, and their FINs are unread: a pool of three connections serves them all. */
#define UNREAD_30                                                                                                      \
    "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x30 recv_q=1 send_q=0 timer=none " SINCE("1m") "holders=812:20\n"
#define POOL(count)                                                                                                    \
    "conn ESTABLISHED 127.0.0.1:50000 127.0.0.1:5432 x" count " vary=local_port " IDLE                                 \
    "last_data_sent=1m last_data_recv=2m last_ack_recv=1m bytes_received=900 bytes_acked=900 " MINE_TOO
#define SERVERS(state, count, unread)                                                                                  \
    "process 971 postgres parent=800 fds=50/1024 state=" state " running=1h\nwait 971 S call=epoll_wait threads=1\n"   \
    "conn ESTABLISHED 127.0.0.1:5432 127.0.0.1:50000 x" count " recv_q=" unread " send_q=0 timer=none "                \
    "last_data_sent=2m last_data_recv=1m last_ack_recv=1m bytes_received=900 bytes_acked=900 holders=971:9\n"

static const struct rule_case cases[] = {
    /* A pool: fewer connections further on than clients */
    { "all connections of a pool wait for a server that is stopped: its clients are cited there",
        SERVER UNREAD_30 POOL("3") SERVERS("T", "3", "14"), "established-unread 3 971 warning certain\n" },
    { "the server has read everything: the pool is no excuse", SERVER UNREAD_30 POOL("3") SERVERS("S", "3", "0"),
        "close-wait-unread 30 812 warning certain\n" },
    { "one connection of the pool is free",
        SERVER UNREAD_30 POOL("3")
            SERVERS("T", "3", "14") "conn ESTABLISHED 10.0.0.5:50009 10.9.0.7:5432 " IDLE
                                    "last_data_sent=2m last_data_recv=1m last_ack_recv=1m bytes_received=9 "
                                    "bytes_acked=9 " MINE_TOO,
        "close-wait-unread 30 812 warning certain\nestablished-unread 3 971 warning certain\n" },
    { "the FINs were read: who leaks is not excused by three connections to a stopped server",
        SERVER READ_30 POOL("3") SERVERS("T", "3", "14"),
        "close-wait-leak 30 812 warning likely\nestablished-unread 3 971 warning certain\n" },

    /* A proxy: on as many connections it waits for an answer of a server */
    { "a proxy whose clients have given up before its server has answered",
        SERVER READ_30 TO_SERVER("ESTABLISHED") ANSWERED_BEFORE MINE_TOO, "close-wait-leak 30 812 warning likely\n" },
    { "the server has never said a word: whether it owes an answer is a guess, and the number counts all the same",
        SERVER READ_30 TO_SERVER("ESTABLISHED") ASKED_ONCE MINE_TOO, "close-wait-leak 30 812 warning possible\n" },
    { "a relay of log lines sends more and more, and nobody ever answers: it leaks",
        SERVER GONE_30 SINCE("1m") "bytes_received=301 bytes_acked=0 holders=812:20\n" TO_SERVER(
            "ESTABLISHED") "last_data_sent=1m last_data_recv=30m last_ack_recv=1m bytes_received=0 "
                           "bytes_acked=900 " MINE_TOO,
        "close-wait-leak 30 812 warning likely\n" },
    { "a relay that has sent one line: a guess, and no reason to say it softly",
        SERVER GONE_30 SINCE("30s") "bytes_received=301 bytes_acked=0 holders=812:20\n" TO_SERVER("ESTABLISHED")
            ASKED_ONCE MINE_TOO,
        "close-wait-leak 30 812 warning possible\n" },
    { "its collector was seen: it has read everything and waits for more",
        SERVER GONE_30 SINCE(
            "20m") "holders=812:20\n"
                   "process 971 collector parent=800 fds=50/1024 state=S running=1h\n"
                   "wait 971 S call=epoll_wait threads=1\nconn ESTABLISHED 127.0.0.1:50000 127.0.0.1:8080 x30 "
                   "vary=local_port " IDLE
                   "last_data_sent=20m last_data_recv=21m last_ack_recv=20m bytes_received=9 bytes_acked=900 " MINE_TOO
                   "conn ESTABLISHED 127.0.0.1:8080 127.0.0.1:50000 x30 " IDLE
                   "last_data_sent=21m last_data_recv=20m last_ack_recv=20m bytes_received=900 bytes_acked=9 "
                   "holders=971:9\n",
        "close-wait-leak 30 812 warning certain\n" },
    { "the same collector is stopped: that is plain",
        SERVER GONE_30 SINCE(
            "20m") "holders=812:20\n"
                   "process 971 collector parent=800 fds=50/1024 state=T running=1h\n"
                   "conn ESTABLISHED 127.0.0.1:50000 127.0.0.1:8080 x30 vary=local_port " IDLE
                   "last_data_sent=20m last_data_recv=21m last_ack_recv=20m bytes_received=9 bytes_acked=900 " MINE_TOO
                   "conn ESTABLISHED 127.0.0.1:8080 127.0.0.1:50000 x30 " IDLE
                   "last_data_sent=21m last_data_recv=20m last_ack_recv=20m bytes_received=900 bytes_acked=9 "
                   "holders=971:9\n",
        "close-wait-leak 30 812 warning likely\n" },

    /* One connection to the next server carries the data of all clients */
    { "ssh -L whose connection nobody acknowledges: that is the cause, and the clients are cited there",
        SERVER GONE_30 SINCE("1m") "holders=812:20\n" ONE_ON "send_q=9000 " RETRANSMITS,
        "established-unanswered 1 812 warning certain\n" },
    { "the same behind a window of zero",
        SERVER GONE_30 SINCE(
            "6m") "holders=812:20\n" ONE_ON
                  "send_q=90000 timer=persist snd_wnd=0 timer_ms=9000 last_data_sent=6m last_ack_recv=3s "
                  "last_data_recv=7m "
                  "holders=812:7\n",
        "established-zero-window 1 812 warning certain\n" },
    { "it has another way on, which is open: the stuck one does not explain them",
        SERVER GONE_30 SINCE("20m") "holders=812:20\n" ONE_ON "send_q=9000 " RETRANSMITS
                                    "conn ESTABLISHED 10.0.0.5:50002 10.9.0.8:22 " IDLE
                                    "last_data_sent=2s last_data_recv=1s last_ack_recv=1s "
                                    "holders=812:8\n",
        "close-wait-leak 30 812 warning certain\nestablished-unanswered 1 812 info certain\n" },
    { "a client of its own service that takes nothing is no way on",
        SERVER GONE_30 SINCE(
            "20m") "holders=812:20\nconn ESTABLISHED 10.0.0.5:9100 10.1.9.9:40000 recv_q=0 send_q=9000 " RETRANSMITS,
        "close-wait-leak 30 812 warning certain\nestablished-unanswered 1 812 info certain\n" },
    { "clients of another service of the same process that take nothing are no way on either",
        SERVER GONE_30 SINCE(
            "20m") "holders=812:20\nconn LISTEN *:9200 recv_q=0 send_q=128 holders=812:5\n"
                   "conn ESTABLISHED 10.0.0.5:9200 10.1.9.9:40000 x30 recv_q=0 send_q=9000 " RETRANSMITS,
        "close-wait-leak 30 812 warning certain\nestablished-unanswered 30 812 warning certain\n" },
    { "HAProxy passes the half-close on to a server that hangs: the server is the finding",
        SERVER GONE_30 SINCE(
            "1m") "holders=812:20\n"
                  "process 971 backend parent=800 fds=50/1024 state=T running=1h\n"
                  "conn FIN_WAIT_2 127.0.0.1:50000 127.0.0.1:8080 x30 vary=local_port " IDLE SINCE(
                      "1m") "shutdown=send " MINE_TOO
                            "conn CLOSE_WAIT 127.0.0.1:8080 127.0.0.1:50000 x30 recv_q=300 send_q=0 timer=none " SINCE(
                                "1m") "holders=971:9\n",
        "close-wait-unread 30 971 warning certain\n" },
    { "the same, and it has not looked at its clients meanwhile",
        SERVER GONE_30 "x30 recv_q=1 " SINCE("6m") "holders=812:20\n" TO_SERVER(
            "ESTABLISHED") "last_data_sent=6m last_data_recv=7m last_ack_recv=6m " MINE_TOO,
        "close-wait-unread 30 812 warning likely\n" },
    { "a tunnel that has passed the half-close on: its server may be at work",
        SERVER READ_30 TO_SERVER("FIN_WAIT_2") SINCE("1m") "shutdown=send " MINE_TOO,
        "close-wait-leak 30 812 info likely\nfin-wait-2-held 30 812 info likely\n" },
    { "for long: the server is to be looked at, not a leak found",
        SERVER GONE_30 SINCE("20m") "holders=812:20\n" TO_SERVER("FIN_WAIT_2") SINCE("20m") "shutdown=send " MINE_TOO,
        "close-wait-leak 30 812 warning likely\nfin-wait-2-held 30 812 info certain\n" },
    { "a leak beside a pool whose server has answered everything",
        SERVER GONE_30 SINCE("20m") "holders=812:20\n" TO_SERVER(
            "ESTABLISHED") "last_data_sent=20m last_data_recv=10m last_ack_recv=10m " MINE_TOO,
        "close-wait-leak 30 812 warning certain\n" },
    { "both ends are seen: the client waits for an answer, its descriptor is open",
        SERVER "process 970 client parent=800 fds=300/1024 running=1h\n"
               "conn CLOSE_WAIT 127.0.0.1:9100 127.0.0.1:40000 x30 " IDLE SINCE(
                   "1m") "holders=812:20\n"
                         "conn FIN_WAIT_2 127.0.0.1:40000 127.0.0.1:9100 x30 vary=local_port " IDLE SINCE(
                             "1m") "shutdown=send holders=970:20\n",
        "close-wait-leak 30 812 info likely\n" },

    { "an HTTP/2 server has not answered: one connection to it may carry the requests of all",
        SERVER GONE_30 SINCE("20m") "holders=812:20\n"
                                    "conn ESTABLISHED 10.0.0.5:50000 10.9.0.7:8080 " IDLE
                                    "last_data_sent=10s last_data_recv=20m last_ack_recv=10s " MINE_TOO,
        "close-wait-leak 30 812 warning likely\n" },
    { "one connection cannot carry the requests of as many: a leak",
        SERVER "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x300 " IDLE SINCE(
            "20m") "holders=812:20\n"
                   "conn ESTABLISHED 10.0.0.5:50000 10.9.0.7:8080 " IDLE
                   "last_data_sent=10s last_data_recv=20m last_ack_recv=10s holders=812:2000\n",
        "close-wait-leak 300 812 critical certain\n" },

    /* The peer may have shut down only its sending side, to wait for an answer */
    { "a request without an answer, for seconds: the process may be at work on it",
        SERVER GONE_30 SINCE("20s") "bytes_received=301 bytes_acked=0 holders=812:20\n",
        "close-wait-leak 30 812 info likely\n" },
    { "for long: worth a warning, and still not certain",
        SERVER GONE_30 SINCE("20m") "bytes_received=301 bytes_acked=0 holders=812:20\n",
        "close-wait-leak 30 812 warning likely\n" },
    { "so many that descriptors are at risk, for whatever reason",
        SERVER "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x300 " IDLE SINCE(
            "20m") "bytes_received=301 bytes_acked=0 holders=812:20\n",
        "close-wait-leak 300 812 critical likely\n" },
    { "answered, and then closed by the peer: nobody waits",
        SERVER GONE_30 SINCE("20m") "bytes_received=301 bytes_acked=9000 holders=812:20\n",
        "close-wait-leak 30 812 warning certain\n" },
    { "nothing was asked", SERVER GONE_30 SINCE("20m") "bytes_received=1 bytes_acked=0 holders=812:20\n",
        "close-wait-leak 30 812 warning certain\n" },
    { "an older kernel counts no bytes: who spoke last tells",
        SERVER GONE_30 "last_ack_recv=20m last_data_sent=30m last_data_recv=20m holders=812:20\n",
        "close-wait-leak 30 812 warning likely\n" },
    { "the peer was on this host and is gone",
        SERVER "conn CLOSE_WAIT 127.0.0.1:9100 127.0.0.1:40000 x30 " IDLE SINCE(
            "20m") "bytes_received=301 bytes_acked=0 holders=812:20\n",
        "close-wait-leak 30 812 warning certain\n" },
    { "a pool's server has closed: it waits for nothing",
        SERVER "conn CLOSE_WAIT 10.0.0.5:50000 10.9.0.7:443 x30 vary=local_port " IDLE SINCE(
            "20m") "bytes_received=301 bytes_acked=0 " MINE_TOO,
        "close-wait-leak 30 812 warning certain\n" },

    /* What cannot be passed on is not read */
    { "a server's data lies unread because the clients do not take it",
        SERVER
        "conn ESTABLISHED 10.0.0.5:9100 10.1.2.3:40000 x30 recv_q=0 send_q=90000 timer=persist snd_wnd=0 "
        "timer_ms=9000 last_data_sent=6m last_ack_recv=3s last_data_recv=7m holders=812:20\n"
        "conn ESTABLISHED 10.0.0.5:50000 10.9.0.7:8080 x30 vary=local_port recv_q=900000 send_q=0 timer=none " SINCE(
            "6m") MINE_TOO,
        "established-zero-window 30 812 warning certain\nestablished-unread 30 812 info likely\n" },
    { "nobody keeps it from reading",
        SERVER
        "conn ESTABLISHED 10.0.0.5:50000 10.9.0.7:8080 x30 vary=local_port recv_q=900000 send_q=0 timer=none " SINCE(
            "6m") MINE_TOO,
        "established-unread 30 812 warning likely\n" },

    /* Idle pools */
    { "a pool that the server has closed is used up by its next use: no warning",
        SERVER "conn CLOSE_WAIT 10.0.0.5:50000 10.9.0.7:443 x30 vary=local_port recv_q=25 send_q=0 timer=none " SINCE(
            "20m") MINE_TOO,
        "close-wait-unread 30 812 info certain\n" },
    { "session tickets in a pool whose threads all rest",
        SERVER "process 901 java parent=800 fds=90/1024 threads=4 state=S running=1d\nwait 901 S call=futex threads=4\n"
               "conn ESTABLISHED 10.0.0.5:50000 10.9.0.7:443 x3 vary=local_port recv_q=510 send_q=0 timer=none " SINCE(
                   "20m") "holders=901:200\n",
        "established-unread 3 901 info likely\n" },
    { "a stream that nobody reads because all threads hang",
        SERVER
        "process 901 java parent=800 fds=90/1024 threads=4 state=S running=1d\nwait 901 S call=futex threads=4\n"
        "conn ESTABLISHED 10.0.0.5:50000 10.9.0.7:443 x3 vary=local_port recv_q=90000 send_q=0 timer=none " SINCE(
            "20m") "holders=901:200\n",
        "established-unread 3 901 warning likely\n" },

    /* The holders */
    { "a script that inetd started and what it runs have the connection on purpose: not inherited by accident",
        SERVER "process 920 sh parent=812 fds=3/1024 running=1h command=\"sh -c work\"\n"
               "process 921 work parent=920 fds=3/1024 running=1h command=\"work\"\n"
               "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 " IDLE SINCE("20m") "holders=920:0,921:0\n",
        "close-wait-leak 1 920 info certain\n" },
    { "a child has it as descriptor 0, its parent has not closed its own",
        SERVER "process 920 work parent=812 fds=3/1024 running=1h command=\"work\"\n"
               "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 " IDLE SINCE("20m") "holders=812:9,920:0\n",
        "close-wait-inherited 1 812 info certain\n" },
    { "somebody holds them who was not seen: who listens is not accused",
        SERVER "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x30 inode=77 " IDLE SINCE("20m") "\n",
        "close-wait-leak 30 0 warning likely\n" },
    { "backends that show in their title what they do are one story",
        SERVER
        "process 930 postgres parent=800 fds=30/1024 running=1h command=\"postgres: app db 10.1.2.3(40000) SELECT\"\n"
        "process 931 postgres parent=800 fds=30/1024 running=1h command=\"postgres: app db 10.1.2.3(40001) idle\"\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 recv_q=1 send_q=0 timer=none " SINCE(
            "20m") "holders=930:9\n"
                   "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40001 recv_q=1 send_q=0 timer=none " SINCE(
                       "20m") "holders=931:9\n",
        "close-wait-unread 2 930 info certain\n" },
    { "one of several workers is stopped: that is what there is to do",
        SERVER "process 940 worker parent=800 fds=30/1024 state=S running=1h command=\"worker\"\n"
               "wait 940 S call=epoll_wait threads=1\n"
               "process 941 worker parent=800 fds=30/1024 state=T running=1h command=\"worker\"\n"
               "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x2 recv_q=1 send_q=0 timer=none " SINCE(
                   "20m") "holders=940:9\n"
                          "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:41000 recv_q=1 send_q=0 timer=none " SINCE(
                              "20m") "holders=941:9\n",
        "close-wait-unread 3 940 warning certain\n" },
    { "half-open at a listener that drops and whose queue is full at the moment: the path is not accused aloud",
        SERVER "conn LISTEN *:9200 recv_q=64 send_q=64 skmem_drops=70 holders=812:4\n"
               "conn SYN_RECEIVED 10.0.0.5:9200 10.1.2.3:40000 x32 retransmits=4 timer=retransmit timer_ms=9000\n",
        "syn-recv-unanswered 32 812 info possible\n" },
    { "frozen where the kernel calls the place get_signal()",
        SERVER
        "process 901 held parent=800 fds=9/1024 threads=4 state=S running=1d\n"
        "wait 901 S channel=get_signal threads=4\nconn LISTEN *:9300 recv_q=0 send_q=8 holders=901:3\n"
        "conn CLOSE_WAIT 10.0.0.5:9300 10.1.2.3:40000 x3 recv_q=1 send_q=0 timer=none " SINCE("20m") "holders=901:20\n",
        "close-wait-unread 3 901 warning certain\n" },
};

static void every_case_is_judged_as_expected(void **state)
{
    (void)state;
    rule_cases_check(cases, sizeof cases / sizeof *cases);
}

static void is_at_fault(const char *host, const char *id, enum fault fault, const char *title)
{
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot, host);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    size_t at = 0;
    while (at < diagnosis.finding_count && strcmp(diagnosis.findings[at].id, id) != 0)
        at++;
    assert_true(at < diagnosis.finding_count);
    const struct finding *found = &diagnosis.findings[at];
    assert_int_equal(found->fault, fault);
    assert_non_null(strstr(found->title, title));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void the_server_behind_a_proxy_is_at_fault(void **state)
{
    (void)state;
    is_at_fault(SERVER READ_30 TO_SERVER("ESTABLISHED") ANSWERED_BEFORE MINE_TOO, "close-wait-leak",
        FAULT_PEER_APPLICATION, "while it waits for 10.9.0.7:8080");
    is_at_fault(SERVER READ_30 TO_SERVER("ESTABLISHED") ASKED_ONCE MINE_TOO, "close-wait-leak", FAULT_LOCAL_APPLICATION,
        "spoolsvc (pid 812) has not closed 30");
    is_at_fault(SERVER READ_30, "close-wait-leak", FAULT_LOCAL_APPLICATION, "spoolsvc (pid 812) has not closed 30");
}

static void who_takes_nothing_is_at_fault_for_what_lies_unread(void **state)
{
    (void)state;
    is_at_fault(SERVER
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x30 recv_q=0 send_q=90000 timer=retransmit "
        "retransmits=7 timer_ms=9000 rto=25600 rtt=300 rttvar=150 " SINCE(
            "6m") "holders=812:20\n"
                  "conn ESTABLISHED 10.0.0.5:50000 10.9.0.7:8080 x30 vary=local_port recv_q=900000 send_q=0 "
                  "timer=none " SINCE("6m") MINE_TOO,
        "established-unread", FAULT_PEER_APPLICATION, "it cannot pass on what it has");
}

static void says(const char *host, const char *id, const char *evidence, bool expected)
{
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot, host);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_string_equal(diagnosis.findings[0].id, id);
    bool found = false;
    for (size_t i = 0; i < diagnosis.findings[0].evidence.count; i++)
        found |= strstr(diagnosis.findings[0].evidence.items[i], evidence) != NULL;
    assert_int_equal(found, expected);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

#define WORKERS                                                                                                        \
    "netns host own\nprocess 930 app parent=1 fds=30/1024 running=1h command=\"app\"\n"                                \
    "process 931 app parent=930 fds=30/1024 running=1h command=\"app\"\n"                                              \
    "process 932 app parent=930 fds=30/1024 running=1h command=\"app\"\n"                                              \
    "conn LISTEN *:9100 recv_q=30 send_q=128 holders=930:3,931:3,932:3\n"                                              \
    "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x30 recv_q=1 send_q=0 timer=none inode=0 " SINCE("1m") "\n"
#define TO_DATABASE "conn ESTABLISHED 10.0.0.5:50000 10.9.0.7:5432 x2 vary=local_port " IDLE

static void a_queue_is_not_emptied_because_all_workers_wait(void **state)
{
    (void)state;
    says(WORKERS TO_DATABASE "last_data_sent=1m last_data_recv=2m last_ack_recv=1m holders=931:9\n",
        "close-wait-not-accepted", "nothing has come back, to 10.9.0.7:5432", true);
    says(WORKERS TO_DATABASE "last_data_sent=2m last_data_recv=1m last_ack_recv=1m holders=931:9\n",
        "close-wait-not-accepted", "nothing has come back", false);
    says(WORKERS, "close-wait-not-accepted", "3 processes have the listener open", true);
}

static void what_follows_is_cited_at_its_cause(void **state)
{
    (void)state;
    says(SERVER GONE_30 SINCE("1m") "holders=812:20\n" ONE_ON "send_q=9000 " RETRANSMITS, "established-unanswered",
        "keeps 30 connections on port 9100 in CLOSE_WAIT", true);
}

static void a_handshake_may_be_left_over_from_a_full_queue(void **state)
{
    (void)state;
    static const char half_open[] = "conn SYN_RECEIVED 10.0.0.5:9200 10.1.2.3:40000 retransmits=4 timer=retransmit "
                                    "timer_ms=9000\n";
    char host[2048];
    snprintf(
        host, sizeof host, SERVER "conn LISTEN *:9200 recv_q=0 send_q=64 skmem_drops=70 holders=812:4\n%s", half_open);
    says(host, "syn-recv-unanswered", "their answer was dropped here", true);
    snprintf(
        host, sizeof host, SERVER "conn LISTEN *:9200 recv_q=0 send_q=64 skmem_drops=0 holders=812:4\n%s", half_open);
    says(host, "syn-recv-unanswered", "their answer was dropped here", false);
    /* A SYN that the client repeats counts in sk_drops too. */
    snprintf(
        host, sizeof host, SERVER "conn LISTEN *:9200 recv_q=0 send_q=64 skmem_drops=4 holders=812:4\n%s", half_open);
    says(host, "syn-recv-unanswered", "their answer was dropped here", false);
}

/* Neither counter says how many attempts one listener has dropped. Both together say how many at most. */
static void what_a_listener_has_dropped_is_never_said_too_high(void **state)
{
    (void)state;
    static const struct {
        const char *counter, *drops, *said;
    } counters[] = {
        { "", "70", "at most 70 connection attempts since it was opened: its own counter (sk_drops) also counts" },
        { "counter TcpExt.ListenDrops 20\n", "70",
            "at most 20 connection attempts since it was opened: all listeners" },
        { "counter TcpExt.ListenDrops 900\n", "70", "together have dropped 900 (ListenDrops)" },
        { "counter TcpExt.ListenDrops 70\n", "70", "(sk_drops and ListenDrops agree)" },
    };
    char host[2048];
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        snprintf(host, sizeof host,
            SERVER "%sconn LISTEN *:9200 recv_q=65 send_q=64 skmem_drops=%s holders=812:4\n"
                   "conn ESTABLISHED 10.0.0.5:9200 10.1.2.3:40000 x65 recv_q=5 send_q=0 inode=0 last_data_sent=60s "
                   "last_data_recv=60s last_ack_recv=60s\n",
            counters[i].counter, counters[i].drops);
        says(host, "accept-queue-overflow", counters[i].said, true);
    }
}

static void copies_share_a_title(void **state)
{
    (void)state;
    is_at_fault(SERVER
        "process 940 worker parent=800 fds=30/1024 state=S running=1h command=\"worker\"\n"
        "process 941 worker parent=800 fds=30/1024 state=S running=1h command=\"worker\"\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x20 " IDLE SINCE(
            "20m") "holders=940:9\n"
                   "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:41000 x20 " IDLE SINCE("20m") "holders=941:9\n",
        "close-wait-leak", FAULT_LOCAL_APPLICATION, "worker (pid 940 and 1 more) has not closed 40 connections");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_as_expected),
        cmocka_unit_test(the_server_behind_a_proxy_is_at_fault),
        cmocka_unit_test(who_takes_nothing_is_at_fault_for_what_lies_unread),
        cmocka_unit_test(a_queue_is_not_emptied_because_all_workers_wait),
        cmocka_unit_test(what_follows_is_cited_at_its_cause),
        cmocka_unit_test(a_handshake_may_be_left_over_from_a_full_queue),
        cmocka_unit_test(what_a_listener_has_dropped_is_never_said_too_high),
        cmocka_unit_test(copies_share_a_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
