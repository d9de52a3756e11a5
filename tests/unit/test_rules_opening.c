/*
 * Findings about connections that open, wait to be accepted or are open, and about the resources that they use. The two
 * hosts of a pair differ only in the fact that decides.
 */
#include "diagnose/diagnose.h"

#include <string.h>

#include "fixture.h"
#include "rule_cases.h"
#include "unit.h"

#define HOST                                                                                                           \
    "netns host own\n"                                                                                                 \
    "setting net.ipv4.ip_local_port_range 32768 60999\n"                                                               \
    "setting net.ipv4.tcp_syn_retries 6\nsetting net.ipv4.tcp_syn_linear_timeouts 4\n"                                 \
    "setting net.ipv4.tcp_synack_retries 5\nsetting net.ipv4.tcp_retries2 15\nsetting net.core.somaxconn 4096\n"       \
    "process 800 systemd parent=0 running=9d\n"                                                                        \
    "process 812 server parent=800 fds=900/20000 state=S running=2d\n"                                                 \
    "wait 812 S channel=ep_poll call=epoll_wait threads=1\n"                                                           \
    "process 900 client parent=800 fds=400/20000 state=S running=2d\n"                                                 \
    "wait 900 S channel=ep_poll call=epoll_wait threads=1\n"
#define LISTENING HOST "conn LISTEN *:80 recv_q=0 send_q=128 skmem_drops=0 holders=812:3\n"
#define FULL HOST "conn LISTEN *:80 recv_q=11 send_q=10 skmem_drops=70 holders=812:3\n"
#define NGINX                                                                                                          \
    "netns host own\nprocess 10 nginx parent=1 fds=9/1024 running=2d\n"                                                \
    "process 11 nginx parent=10 fds=9/1024 running=2d\nprocess 12 nginx parent=10 fds=9/1024 state=T running=2d\n"
#define STOPPED "process 901 held parent=800 fds=9/1024 state=T running=1d\n"

#define SYN "conn SYN_SENT 10.0.0.5:40000 10.9.9.9:443 "
#define SYN_MINE "vary=local_port recv_q=0 send_q=1 timer=retransmit holders=900:20 "
#define HALF "conn SYN_RECEIVED 10.0.0.5:80 10.1.0.1:50000 "
#define SILENT "conn ESTABLISHED 10.0.0.5:80 10.1.0.1:50000 x20 vary=peer_address recv_q=0 send_q=0 timer=none "
#define WAITING "conn ESTABLISHED 10.0.0.5:80 10.1.0.1:50000 x11 vary=peer_address recv_q=70 send_q=0 timer=none "
#define OPEN "conn ESTABLISHED 10.0.0.5:80 10.1.0.1:50000 "
#define PATH "rto=204 rtt=300 rttvar=150 "
#define BACKED_OFF "rto=13056 rtt=300 rttvar=150 "
#define QUIET_FOR(time) "last_data_sent=" time " last_data_recv=" time " last_ack_recv=" time " "
#define MINE "holders=812:100\n"

