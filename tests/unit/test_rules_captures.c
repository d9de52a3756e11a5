/*
 * What is concluded from captures: no more than they show. Each case names the finding, its count, severity and
 * confidence, and words that must or must not be in its advice.
 */
#include "diagnose/diagnose.h"

#include <string.h>

#include "captured.h"
#include "unit.h"

struct scene {
    const char *what;
    const char *heading;
    const char *row; /* printf() with one number, counting from `first` */
    unsigned first, count;
    const char *tail;
    const char *expected;
    const char *says, *never; /* in the report of the first finding; NULL: not checked */
};

static void write_rows(const struct scene *scene, struct buf *text)
{
    buf_str(text, scene->heading);
    for (unsigned i = 0; i < scene->count; i++) {
        const char *place = strchr(scene->row, '#');
        buf_add(text, scene->row, (size_t)(place - scene->row));
        buf_printf(text, "%u%s\n", scene->first + i, place + 1);
    }
    buf_str(text, scene->tail);
}

static bool is_said(const struct finding *finding, const char *words)
{
    bool said = strstr(finding->title, words) != NULL || strstr(finding->why, words) != NULL;
    const struct lines *const groups[] = { &finding->evidence, &finding->ruled_out, &finding->will_not_help };
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (size_t i = 0; i < groups[g]->count; i++)
            said |= strstr(groups[g]->items[i], words) != NULL;
    }
    const struct fixes *const fixes[] = { &finding->fix_now, &finding->fix_for_good };
    for (size_t g = 0; g < sizeof fixes / sizeof *fixes; g++) {
        for (size_t i = 0; i < fixes[g]->count; i++) {
            const struct fix *fix = &fixes[g]->items[i];
            said |= strstr(fix->text, words) != NULL || (fix->command != NULL && strstr(fix->command, words) != NULL);
        }
    }
    return said;
}

static void check(const struct scene *scene)
{
    struct buf text = { 0 }, found = { 0 };
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    write_rows(scene, &text);
    captured(&snapshot, buf_text(&text), text.length);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    for (size_t i = 0; i < diagnosis.finding_count; i++) {
        const struct finding *finding = &diagnosis.findings[i];
        buf_printf(&found, "%s %u %s %s\n", finding->id, (unsigned)finding->count, severity_name(finding->severity),
            confidence_name(finding->confidence));
    }
    if (strcmp(buf_text(&found), scene->expected) != 0)
        fail_msg("%s:\nexpected:\n%sfound:\n%s", scene->what, scene->expected, buf_text(&found));
    if (scene->says != NULL && !is_said(&diagnosis.findings[0], scene->says))
        fail_msg("%s: does not say: %s", scene->what, scene->says);
    if (scene->never != NULL && is_said(&diagnosis.findings[0], scene->never))
        fail_msg("%s: says: %s", scene->what, scene->never);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    buf_deinit(&text);
    buf_deinit(&found);
}

#define NET_TOOLS "Proto Recv-Q Send-Q Local Address Foreign Address State PID/Program name Timer\n"
#define WINDOWS_LISTENER "  TCP    0.0.0.0:9100   0.0.0.0:0   LISTENING  4312\n"

