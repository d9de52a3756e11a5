/* Folding over ports: many ports of one owner are one finding, but known services stay separate. */
#include "diagnose/diagnose.h"

#include <string.h>

#include "fixture.h"
#include "unit.h"

#include "base/buf.h"

#define HOST                                                                                                           \
    "netns host own\n"                                                                                                 \
    "setting net.ipv4.ip_local_port_range 32768 60999\n"                                                               \
    "process 812 ftpd parent=1 fds=1267/20000 state=S running=2d\n"                                                    \
    "process 900 mover parent=2 fds=1267/20000 state=S running=2d\n"
#define OLD " recv_q=0 send_q=0 timer=none last_data_sent=4h last_data_recv=4h last_ack_recv=4h bytes_received=100"
/* Data connections: each has its own local port, from the ephemeral ports of the clients. */
#define DATA(count) "conn CLOSE_WAIT 10.0.0.5:20000 10.1.2.3:50000 x" #count " vary=ports" OLD " holders=812:20\n"
/* Connections on a port that has a listener. */
#define SERVICE(port, count)                                                                                           \
    "conn LISTEN *:" #port " recv_q=0 send_q=128 holders=812:3\n"                                                      \
    "conn CLOSE_WAIT 10.0.0.5:" #port " 10.1.2.3:50000 x" #count OLD " holders=812:20\n"
#define NINE_SERVICES(count)                                                                                           \
    SERVICE(9101, count)                                                                                               \
    SERVICE(9102, count)                                                                                               \
    SERVICE(9103, count)                                                                                               \
    SERVICE(9104, count)                                                                                               \
    SERVICE(9105, count) SERVICE(9106, count) SERVICE(9107, count) SERVICE(9108, count) SERVICE(9109, count)
#define NINE_LEAKS                                                                                                     \
    "close-wait-leak 2 info 9101 -\nclose-wait-leak 2 info 9102 -\nclose-wait-leak 2 info 9103 -\n"                    \
    "close-wait-leak 2 info 9104 -\nclose-wait-leak 2 info 9105 -\nclose-wait-leak 2 info 9106 -\n"                    \
    "close-wait-leak 2 info 9107 -\nclose-wait-leak 2 info 9108 -\nclose-wait-leak 2 info 9109 -\n"

struct fold_case {
    const char *what;
    const char *host;
    const char *expected; /* "id count severity local remote": a port, "*" with the number of ports, "-" for none */
    const char *says;     /* the title or a line of evidence of the first finding contains it; NULL: not checked */
};

static void describe_end(const struct endpoint *end, struct buf *out)
{
    if (!end->known)
        buf_str(out, " -");
    else if (end->any_port && end->ports > 0)
        buf_printf(out, " *%u", end->ports);
    else if (end->any_port)
        buf_str(out, " *");
    else
        buf_printf(out, " %u", end->port);
}

static bool is_said(const struct finding *finding, const char *words)
{
    bool said = strstr(finding->title, words) != NULL;
    for (size_t i = 0; i < finding->evidence.count; i++)
        said |= strstr(finding->evidence.items[i], words) != NULL;
    return said;
}

static void check(const struct fold_case *one)
{
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct buf found = { 0 };
    fixture_must(&snapshot, one->host);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    for (size_t i = 0; i < diagnosis.finding_count; i++) {
        const struct finding *finding = &diagnosis.findings[i];
        buf_printf(&found, "%s %u %s", finding->id, (unsigned)finding->count, severity_name(finding->severity));
        describe_end(&finding->local, &found);
        describe_end(&finding->remote, &found);
        buf_char(&found, '\n');
    }
    if (strcmp(buf_text(&found), one->expected) != 0)
        fail_msg("%s:\nexpected:\n%sfound:\n%s", one->what, one->expected, buf_text(&found));
    if (one->says != NULL && !is_said(&diagnosis.findings[0], one->says))
        fail_msg("%s: does not say: %s", one->what, one->says);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    buf_deinit(&found);
}