static const struct rule_case cases[] = {
    /* SYN_SENT */
    { "SYNs that nobody answers", HOST SYN "x20 " SYN_MINE "retransmits=6 timer_ms=3000\n",
        "syn-sent-unanswered 20 900 warning certain\n" },
    { "very many of them", HOST SYN "x300 " SYN_MINE "retransmits=8 timer_ms=3000\n",
        "syn-sent-unanswered 300 900 critical certain\n" },
    { "one of them is a finding, not a reason to wake anybody", HOST SYN SYN_MINE "retransmits=4 timer_ms=500\n",
        "syn-sent-unanswered 1 900 info certain\n" },
    { "connections that begin: the SYN is on its way", HOST SYN "x500 " SYN_MINE "retransmits=0 timer_ms=990\n", "" },
    { "a lost SYN", HOST SYN "x500 " SYN_MINE "retransmits=1 timer_ms=300\n", "" },
    { "a crawler that meets silent hosts, while others answer",
        HOST
        "conn SYN_SENT 10.0.0.5:40000 10.9.0.1:443 x60 vary=peer_address recv_q=0 send_q=1 timer=retransmit "
        "retransmits=3 timer_ms=500 holders=900:20\n"
        "conn ESTABLISHED 10.0.0.5:50000 10.8.0.1:443 x60 vary=peer_address recv_q=0 send_q=0 timer=none " QUIET_FOR(
            "1s") "holders=900:200\n",
        "syn-sent-unanswered 60 900 info certain\n" },

    /* SYN_RECEIVED */
    { "half-open: the SYN-ACK does not arrive", LISTENING HALF "x5 retransmits=4 timer=retransmit timer_ms=9000\n",
        "syn-recv-unanswered 5 812 info certain\n" },
    { "the busy moment of a fast server: half-open, all young",
        LISTENING HALF "x120 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n", "",
        .wants_rates = true },
    { "the same far from the backlog: nothing more has to be read",
        LISTENING HALF "x100 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n", "" },
    { "a busy moment beyond the backlog: the clients' cookies come back",
        LISTENING "counter TcpExt.TCPReqQFullDoCookies 900\ncounter TcpExt.SyncookiesRecv 850\n" HALF
                  "x129 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n",
        "",
        .previous = "netns host own\ncounter TcpExt.TCPReqQFullDoCookies 100\ncounter TcpExt.SyncookiesRecv 100\n" },
    { "slow but honest clients: some need a second SYN-ACK",
        LISTENING HALF "x118 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n"
                       "conn SYN_RECEIVED 10.0.0.5:80 10.2.0.1:50000 x8 vary=peer_address retransmits=1 "
                       "timer=retransmit timer_ms=1500\n",
        "", .wants_rates = true },
    { "a steady flood: more than half are young, since the kernel drops the old ones first",
        LISTENING HALF "x79 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n"
                       "conn SYN_RECEIVED 10.0.0.5:80 10.2.0.1:50000 x50 vary=peer_address retransmits=3 "
                       "timer=retransmit timer_ms=1500\n",
        "syn-recv-flood 129 812 warning likely\n", .wants_rates = true },
    { "the same while the second reading finds none beyond the queue: it just fits in",
        LISTENING "counter TcpExt.TCPReqQFullDoCookies 9\ncounter TcpExt.TCPReqQFullDrop 0\n" HALF
                  "x79 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n"
                  "conn SYN_RECEIVED 10.0.0.5:80 10.2.0.1:50000 x50 vary=peer_address retransmits=3 "
                  "timer=retransmit timer_ms=1500\n",
        "syn-recv-flood 129 812 warning likely\n",
        .previous = "netns host own\ncounter TcpExt.TCPReqQFullDoCookies 9\ncounter TcpExt.TCPReqQFullDrop 0\n" },
    { "a flood of this second: all young, and no cookie comes back",
        LISTENING "counter TcpExt.TCPReqQFullDoCookies 9000\ncounter TcpExt.SyncookiesRecv 110\n" HALF
                  "x128 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n",
        "syn-recv-flood 128 812 warning certain\n",
        .previous = "netns host own\ncounter TcpExt.TCPReqQFullDoCookies 4000\ncounter TcpExt.SyncookiesRecv 100\n" },
    { "between two waves in which the kernel drops old ones: it has been full",
        LISTENING "counter TcpExt.TCPReqQFullDoCookies 4000\n" HALF
                  "x30 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n"
                  "conn SYN_RECEIVED 10.0.0.5:80 10.2.0.1:50000 x70 vary=peer_address retransmits=2 "
                  "timer=retransmit timer_ms=1500\n",
        "syn-recv-flood 100 812 warning likely\n", .wants_rates = true },
    { "the same of a queue that has never been full",
        LISTENING "counter TcpExt.TCPReqQFullDoCookies 0\n" HALF
                  "x30 vary=peer_address retransmits=0 timer=retransmit timer_ms=990\n"
                  "conn SYN_RECEIVED 10.0.0.5:80 10.2.0.1:50000 x70 vary=peer_address retransmits=2 "
                  "timer=retransmit timer_ms=1500\n",
        "" },
    { "few addresses, and half of theirs young: clients whom the answers may not reach",
        LISTENING HALF
        "x79 retransmits=0 timer=retransmit timer_ms=990\n"
        "conn SYN_RECEIVED 10.0.0.5:80 10.2.0.1:50000 x50 retransmits=4 timer=retransmit timer_ms=1500\n",
        "syn-recv-unanswered 50 812 warning certain\n", .wants_rates = true },
    { "a lost SYN-ACK or two", LISTENING HALF "x40 vary=peer_address retransmits=2 timer=retransmit timer_ms=3000\n",
        "" },
    { "a flood, as far as one reading tells",
        LISTENING HALF "x128 vary=peer_address retransmits=1 timer=retransmit timer_ms=1500\n",
        "syn-recv-flood 128 812 warning likely\n", .wants_rates = true },
    { "a flood that is answered with cookies",
        LISTENING "counter TcpExt.TCPReqQFullDoCookies 9000\ncounter TcpExt.TCPReqQFullDrop 0\n" HALF
                  "x128 vary=peer_address retransmits=1 timer=retransmit timer_ms=1500\n",
        "syn-recv-flood 128 812 warning certain\n",
        .previous = "netns host own\ncounter TcpExt.TCPReqQFullDoCookies 4000\ncounter TcpExt.TCPReqQFullDrop 0\n" },
    { "a flood without cookies: real clients are turned away",
        LISTENING "setting net.ipv4.tcp_syncookies 0\ncounter TcpExt.TCPReqQFullDoCookies 0\n"
                  "counter TcpExt.TCPReqQFullDrop 700\n" HALF
                  "x128 vary=peer_address retransmits=1 timer=retransmit timer_ms=1500\n",
        "syn-recv-flood 128 812 critical certain\n",
        .previous = "netns host own\ncounter TcpExt.TCPReqQFullDoCookies 0\ncounter TcpExt.TCPReqQFullDrop 4\n" },
    { "the queue was full, and nothing more comes",
        LISTENING "counter TcpExt.TCPReqQFullDoCookies 9\ncounter TcpExt.TCPReqQFullDrop 0\n" HALF
                  "x128 vary=peer_address retransmits=1 timer=retransmit timer_ms=1500\n",
        "syn-recv-flood 128 812 info possible\n",
        .previous = "netns host own\ncounter TcpExt.TCPReqQFullDoCookies 9\ncounter TcpExt.TCPReqQFullDrop 0\n" },
    { "real clients come through by their cookies: the backlog is small for them",
        LISTENING "counter TcpExt.TCPReqQFullDoCookies 900\ncounter TcpExt.SyncookiesRecv 850\n" HALF
                  "x128 vary=peer_address retransmits=1 timer=retransmit timer_ms=1500\n",
        "syn-recv-flood 128 812 warning possible\n",
        .previous = "netns host own\ncounter TcpExt.TCPReqQFullDoCookies 100\ncounter TcpExt.SyncookiesRecv 100\n" },

    /* LISTEN */
    { "the queue is full, and the first in it waits for long", FULL WAITING "inode=0 " QUIET_FOR("40s") "\n",
        "accept-queue-overflow 11 812 critical certain\n", .wants_rates = true },
    { "the queue is full: the process keeps up, but barely", FULL WAITING "inode=0 " QUIET_FOR("2s") "\n",
        "accept-queue-overflow 11 812 warning certain\n", .wants_rates = true },
    { "the queue is full for a moment", FULL WAITING "inode=0 " QUIET_FOR("4ms") "\n", "", .wants_rates = true },
    { "the queue is full for moments, and every time it drops",
        FULL "counter TcpExt.ListenOverflows 90\n" WAITING "inode=0 " QUIET_FOR("4ms") "\n",
        "accept-queue-overflow 11 812 warning certain\n",
        .previous = "netns host own\ncounter TcpExt.ListenOverflows 50\n" },
    { "the queue is full for a moment, and drops nothing",
        FULL "counter TcpExt.ListenOverflows 90\n" WAITING "inode=0 " QUIET_FOR("4ms") "\n", "",
        .previous = "netns host own\ncounter TcpExt.ListenOverflows 90\n" },
    { "as many as the backlog are not more than the backlog",
        HOST "conn LISTEN *:80 recv_q=10 send_q=10 holders=812:3\n" WAITING "inode=0 " QUIET_FOR("4ms") "\n", "" },
    { "what waits for a full queue is its proof: SYNs, half-open ones, data in vain",
        FULL WAITING "inode=0 " QUIET_FOR(
            "40s") "\n" HALF "x4 retransmits=5 timer=retransmit timer_ms=9000\n"
                   "conn SYN_SENT 10.0.0.5:40000 10.0.0.5:80 x7 " SYN_MINE "retransmits=5 timer_ms=500\n"
                   "conn ESTABLISHED 10.0.0.5:41000 10.0.0.5:80 x3 vary=local_port recv_q=0 send_q=90 timer=retransmit "
                   "retransmits=6 timer_ms=9000 " BACKED_OFF QUIET_FOR("20s") "holders=900:50\n",
        "accept-queue-overflow 11 812 critical certain\n", .wants_rates = true },
    { "the same of a listener that peers have given up on: one finding",
        FULL
        "conn CLOSE_WAIT 10.0.0.5:80 10.1.0.1:50000 x9 vary=peer_address recv_q=71 send_q=0 timer=none "
        "inode=0 " QUIET_FOR(
            "10m") "\n"
                   "conn ESTABLISHED 10.0.0.5:80 10.2.0.1:50000 x2 vary=peer_address recv_q=70 send_q=0 timer=none "
                   "inode=0 " QUIET_FOR("10m") "\n"
                                               "conn SYN_SENT 10.0.0.5:40000 10.0.0.5:80 x7 " SYN_MINE
                                               "retransmits=5 timer_ms=500\n",
        "close-wait-not-accepted 9 812 critical certain\n" },
    { "SYNs to the same port of another host are not that listener's",
        FULL WAITING "inode=0 " QUIET_FOR("40s") "\n"
                                                 "conn SYN_SENT 10.0.0.5:40000 10.9.9.9:80 x7 " SYN_MINE
                                                 "retransmits=5 timer_ms=500\n",
        "accept-queue-overflow 11 812 critical certain\nsyn-sent-unanswered 7 900 warning certain\n",
        .wants_rates = true },

    /* ESTABLISHED: unanswered */
    { "data that nobody acknowledges",
        LISTENING OPEN
        "x12 recv_q=0 send_q=900 timer=retransmit retransmits=6 timer_ms=9000 " BACKED_OFF QUIET_FOR("13s") MINE,
        "established-unanswered 12 812 warning certain\n" },
    { "data that is not acknowledged by a peer that talks: lost on the way, or its buffer is full",
        LISTENING OPEN
        "x12 recv_q=0 send_q=900 timer=retransmit retransmits=6 timer_ms=9000 " BACKED_OFF QUIET_FOR("2s") MINE,
        "established-unanswered 12 812 warning likely\n" },
    { "a lost segment",
        LISTENING OPEN
        "x12 recv_q=0 send_q=900 timer=retransmit retransmits=2 timer_ms=300 rto=816 rtt=300 rttvar=150 " QUIET_FOR(
            "500ms") MINE,
        "" },
    { "three attempts within two seconds are young",
        LISTENING OPEN
        "x12 recv_q=0 send_q=900 timer=retransmit retransmits=3 timer_ms=800 rto=1632 rtt=300 rttvar=150 " QUIET_FOR(
            "900ms") MINE,
        "" },
    { "a window that nobody answers for any more: the peer is gone",
        LISTENING OPEN "x12 recv_q=0 send_q=900 timer=persist probes=6 snd_wnd=0 timer_ms=9000 " PATH QUIET_FOR("60s")
            MINE,
        "established-unanswered 12 812 warning certain\n" },

    /* ESTABLISHED: zero window */
    { "the peers have stopped reading",
        LISTENING OPEN "x12 recv_q=0 send_q=90000 timer=persist snd_wnd=0 timer_ms=9000 last_data_sent=6m "
                       "last_ack_recv=3s last_data_recv=7m " MINE,
        "established-zero-window 12 812 warning certain\n" },
    { "players that have enough for now, or slow readers with large buffers",
        LISTENING OPEN "x12 recv_q=0 send_q=90000 timer=persist snd_wnd=0 timer_ms=9000 last_data_sent=4m "
                       "last_ack_recv=3s last_data_recv=5m " MINE,
        "established-zero-window 12 812 info likely\n" },
    { "a slow download: the window opens now and then",
        LISTENING OPEN "x12 recv_q=0 send_q=90000 timer=persist snd_wnd=0 timer_ms=200 last_data_sent=4s "
                       "last_ack_recv=1s last_data_recv=5m " MINE,
        "" },
    { "a fast download",
        LISTENING OPEN
        "x12 recv_q=0 send_q=90000 timer=retransmit retransmits=0 snd_wnd=65000 timer_ms=200 last_data_sent=1ms "
        "last_ack_recv=1ms last_data_recv=5m " MINE,
        "" },
    { "the reader is on this host: its finding",
        LISTENING "conn ESTABLISHED 10.0.0.5:80 10.0.0.5:40000 x12 recv_q=0 send_q=90000 timer=persist snd_wnd=0 "
                  "timer_ms=9000 last_data_sent=4m last_ack_recv=3s last_data_recv=5m " MINE
                  "conn ESTABLISHED 10.0.0.5:40000 10.0.0.5:80 x12 vary=local_port recv_q=65000 send_q=0 timer=none "
                  "last_data_sent=5m last_data_recv=4m last_ack_recv=3s holders=900:20\n",
        "established-unread 12 900 info likely\n" },

    /* ESTABLISHED: unread */
    { "requests lie unread", LISTENING OPEN "x3 recv_q=120 send_q=0 timer=none " QUIET_FOR("50s") MINE,
        "established-unread 3 812 info likely\n" },
    { "many, for long", LISTENING OPEN "x300 recv_q=120 send_q=0 timer=none " QUIET_FOR("5m") MINE,
        "established-unread 300 812 critical likely\n" },
    { "the same queue in the reading before", LISTENING OPEN "x3 recv_q=120 send_q=0 timer=none " QUIET_FOR("50s") MINE,
        "established-unread 3 812 info certain\n",
        .previous = LISTENING OPEN "x3 recv_q=120 send_q=0 timer=none " QUIET_FOR("49s") MINE },
    { "a queue that has become shorter: a slow reader",
        LISTENING OPEN "x3 recv_q=120 send_q=0 timer=none " QUIET_FOR("50s") MINE, "",
        .previous = LISTENING OPEN "x3 recv_q=900 send_q=0 timer=none " QUIET_FOR("49s") MINE },
    { "data that has just come", LISTENING OPEN "x300 recv_q=120 send_q=0 timer=none " QUIET_FOR("300ms") MINE, "" },
    { "a stopped process does not read",
        LISTENING STOPPED OPEN "x3 recv_q=120 send_q=0 timer=none " QUIET_FOR("50s") "holders=901:20\n",
        "established-unread 3 901 warning certain\n" },
    { "not accepted, and the queue is not full",
        HOST "conn LISTEN *:80 recv_q=11 send_q=128 holders=812:3\n" WAITING "inode=0 " QUIET_FOR("50s") "\n",
        "established-not-accepted 11 812 warning certain\n" },
    { "silent clients wait in the queue, which is not full",
        HOST "conn LISTEN *:80 recv_q=20 send_q=128 holders=812:3\n" SILENT "inode=0 " QUIET_FOR("70s") "\n",
        "established-not-accepted 20 812 warning certain\n" },
    { "their keepalive does not make them younger",
        HOST "conn LISTEN *:80 recv_q=20 send_q=128 holders=812:3\n" SILENT
             "inode=0 last_data_sent=70s last_data_recv=70s last_ack_recv=1s\n",
        "established-not-accepted 20 812 warning certain\n" },
    { "a queue that is emptied",
        HOST "conn LISTEN *:80 recv_q=20 send_q=128 holders=812:3\n" SILENT "inode=0 " QUIET_FOR("8s") "\n", "" },
    { "a stopped process accepts nobody: no need to wait for that",
        "netns host own\nprocess 812 nginx parent=1 fds=9/1024 state=T running=2d\n"
        "conn LISTEN *:80 recv_q=20 send_q=128 holders=812:3\n" SILENT "inode=0 " QUIET_FOR("8s") "\n",
        "established-not-accepted 20 812 warning certain\n" },
    { "nor does one without descriptors",
        "netns host own\nprocess 812 nginx parent=1 fds=128/128 running=2d\n"
        "conn LISTEN *:80 recv_q=20 send_q=128 holders=812:3\n" SILENT "inode=0 " QUIET_FOR("8s") "\n",
        "established-not-accepted 20 812 warning certain\n" },
    { "a child that never accepts has the listener alone",
        "netns host own\nprocess 990 sleep parent=1 fds=4/1024 running=2d\n"
        "conn LISTEN *:80 recv_q=3 send_q=128 holders=990:3\n"
        "conn ESTABLISHED 10.0.0.5:80 10.1.0.1:50000 x3 recv_q=0 send_q=0 timer=none inode=0 " QUIET_FOR("40s") "\n",
        "established-not-accepted 3 990 warning certain\n" },
    { "of a master and its workers those are meant that serve",
        "netns host own\nprocess 10 gunicorn parent=1 fds=9/1024 running=2d\n"
        "process 11 gunicorn parent=10 fds=9/1024 running=2d\nprocess 12 gunicorn parent=10 fds=9/1024 running=2d\n"
        "conn LISTEN *:80 recv_q=20 send_q=128 holders=10:5,11:5,12:5\n"
        "conn ESTABLISHED 10.0.0.5:80 10.2.0.1:50000 recv_q=0 send_q=0 timer=none " QUIET_FOR(
            "40s") "holders=11:9\n"
                   "conn ESTABLISHED 10.0.0.5:80 10.2.0.2:50000 recv_q=0 send_q=0 timer=none " QUIET_FOR(
                       "40s") "holders=12:9\n" SILENT "inode=0 " QUIET_FOR("40s") "\n",
        "established-not-accepted 20 11 warning certain\n" },
    { "of several listeners of one port (SO_REUSEPORT) that of the stopped worker fills, whoever has it open",
        NGINX "conn LISTEN *:80 recv_q=0 send_q=128 holders=10:5,11:5,12:5\n"
              "conn LISTEN *:80 recv_q=20 send_q=128 holders=10:6,11:6,12:6\n" SILENT "inode=0 " QUIET_FOR("8s") "\n",
        "established-not-accepted 20 12 warning certain\n" },
    { "one listener, and a stopped worker beside one that may accept in a moment",
        NGINX "conn LISTEN *:80 recv_q=20 send_q=128 holders=10:5,11:5,12:5\n" SILENT "inode=0 " QUIET_FOR("8s") "\n",
        "" },

    /* ESTABLISHED: idle */
    { "idle for hours, without keepalive", LISTENING OPEN "x40 recv_q=0 send_q=0 timer=none " QUIET_FOR("3h") MINE,
        "established-idle 40 812 info possible\n" },
    { "idle for hours, with keepalive",
        LISTENING OPEN "x40 recv_q=0 send_q=0 timer=keepalive timer_ms=9m " QUIET_FOR("3h") MINE, "" },
    { "a pool that rests", LISTENING OPEN "x4000 recv_q=0 send_q=0 timer=none " QUIET_FOR("50m") MINE, "" },
    { "a few are nobody's concern", LISTENING OPEN "x5 recv_q=0 send_q=0 timer=none " QUIET_FOR("3h") MINE, "" },
    { "within the host nobody vanishes",
        LISTENING "conn ESTABLISHED 127.0.0.1:80 127.0.0.1:50000 x40 recv_q=0 send_q=0 timer=none " QUIET_FOR("3h")
            MINE,
        "" },

    /* CLOSED, and held */
    { "connections that were reset, and never closed",
        LISTENING
        "conn CLOSED 10.0.0.5:80 10.1.0.1:50000 x40 timer=none shutdown=both bytes_received=7 last_ack_recv=2m " MINE,
        "closed-held 40 812 warning certain\n" },
    { "very many of them",
        LISTENING
        "conn CLOSED 10.0.0.5:80 10.1.0.1:50000 x400 timer=none shutdown=both bytes_received=7 last_ack_recv=2m " MINE,
        "closed-held 400 812 critical certain\n" },
    { "a reset of this moment, about to be closed",
        LISTENING
        "conn CLOSED 10.0.0.5:80 10.1.0.1:50000 x400 timer=none shutdown=both bytes_received=7 last_ack_recv=1s " MINE,
        "" },
    { "they use up the descriptors: one finding, and critical",
        HOST "process 910 keeps parent=800 fds=254/256 running=2d\n"
             "conn CLOSED 10.0.0.5:90 10.1.0.1:50000 x245 timer=none shutdown=both bytes_received=7 last_ack_recv=10s "
             "holders=910:8\n",
        "closed-held 245 910 critical likely\n" },
    { "a pool of this host that the server has reset, and that is not used now",
        HOST "conn CLOSED 10.0.0.5:40000 10.9.0.1:5432 x20 vary=local_port timer=none shutdown=both bytes_received=7 "
             "last_ack_recv=2m holders=900:20\n",
        "closed-held 20 900 info certain\n" },
    { "only bound", HOST "conn BOUND 10.0.0.5:40000 *:0 x40 vary=local_port inode=7 holders=900:20\n", "" },

    /* Both ends are one socket */
    { "a client that has connected to itself",
        HOST "conn ESTABLISHED 127.0.0.1:40010 127.0.0.1:40010 recv_q=0 send_q=0 timer=none " QUIET_FOR(
            "1ms") "holders=900:20\n",
        "self-connect 1 900 warning certain\n" },
    { "the same, blocked by its own full buffer: no peer has stopped reading",
        HOST "conn ESTABLISHED 127.0.0.1:40010 127.0.0.1:40010 recv_q=90000 send_q=400000 timer=persist timer_ms=900 "
             "snd_wnd=0 " PATH QUIET_FOR("10m") "holders=900:20\n",
        "self-connect 1 900 warning certain\n" },
    { "the same after shutdown(): its FIN stands behind what it does not read",
        HOST "conn FIN_WAIT_1 127.0.0.1:40010 127.0.0.1:40010 recv_q=90000 send_q=400000 timer=persist timer_ms=900 "
             "snd_wnd=0 " PATH QUIET_FOR("10m") "holders=900:20\n",
        "self-connect 1 900 warning certain\n" },
    { "the same by an address of the host, by IPv6, and by a mapped address",
        HOST "conn ESTABLISHED 10.0.0.5:40010 10.0.0.5:40010 recv_q=0 send_q=0 holders=900:20\n"
             "conn ESTABLISHED [::1]:40011 [::1]:40011 recv_q=0 send_q=0 holders=900:21\n"
             "conn ESTABLISHED ::ffff:127.0.0.1:40012 127.0.0.1:40012 recv_q=0 send_q=0 holders=900:22\n",
        "self-connect 1 900 warning certain\nself-connect 1 900 warning certain\n"
        "self-connect 1 900 warning certain\n" },
    { "a client and its service on one host",
        LISTENING "conn ESTABLISHED 127.0.0.1:80 127.0.0.1:40010 recv_q=0 send_q=0 " QUIET_FOR(
            "1s") "holders=812:9\n"
                  "conn ESTABLISHED 127.0.0.1:40010 127.0.0.1:80 recv_q=0 send_q=0 " QUIET_FOR("1s") "holders=900:9\n",
        "" },
    { "the same port at two addresses",
        HOST "conn ESTABLISHED 127.0.0.1:40010 127.0.0.2:40010 recv_q=0 send_q=0 " QUIET_FOR(
            "1s") "holders=900:9\n"
                  "conn ESTABLISHED 127.0.0.2:40010 127.0.0.1:40010 recv_q=0 send_q=0 " QUIET_FOR(
                      "1s") "holders=812:9\n",
        "" },
    { "after it: TIME_WAIT with itself",
        HOST "conn TIME_WAIT 127.0.0.1:40010 127.0.0.1:40010 timer=time_wait timer_ms=9000\n", "" },

    /* Descriptors */
    { "descriptors run out, and connections are why",
        HOST "process 910 proxy parent=800 fds=870/1024 running=2d\n" OPEN
             "x800 recv_q=0 send_q=0 timer=none " QUIET_FOR("1s") "holders=910:20\n",
        "descriptor-exhaustion 800 910 warning certain\n" },
    { "nearly at the limit",
        HOST "process 910 proxy parent=800 fds=1000/1024 running=2d\n" OPEN
             "x900 recv_q=0 send_q=0 timer=none " QUIET_FOR("1s") "holders=910:20\n",
        "descriptor-exhaustion 900 910 critical certain\n" },
    { "far from the limit",
        HOST "process 910 proxy parent=800 fds=870/65536 running=2d\n" OPEN
             "x800 recv_q=0 send_q=0 timer=none " QUIET_FOR("1s") "holders=910:20\n",
        "" },
    { "no limit",
        HOST "process 910 proxy parent=800 fds=870/none running=2d\n" OPEN
             "x800 recv_q=0 send_q=0 timer=none " QUIET_FOR("1s") "holders=910:20\n",
        "" },
    { "files are why, not connections",
        HOST "process 910 proxy parent=800 fds=1000/1024 running=2d\n" OPEN
             "x100 recv_q=0 send_q=0 timer=none " QUIET_FOR("1s") "holders=910:20\n",
        "" },
    { "a leak is why: one finding",
        HOST "process 910 proxy parent=800 fds=1000/1024 running=2d\n"
             "conn LISTEN *:90 recv_q=0 send_q=128 holders=910:3\n" OPEN "x500 recv_q=0 send_q=0 timer=none " QUIET_FOR(
                 "1s") "holders=910:20\n"
                       "conn CLOSE_WAIT 10.0.0.5:90 10.1.0.1:50000 x450 recv_q=0 send_q=0 timer=none " QUIET_FOR(
                           "10m") "holders=910:520\n",
        "close-wait-leak 450 910 critical certain\n" },
    { "workers that are alike are one finding",
        HOST "process 911 proxy parent=910 fds=870/1024 running=2d\n"
             "process 912 proxy parent=910 fds=880/1024 running=2d\n" OPEN
             "x850 recv_q=0 send_q=0 timer=none " QUIET_FOR(
                 "1s") "holders=911:20\n"
                       "conn ESTABLISHED 10.0.0.5:80 10.3.0.1:1024 x860 recv_q=0 send_q=0 timer=none " QUIET_FOR(
                           "1s") "holders=912:20\n",
        "descriptor-exhaustion 860 912 warning certain\n" },

    /* Memory */
    { "TCP is under memory pressure",
        LISTENING "setting net.ipv4.tcp_mem 1000 1300 2000\ncounter TCP.mem 1400\n" OPEN
                  "x9 recv_q=0 send_q=90000 skmem_rmem=0 skmem_wmem=600000 timer=retransmit retransmits=0 "
                  "snd_wnd=65000 " QUIET_FOR("1ms") MINE,
        "tcp-memory-pressure 9 812 warning certain\n", .wants_rates = true },
    { "TCP is out of memory", LISTENING "setting net.ipv4.tcp_mem 1000 1300 2000\ncounter TCP.mem 2000\n",
        "tcp-memory-pressure 0 0 critical certain\n", .wants_rates = true },
    { "much memory, and less than pressure",
        LISTENING "setting net.ipv4.tcp_mem 1000 1300 2000\ncounter TCP.mem 1299\n", "" },
};