static const struct scene scenes[] = {
    { "Windows: CLOSE_WAIT, and nothing says why", WINDOWS_LISTENER,
        "  TCP  10.0.0.5:9100  10.1.2.3:#  CLOSE_WAIT  4312", 50000, 14, "", "close-wait-held 14 warning likely\n",
        "Filter 'ProcessId=4312').Name", " ss -" },
    { "Windows: a few are no reason to wake anybody", WINDOWS_LISTENER,
        "  TCP  10.0.0.5:9100  10.1.2.3:#  CLOSE_WAIT  4312", 50000, 3, "", "close-wait-held 3 info likely\n",
        "take the capture again", "--confirm" },
    { "Windows: a thousand at one moment are no moment", WINDOWS_LISTENER,
        "  TCP  10.0.0.5:9100  10.1.2.3:#  CLOSE_WAIT  4312", 50000, 1200, "", "close-wait-held 1200 critical likely\n",
        "no passing moment", "tcp_fin_timeout" },
    { "ss: a thousand at one moment are none either, whatever more it shows", "LISTEN 0 64 0.0.0.0:80 0.0.0.0:*\n",
        "CLOSE-WAIT 0 0 10.0.0.5:80 10.1.2.3:#", 40000, 1200, "", "close-wait-leak 1200 critical likely\n",
        "no passing moment", NULL },
    { "ss: the same with the end of the stream unread", "LISTEN 0 64 0.0.0.0:80 0.0.0.0:*\n",
        "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:#", 40000, 1200, "", "close-wait-unread 1200 critical likely\n",
        "no passing moment", NULL },
    { "ss -e: the same, never accepted", "LISTEN 20 64 0.0.0.0:80 0.0.0.0:* ino:7 sk:1\n",
        "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:# ino:0 sk:2", 40000, 1200, "",
        "close-wait-not-accepted 1200 critical likely\n", "no passing moment", NULL },
    { "ss: fewer may be a moment", "LISTEN 0 64 0.0.0.0:80 0.0.0.0:*\n", "CLOSE-WAIT 0 0 10.0.0.5:80 10.1.2.3:#", 40000,
        999, "", "close-wait-leak 999 warning likely\n", NULL, "no passing moment" },
    { "Windows: LAST_ACK is never the program's fault, and only their number tells", WINDOWS_LISTENER,
        "  TCP  10.0.0.5:9100  10.1.2.3:#  LAST_ACK  0", 40000, 120, "", "last-ack-unanswered 120 warning possible\n",
        "pktmon", "tcpdump" },
    { "Windows: few in LAST_ACK are usual; but nothing else was pasted, and that asks about them", WINDOWS_LISTENER,
        "  TCP  10.0.0.5:9100  10.1.2.3:#  LAST_ACK  0", 40000, 40, "", "last-ack-unanswered 40 info possible\n",
        "take the capture again", NULL },
    { "Windows: SYN_SENT to one host", "", "  TCP  10.0.0.5:#  10.1.2.3:1433  SYN_SENT  4312", 50000, 30, "",
        "syn-sent-unanswered 30 warning possible\n", "Set-NetTCPSetting", "tcp_syn_retries" },
    { "Windows: half-open", WINDOWS_LISTENER, "  TCP  10.0.0.5:9100  10.1.2.3:#  SYN_RECEIVED  0", 40000, 60, "",
        "syn-recv-unanswered 60 warning possible\n", "take the capture again", "nft" },
    { "Windows: FIN_WAIT_2 for a peer that does not close, and nothing else was pasted", WINDOWS_LISTENER,
        "  TCP  10.0.0.5:9100  10.1.2.3:#  FIN_WAIT_2  4312", 40000, 120, "",
        "fin-wait-2-orphaned 120 warning likely\n", "half-close", "tcp_fin_timeout" },
    { "a device: half of what it shows does not get through the handshake",
        "tcp  192.0.2.206:23  192.0.2.60:52666  ESTABLISHED\ntcp  192.0.2.206:23  192.0.2.60:62478  ESTABLISHED\n",
        "tcp  192.0.2.206:80  192.0.2.203:#  SYN-RECEIVED", 52986, 3, "", "syn-recv-unanswered 3 warning possible\n",
        "take the capture again", "tcpdump" },
    { "a device: one handshake on its way",
        "tcp  192.0.2.206:23  192.0.2.60:52666  ESTABLISHED\ntcp  192.0.2.206:23  192.0.2.60:62478  ESTABLISHED\n",
        "tcp  192.0.2.206:80  192.0.2.203:#  SYN-RECEIVED", 52986, 1, "", "", NULL, NULL },
    { "a device: what a filter has left says nothing about how common a state is", "",
        "tcp  192.0.2.206:80  192.0.2.203:#  SYN-RECEIVED", 52986, 3, "", "syn-recv-unanswered 3 info possible\n",
        "take the capture again", "tcpdump" },
    { "netstat: the one connection that was pasted is answered by nobody", NET_TOOLS,
        "tcp 0 28198 172.22.0.3:# 172.22.0.2:3001 ESTABLISHED 8/node on (13.10/6/0)", 47360, 1, "",
        "established-unanswered 1 warning certain\n", "TCP_USER_TIMEOUT", NULL },
    { "netstat: one among many others is worth knowing, and no more",
        NET_TOOLS "tcp 0 0 172.22.0.3:80 172.22.0.9:4001 ESTABLISHED 9/web off (0.00/0/0)\n"
                  "tcp 0 0 172.22.0.3:80 172.22.0.9:4002 ESTABLISHED 9/web off (0.00/0/0)\n",
        "tcp 0 28198 172.22.0.3:# 172.22.0.2:3001 ESTABLISHED 8/node on (13.10/6/0)", 47360, 1, "",
        "established-unanswered 1 info certain\n", NULL, NULL },
    { "netstat: keepalive is answered by nobody", NET_TOOLS,
        "tcp 0 0 172.22.0.3:# 172.22.0.2:3001 ESTABLISHED 8/node keepalive (40.10/0/3)", 47360, 12, "",
        "established-unanswered 12 warning likely\n", "Up to 3 probes in a row", "Send-Q" },
    { "ss: the same", "",
        "ESTAB 0 0 172.22.0.3:# 172.22.0.2:3001 users:((\"node\",pid=8,fd=3)) timer:(keepalive,40sec,3)", 47360, 12, "",
        "established-unanswered 12 warning likely\n", "keepalive probes of node", "again and again" },
    { "netstat: keepalive has just asked, or waits until it does", NET_TOOLS,
        "tcp 0 0 172.22.0.3:# 172.22.0.2:3001 ESTABLISHED 8/node keepalive (70.10/0/1)", 47360, 12, "", "", NULL,
        NULL },
    { "ss without -p: half-closed by somebody, whom it does not show",
        "FIN-WAIT-2 0 0 192.0.2.4:80 198.51.100.7:16999 timer:(keepalive,9sec,0)\n",
        "FIN-WAIT-2 0 0 192.0.2.4:80 198.51.100.7:#", 17000, 60, "", "fin-wait-2-held 60 warning likely\n",
        "No time-out runs", NULL },
    { "netstat without -p: the kernel's timer ends them", NET_TOOLS,
        "tcp 0 0 192.0.2.4:80 198.51.100.7:# FIN_WAIT2 - timewait (40.00/0/0)", 17000, 60, "",
        "fin-wait-2-orphaned 60 info certain\n", NULL, NULL },
    { "netstat: half-closed by a process, and no timer ends it", NET_TOOLS,
        "tcp 0 0 192.0.2.4:80 198.51.100.7:# FIN_WAIT2 26375/node off (0.00/0/0)", 17000, 3, "",
        "fin-wait-2-held 3 warning likely\n", "No time-out runs", NULL },
    { "ss: a pool at rest stays one, although nothing else was pasted", "",
        "CLOSE-WAIT 1 0 10.0.0.5:# 10.0.0.9:5432 users:((\"java\",pid=7,fd=3)) timer:(keepalive,90min,0)", 40000, 6, "",
        "close-wait-unread 6 info likely\n", "as many as a pool keeps", NULL },
    { "Windows: TIME_WAIT is harmless", WINDOWS_LISTENER, "  TCP  10.0.0.5:9100  10.1.2.3:#  TIME_WAIT  0", 40000, 1200,
        "", "time-wait-churn 1200 info likely\n", "TcpTimedWaitDelay", "60 s" },
    { "netstat: the timer of a SYN is longer than a kernel of today makes it", NET_TOOLS,
        "tcp 0 1 192.0.2.1:# 203.0.113.9:2040 SYN_SENT 11207/hyperkube on (27.10/5/0)", 52760, 30, "",
        "syn-sent-unanswered 30 warning certain\n", "for 35 s or more", NULL },
    { "netstat: a SYN on its way", NET_TOOLS,
        "tcp 0 1 192.0.2.1:# 203.0.113.9:2040 SYN_SENT 11207/hyperkube on (0.90/0/0)", 52760, 30, "", "", NULL, NULL },
    { "netstat: long pauses between window probes", NET_TOOLS,
        "tcp 0 100000 192.0.2.4:8443 203.0.113.1:# ESTABLISHED 900/streamer probe (20.40/0/0)", 40000, 12, "",
        "established-zero-window 12 warning likely\n", "at least 17 s", NULL },
    { "netstat: a window that has closed just now", NET_TOOLS,
        "tcp 0 100000 192.0.2.4:8443 203.0.113.1:# ESTABLISHED 900/streamer probe (3.10/0/0)", 40000, 12, "", "", NULL,
        NULL },
    { "ss: the same with its clocks, which say since when", "",
        "ESTAB 0 100000 192.0.2.4:8443 203.0.113.1:# timer:(persist,20sec,0) rto:204 rtt:1/0.5 lastsnd:39000 "
        "lastack:80",
        40000, 12, "", "established-zero-window 12 info likely\n", NULL, NULL },
    { "lsof: sockets in no table", "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n",
        "agent1 43629 xx 14u sock 0,7 0t0 12669# protocol: TCP", 22513, 60, "", "closed-held 60 warning likely\n",
        "never connected", NULL },
    { "an old lsof: it cannot tell the protocol, and they are few",
        "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n",
        "agent1 43629 xx 14u sock 0,7 0t0 12669# can't identify protocol", 22513, 12, "",
        "closed-held 12 warning possible\n", NULL, NULL },
    { "lsof: two are asked about, and may only be made", "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n",
        "java 43629 xx 14u sock 0,7 0t0 12669# protocol: TCPv6", 22513, 2, "", "closed-held 2 info possible\n", NULL,
        "So many" },
    { "lsof: UNIX sockets",
        "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\nx 1 r 3u IPv4 7 0t0 TCP *:80 (LISTEN)\n",
        "agent1 43629 xx 14u sock 0,7 0t0 12669# protocol: UNIX-STREAM", 22513, 60, "", "", NULL, NULL },
    { "ss: a client is connected to itself", "",
        "ESTAB 956002 2604984 127.0.0.1:# 127.0.0.1:33000 users:((\"java\",pid=46695,fd=28542))", 33000, 1, "",
        "self-connect 1 warning certain\n", "ip_local_reserved_ports = 33000", "stopped reading" },
    { "Windows: the same", "", "  TCP  127.0.0.1:#  127.0.0.1:50000  ESTABLISHED  4312", 50000, 1, "",
        "self-connect 1 warning certain\n", "excludedportrange protocol=tcp startport=50000", "sysctl" },
    { "ss: addresses and ports swapped are two sockets", "ESTAB 0 0 127.0.0.1:33000 127.0.0.1:33001\n",
        "ESTAB 0 0 127.0.0.1:# 127.0.0.1:33000", 33001, 1, "", "", NULL, NULL },
    { "Windows: the dynamic ports to one destination run out", "",
        "  TCP  10.0.0.5:#  10.0.0.9:1433  ESTABLISHED  4312", 49152, 16000, "",
        "port-exhaustion 16000 critical likely\n", "netsh int ipv4 set dynamicport tcp", "sysctl" },
    { "Windows: as many connections, ports outside of the dynamic range", "",
        "  TCP  10.0.0.5:#  10.0.0.9:1433  ESTABLISHED  4312", 20000, 16000, "", "", NULL, NULL },
    { "Windows before Vista: all ports lie in its range", "", "  TCP  10.0.0.5:#  10.0.0.9:1433  ESTABLISHED  4312",
        1025, 3900, "", "port-exhaustion 3900 critical likely\n", "Windows before Vista", "49152" },
    { "Windows: IPv6 has a range of its own", "", "  TCP  [2001:db8::5]:#  [2001:db8::9]:1433  ESTABLISHED  4312",
        49152, 16000, "", "port-exhaustion 16000 critical likely\n", "netsh int ipv6 set dynamicport tcp",
        "netsh int ipv4 set" },
    { "BSD's netstat: all ports lie in macOS' range", "", "tcp4 0 0 10.0.0.5.# 10.0.0.9.1433 ESTABLISHED", 49152, 16000,
        "", "port-exhaustion 16000 critical likely\n", "range of macOS", NULL },
    { "BSD's netstat: as many ports of a wider range", "", "tcp4 0 0 10.0.0.5.# 10.0.0.9.1433 ESTABLISHED", 40000,
        16000, "", "", NULL, NULL },
    { "Windows: TIME_WAIT between two programs of the host", "  TCP  127.0.0.1:9100  0.0.0.0:0  LISTENING  4312\n",
        "  TCP  127.0.0.1:9100  127.0.0.1:#  TIME_WAIT  0", 50000, 1200, "", "time-wait-churn 1200 info likely\n",
        "on this host too", "none of the ephemeral" },
    { "Windows: the same, and one of another host",
        "  TCP  0.0.0.0:9100  0.0.0.0:0  LISTENING  4312\n  TCP  10.0.0.5:9100  10.0.0.9:50000  TIME_WAIT  0\n",
        "  TCP  10.0.0.5:9100  10.0.0.5:#  TIME_WAIT  0", 50000, 1200, "", "time-wait-churn 1201 info likely\n",
        "the clients of 1,200 are on this host too", "none of the ephemeral" },
    { "Windows: a range that stands in the paste is called by its own name",
        "Protocol tcp Dynamic Port Range\n-------------------------------\nStart Port      : 49152\n"
        "Number of Ports : 1000\n\n",
        "  TCP  10.0.0.5:#  10.0.0.9:1433  ESTABLISHED  4312", 49152, 990, "", "port-exhaustion 990 critical certain\n",
        "In this capture the dynamic port range: 49152 to 50151", "ip_local_port_range" },
    { "Windows: the assumed range is named in an INFO too", "", "  TCP  10.0.0.5:#  10.0.0.9:1433  TIME_WAIT  0", 50000,
        1200, "", "time-wait-churn 1200 info likely\n", "assumed: Windows's default, 49152 to 65535", NULL },
    { "Linux: the same ports, of a larger range", "", "ESTAB 0 0 10.0.0.5:# 10.0.0.9:1433", 33000, 16000, "", "", NULL,
        NULL },
    { "Linux: ports run out", "", "ESTAB 0 0 10.0.0.5:# 10.0.0.9:1433", 33000, 27500, "",
        "port-exhaustion 27500 critical likely\n", "ip_local_port_range", "netsh" },
    { "ss without -p and -o: read, not closed, by whom is not known", "LISTEN 0 64 0.0.0.0:80 0.0.0.0:*\n",
        "CLOSE-WAIT 0 0 10.0.0.5:80 10.1.2.3:#", 40000, 20, "", "close-wait-leak 20 warning likely\n",
        "sudo ss -tanpie", "descriptors are open in" },
    { "ss: unread", "LISTEN 0 64 0.0.0.0:80 0.0.0.0:*\n", "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:#", 40000, 20, "",
        "close-wait-unread 20 warning likely\n", "they may also wait in the accept queue", "leak" },
    { "ss: still sending, and no timers to tell whether it gets through", "LISTEN 0 64 0.0.0.0:80 0.0.0.0:*\n",
        "CLOSE-WAIT 0 5000 10.0.0.5:80 10.1.2.3:#", 40000, 20, "", "close-wait-held 20 warning likely\n", "in Send-Q",
        NULL },
    { "ss -p: unread, and whether the process runs is not shown",
        "LISTEN 0 64 0.0.0.0:80 0.0.0.0:* users:((\"java\",pid=812,fd=7))\n",
        "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:# users:((\"java\",pid=812,fd=9))", 40000, 20, "",
        "close-wait-unread 20 warning likely\n", "java (pid 812) does not read", "runs, but" },
    { "ss -p: the same of open ones", "LISTEN 0 64 0.0.0.0:80 0.0.0.0:* users:((\"java\",pid=812,fd=7))\n",
        "ESTAB 500 0 10.0.0.5:80 10.1.2.3:# users:((\"java\",pid=812,fd=9))\n"
        "\t cubic rto:204 rtt:1/0.5 lastsnd:400000 lastrcv:400000 lastack:400000",
        40000, 20, "", "established-unread 20 warning likely\n", "java (pid 812) does not read", "runs, but" },
    { "ss -e: never accepted", "LISTEN 20 64 0.0.0.0:80 0.0.0.0:* ino:7 sk:1\n",
        "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:# ino:0 sk:2", 40000, 20, "",
        "close-wait-not-accepted 20 warning likely\n", NULL, NULL },
    { "ss -o: nobody answers", "LISTEN 0 64 0.0.0.0:80 0.0.0.0:*\n",
        "LAST-ACK 0 1 10.0.0.5:80 10.1.2.3:# timer:(on,14sec,6)", 40000, 20, "",
        "last-ack-unanswered 20 warning certain\n", "sent again 6 times", NULL },
    { "netstat -tan: a Linux listener's queue is not its backlog", "tcp 5 0 0.0.0.0:80 0.0.0.0:* LISTEN\n",
        "tcp 0 0 10.0.0.5:80 10.1.2.3:# ESTABLISHED", 40000, 20, "", "", NULL, NULL },
    { "macOS: an empty queue does not tell that the end was read", "tcp46 0 0 *.9100 *.* LISTEN\n",
        "tcp4 0 0 192.168.1.5.9100 192.168.1.9.# CLOSE_WAIT", 40000, 20, "Active Multipath Internet connections\n",
        "close-wait-held 20 warning likely\n", "not counted there on macOS", "leaks them" },
    { "macOS: data that nobody reads", "tcp46 0 0 *.9100 *.* LISTEN\n",
        "tcp4 413 0 192.168.1.5.9100 192.168.1.9.# CLOSE_WAIT", 40000, 20, "Active Multipath Internet connections\n",
        "close-wait-unread 20 warning likely\n", "lsof -nP -iTCP", " ss -" },
    { "Solaris: FIN_WAIT_2", "TCP: IPv4\n*.22 *.* 0 0 128000 0 LISTEN\n",
        "10.0.0.1.22 10.0.0.2.# 64240 0 128872 0 FIN_WAIT_2", 40000, 120, "",
        "fin-wait-2-orphaned 120 warning likely\n", "tcp_fin_wait_2_flush_interval", "sysctl" },
    { "lsof: who holds FIN_WAIT_2 has it open", "", "curl 812 bob 7u IPv4 4#", 0, 0,
        "curl 812 bob 7u IPv4 41 0t0 TCP 10.0.0.5:40000->10.1.2.3:80 (FIN_WAIT2)\n", "fin-wait-2-held 1 info likely\n",
        NULL, NULL },
};

static void captures_say_no_more_than_they_show(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        check(&scenes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(captures_say_no_more_than_they_show) };
    return cmocka_run_group_tests_name("rules_captures", tests, NULL, NULL);
}