static const struct fold_case cases[] = {
    { "800 ports of one process", HOST DATA(800), "close-wait-leak 800 critical *800 -\n",
        "800 connections on 800 local ports that" },
    { "as many as are told one by one", HOST DATA(8),
        "close-wait-leak 1 info 20000 -\nclose-wait-leak 1 info 20001 -\nclose-wait-leak 1 info 20002 -\n"
        "close-wait-leak 1 info 20003 -\nclose-wait-leak 1 info 20004 -\nclose-wait-leak 1 info 20005 -\n"
        "close-wait-leak 1 info 20006 -\nclose-wait-leak 1 info 20007 -\n",
        NULL },
    { "one more, and below any limit", HOST DATA(9), "close-wait-leak 9 info *9 -\n", "local port of its own" },
    { "the control port with its listener stays apart", HOST DATA(800) SERVICE(21, 12),
        "close-wait-leak 800 critical *800 -\nclose-wait-leak 12 warning 21 -\n", NULL },
    { "a port that has a good part of all stays apart, listener or not",
        HOST DATA(40) "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000 x30" OLD " holders=812:20\n",
        "close-wait-leak 40 warning *40 -\nclose-wait-leak 30 warning 9100 -\n", NULL },
    { "one that only stands out is named",
        HOST DATA(100) "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000 x20" OLD " holders=812:20\n",
        "close-wait-leak 120 critical *101 -\n", "Most used of the 101 ports: 9100 (20)." },
    { "nine services with listeners are nine findings", HOST NINE_SERVICES(2), NINE_LEAKS, NULL },
    { "forty are a range of ports",
        HOST "conn LISTEN *:9100 x40 vary=local_port recv_q=0 send_q=128 holders=812:3\n"
             "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000 x40 vary=ports" OLD " holders=812:20\n",
        "close-wait-leak 40 warning *40 -\n", NULL },
    { "what was not accepted is about one listener each, however many they are",
        HOST
        "conn LISTEN *:9100 recv_q=20 send_q=128 holders=812:3\nconn LISTEN *:9101 recv_q=2 send_q=1 holders=812:4\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000 x20 inode=0 recv_q=1 send_q=0 last_ack_recv=4h\n"
        "conn CLOSE_WAIT 10.0.0.5:9101 10.1.2.3:50000 x2 inode=0 recv_q=1 send_q=0 last_ack_recv=4h\n",
        "close-wait-not-accepted 2 critical 9101 -\nclose-wait-not-accepted 20 warning 9100 -\n", NULL },
    { "not across owners",
        HOST DATA(20) "conn CLOSE_WAIT 10.0.0.5:21000 10.1.2.4:50000 x20 vary=ports" OLD " holders=900:20\n",
        "close-wait-leak 20 warning *20 -\nclose-wait-leak 20 warning *20 -\n", NULL },
    { "without owners nothing tells them apart",
        HOST "conn CLOSE_WAIT 10.0.0.5:20000 10.1.2.3:50000 x200 vary=ports recv_q=0 send_q=0 inode=\"?\"\n",
        "close-wait-leak 200 warning *200 -\n", "may belong to several programs" },
    { "but for the user, where that is known",
        HOST "conn CLOSE_WAIT 10.0.0.5:20000 10.1.2.3:50000 x20 vary=ports uid=7 inode=100 recv_q=0 send_q=0\n"
             "conn CLOSE_WAIT 10.0.0.5:21000 10.1.2.4:50000 x30 vary=ports uid=8 inode=200 recv_q=0 send_q=0\n",
        "close-wait-leak 30 warning *30 -\nclose-wait-leak 20 warning *20 -\n", NULL },
    { "not across namespaces",
        HOST DATA(20) "netns blue inode=9\n"
                      "conn CLOSE_WAIT 10.0.0.5:20000 10.1.2.3:50000 x30 vary=ports" OLD " holders=812:20\n",
        "close-wait-leak 30 warning *30 -\nclose-wait-leak 20 warning *20 -\n", NULL },
    { "outgoing, to many ports of one host",
        HOST "conn CLOSE_WAIT 10.0.0.5:40000 10.1.2.3:2000 x200 vary=ports" OLD " holders=900:20\n",
        "close-wait-leak 200 critical * *200\n", "200 connections to 200 ports of 10.1.2.3 that" },
    { "outgoing, to few ports of many hosts, stays a finding for each port",
        HOST "conn CLOSE_WAIT 10.0.0.5:40000 10.1.2.3:2000 x20 vary=hosts" OLD " holders=900:20\n"
             "conn CLOSE_WAIT 10.0.0.5:41001 10.1.2.3:2001 x30 vary=hosts" OLD " holders=900:60\n",
        "close-wait-leak 30 warning * 2001\nclose-wait-leak 20 warning * 2000\n", "to port 2001 of several hosts" },
    { "outgoing, to many ports of many hosts",
        HOST "conn CLOSE_WAIT 10.0.0.5:40000 10.1.2.3:2000 x20 vary=ports" OLD " holders=900:20\n"
             "conn CLOSE_WAIT 10.0.0.5:40001 10.1.2.4:3000 x30 vary=ports" OLD " holders=900:60\n",
        "close-wait-leak 50 warning * *50\n", "to 50 ports of several hosts" },
    { "a direction that is a guess does not cut them in two",
        HOST "conn CLOSE_WAIT 10.0.0.5:40000 10.1.2.3:50000 x50 vary=ports" OLD " holders=900:20\n"
             "conn CLOSE_WAIT 10.0.0.5:41000 10.1.2.4:35000 x50 vary=ports" OLD " holders=900:60\n"
             "conn CLOSE_WAIT 10.0.0.5:30000 10.1.2.4:35000 x50 vary=ports" OLD " holders=900:160\n",
        "close-wait-leak 150 critical *150 -\n", NULL },
    { "what nobody holds any more",
        HOST "conn LAST_ACK 10.0.0.5:20000 10.1.2.3:50000 x200 vary=ports recv_q=0 send_q=1 timer=retransmit "
             "retransmits=6 rto=10s\n",
        "last-ack-unanswered 200 warning *200 -\n", "200 local ports" },
    { "SYNs to many ports: to that host, whatever the port",
        HOST
        "conn SYN_SENT 10.0.0.5:40000 10.1.2.3:2000 x50 vary=ports send_q=1 timer=retransmit retransmits=4 rto=10s "
        "holders=900:20\n"
        "conn ESTABLISHED 10.0.0.5:45000 10.1.2.3:80 recv_q=0 send_q=0 holders=900:7\n",
        "syn-sent-unanswered 50 warning * *50\n", "1 connection to 50 ports of 10.1.2.3 of this host is established" },
};

static void what_is_on_many_ports_is_one_finding(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_on_many_ports_is_one_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