enum { CASE_COUNT = sizeof cases / sizeof *cases };

static void every_case_is_judged_as_expected(void **state)
{
    (void)state;
    rule_cases_check(cases, CASE_COUNT);
}

static void every_finding_about_open_connections_fires_somewhere_above(void **state)
{
    (void)state;
    rule_cases_need(cases, CASE_COUNT,
        (const char *const[]){ "syn-sent-unanswered", "syn-recv-flood", "syn-recv-unanswered", "accept-queue-overflow",
            "established-unanswered", "established-zero-window", "established-unread", "established-idle",
            "self-connect", "closed-held", "descriptor-exhaustion", "tcp-memory-pressure", NULL });
}

/* One finding about a full queue reports everything that waits for it. */
static void a_full_queue_carries_what_it_keeps_waiting(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot,
        FULL WAITING "inode=0 " QUIET_FOR("40s") "\n" HALF "x4 retransmits=5 timer=retransmit timer_ms=9000\n"
                                                 "conn SYN_SENT 10.0.0.5:40000 10.0.0.5:80 x7 " SYN_MINE
                                                 "retransmits=5 timer_ms=500\n");
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    const struct finding *finding = &diagnosis.findings[0];
    assert_int_equal(finding->oldest_ms, 40000);
    assert_int_equal(finding->conn_count, 12); /* the listener and the connections in its queue */
    static const char *const wanted[] = { "holds 11 of at most 11", "dropped at most 70 connection attempts",
        "4 more are half-open", "7 clients on this host are trying to connect", "somaxconn allows 4,096" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        bool said = false;
        for (size_t line = 0; line < finding->evidence.count; line++)
            said |= strstr(finding->evidence.items[line], wanted[i]) != NULL;
        if (!said)
            fail_msg("no evidence says '%s'", wanted[i]);
    }
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

/* If only the clients are selected, the listener is reported all the same: it is why they are stuck. */
static void a_selection_of_clients_shows_the_listener(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct selection selection = { .states = STATE_BIT(STATE_SYN_SENT) };
    fixture_must(&snapshot,
        FULL WAITING "inode=0 " QUIET_FOR("40s") "\n"
                                                 "conn SYN_SENT 10.0.0.5:40000 10.0.0.5:80 x7 " SYN_MINE
                                                 "retransmits=5 timer_ms=500\n");
    diagnose(&snapshot, &selection, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    const struct finding *finding = &diagnosis.findings[0];
    assert_string_equal(finding->id, "accept-queue-overflow");
    assert_int_equal(finding->owner->pid, 812);
    assert_int_equal(finding->selected_count, 0);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_as_expected),
        cmocka_unit_test(every_finding_about_open_connections_fires_somewhere_above),
        cmocka_unit_test(a_full_queue_carries_what_it_keeps_waiting),
        cmocka_unit_test(a_selection_of_clients_shows_the_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
