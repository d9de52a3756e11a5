/* Each kind of capture: a text in, the connections out, with everything that the text shows and nothing else. */
#include "source/capture/capture.h"

#include <string.h>

#include "captured.h"
#include "unit.h"

#include "model/holders.h"

static void windows_netstat(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "  TCP    10.0.0.5:9100         10.1.2.3:50122         CLOSE_WAIT\r\n", "capture-windows-netstat",
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50122\n" NOTHING_ELSE },
        { "  TCP    10.0.0.5:9100         10.1.2.3:50122         SCHLIESSEN_WARTEN  4312\n", "capture-windows-netstat",
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50122 by 4312/?\n" NUMBERS_ONLY NOTHING_ELSE },
        /* A state in an unknown language: a row without a remote end is a listener. */
        { "  TCP    0.0.0.0:135  0.0.0.0:0  ABH\x99REN  1044\n  TCP    [::]:135  [::]:0  \x82\xa0\x82\xa2  1044\n",
            "capture-windows-netstat",
            "LISTEN 0.0.0.0:135 0.0.0.0:* by 1044/?\nLISTEN [::]:135 [::]:* by 1044/?\n" NUMBERS_ONLY NOTHING_ELSE },
        { "  TCP    0.0.0.0:49670  0.0.0.0:0  BOUND  3456\n", "capture-windows-netstat",
            "BOUND 0.0.0.0:49670 0.0.0.0:* by 3456/?\n" NUMBERS_ONLY NOTHING_ELSE },
        { "  TCP    10.0.0.5:1 10.0.0.6:2 TIME_WAIT 0\n", "capture-windows-netstat",
            "TIME_WAIT 10.0.0.5:1 10.0.0.6:2\n" NOTHING_ELSE },
        { "  TCP    10.0.0.5:80 10.0.0.6:2 ESTABLISHED 812 InHost\n  W3SVC\n [w3wp.exe]\n"
          "  TCP    10.0.0.5:80 10.0.0.6:3 ESTABLISHED 812\n",
            "capture-windows-netstat",
            "ESTABLISHED 10.0.0.5:80 10.0.0.6:2 by 812/w3wp.exe\n"
            "ESTABLISHED 10.0.0.5:80 10.0.0.6:3 by 812/w3wp.exe\n" NOTHING_ELSE },
        { "  TCP    10.0.0.5:80 10.0.0.6:2 ESTABLISHED\n [w3wp.exe]\n", "capture-windows-netstat",
            "ESTABLISHED 10.0.0.5:80 10.0.0.6:2 by 0/w3wp.exe\n" NOTHING_ELSE },
        { "> >   TCP    [fe80::1%7]:445  [fe80::2%7]:50200  ESTABLISHED 4\n", "capture-windows-netstat",
            "ESTABLISHED [fe80::1]:445 [fe80::2]:50200 by 4/?\n" NUMBERS_ONLY NOTHING_ELSE },
    };
    CHECK(cases);
}

/* netstat -i. The heading, or the options of the command, tell which number is the PID. */
static void time_in_state(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "  Proto  Local Address  Foreign Address  State  PID  Time in State (ms)\n"
          "  TCP    10.0.0.5:80    10.0.0.6:2       CLOSE_WAIT  812  4521033\n",
            "capture-windows-netstat",
            "CLOSE_WAIT 10.0.0.5:80 10.0.0.6:2 age=4521033 by 812/?\n" NUMBERS_ONLY NOTHING_ELSE },
        { "  Proto  Local Address  Foreign Address  State  Time in State (ms)\n"
          "  TCP    10.0.0.5:80    10.0.0.6:2       CLOSE_WAIT  4521033\n",
            "capture-windows-netstat", "CLOSE_WAIT 10.0.0.5:80 10.0.0.6:2 age=4521033\n" NOTHING_ELSE },
        { "C:\\>netstat -n -o -i\n  TCP    10.0.0.5:80    10.0.0.6:2       CLOSE_WAIT  812 InHost 01:15:21\n",
            "capture-windows-netstat",
            "CLOSE_WAIT 10.0.0.5:80 10.0.0.6:2 age=4521000 by 812/?\n" NUMBERS_ONLY NOTHING_ELSE },
        { "C:\\>netstat -ani\n  TCP    10.0.0.5:80    10.0.0.6:2       CLOSE_WAIT  4521033\n",
            "capture-windows-netstat", "CLOSE_WAIT 10.0.0.5:80 10.0.0.6:2 age=4521033\n" NOTHING_ELSE },
        { "  Proto  Local Address  Foreign Address  State  Time in State (s)  PID\n"
          "  TCP    10.0.0.5:80    10.0.0.6:2       LAST_ACK  95  0\n",
            "capture-windows-netstat", "LAST_ACK 10.0.0.5:80 10.0.0.6:2 age=95000\n" NOTHING_ELSE },
        /* Without -i the number is a PID, whatever the heading of a pasted table looks like. */
        { "  Proto  Local Address  Foreign Address  State\n  TCP 10.0.0.5:80 10.0.0.6:2 CLOSE_WAIT 812\n",
            "capture-windows-netstat", "CLOSE_WAIT 10.0.0.5:80 10.0.0.6:2 by 812/?\n" NUMBERS_ONLY NOTHING_ELSE },
    };
    CHECK(cases);
}

static void linux_netstat(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "tcp        1      0 10.0.0.5:80   10.1.2.3:5  CLOSE_WAIT\n", "capture-linux-netstat",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5 rq=1 sq=0\n" NOTHING_ELSE },
        { "tcp  0  0 10.0.0.5:80  10.1.2.3:5  ESTABLISHED 33  39944  812/nginx: worker p  keepalive (7164.17/0/0)\n",
            "capture-linux-netstat",
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:5 rq=0 sq=0 timer=keepalive/7164170/0/0 ino=39944 uid=33 by 812/nginx: "
            "worker p\n" NOTHING_ELSE },
        { "tcp  0  9 10.0.0.5:80  10.1.2.3:5  LAST_ACK  0  0  -  on (3.20/5/0)\n", "capture-linux-netstat",
            "LAST_ACK 10.0.0.5:80 10.1.2.3:5 rq=0 sq=9 timer=on/3200/5/0 ino=0\n" NOTHING_ELSE },
        { "tcp  0  9 10.0.0.5:80  10.1.2.3:5  FIN_WAIT1  probe (17.93/0/4)\n", "capture-linux-netstat",
            "FIN_WAIT_1 10.0.0.5:80 10.1.2.3:5 rq=0 sq=9 timer=persist/17930/4/4\n" NOTHING_ELSE },
        { "tcp  0  0 10.0.0.5:80  10.1.2.3:5  FIN_WAIT2  timewait (24.01/0/0)\n", "capture-linux-netstat",
            "FIN_WAIT_2 10.0.0.5:80 10.1.2.3:5 rq=0 sq=0 timer=timewait/24010/0/0 ino=0\n" NOTHING_ELSE },
        { "tcp6  0  0 :::51511  :::*  LISTEN  812/java\nudp  0  0 0.0.0.0:68  0.0.0.0:*\n", "capture-linux-netstat",
            "LISTEN [::]:51511 [::]:* rq=0 sq=0 by 812/java\n" NOTHING_ELSE },
    };
    CHECK(cases);
}

static void ss(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n", "capture-ss", "gap refused\n" },
        { "ESTAB 0 0 10.0.0.5:80 10.1.2.3:5\n", "capture-ss",
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:5 rq=0 sq=0\n" NOTHING_ELSE },
        { "LISTEN 1 128 *:80 *:*\nLISTEN 0 0 [::1]:81 [::]:*\n", "capture-ss",
            "LISTEN 0.0.0.0:80 0.0.0.0:* rq=1 sq=128 backlog\nLISTEN [::1]:81 [::]:* rq=0 sq=0\n" NOTHING_ELSE },
        { "tcp CLOSE-WAIT 1 0 [::ffff:10.0.0.5]:80 [::ffff:10.1.2.3]:5 users:((\"a "
          "b\",pid=7,fd=3),(\"c\",pid=8,fd=4))\nu_str ESTAB 0 0 * 21542 * 21543\nnl UNCONN 0 0 0:0 *\n",
            "capture-ss", "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5 rq=1 sq=0 by 7/a b:3 by 8/c:4\n" NOTHING_ELSE },
        /* A name may look like the text that follows it. */
        { "ESTAB 0 0 1.2.3.4:5 6.7.8.9:10 users:((\"x\",pid=1\",pid=2,fd=3))\n", "capture-ss",
            "ESTABLISHED 1.2.3.4:5 6.7.8.9:10 rq=0 sq=0 by 2/x\",pid=1:3\n" NOTHING_ELSE },
        { "ESTAB 0 0 1.2.3.4:5 6.7.8.9:10 users:((\"nginx\",812,7))\n", "capture-ss",
            "ESTABLISHED 1.2.3.4:5 6.7.8.9:10 rq=0 sq=0 by 812/nginx:7\n" NOTHING_ELSE },
        { "LAST-ACK 0 1 10.0.0.5:80 10.1.2.3:5 timer:(on,1min3sec,6) ino:0 sk:1f ---\n"
          "ESTAB 0 0 10.0.0.5:81 10.1.2.3:5 timer:(persist,3.796ms,2) uid:33 ino:77 sk:20 <->\n"
          "FIN-WAIT-2 0 0 10.0.0.5:82 10.1.2.3:5 ino:78 sk:21 <--\n",
            "capture-ss",
            "LAST_ACK 10.0.0.5:80 10.1.2.3:5 rq=0 sq=1 timer=on/63000/6/0 ino=0 sk=1f shut=3\n"
            "ESTABLISHED 10.0.0.5:81 10.1.2.3:5 rq=0 sq=0 timer=persist/3796/2/2 ino=77 uid=33 sk=20 shut=0\n"
            "FIN_WAIT_2 10.0.0.5:82 10.1.2.3:5 rq=0 sq=0 timer=none/0/0/0 ino=78 uid=0 sk=21 shut=2\n" NOTHING_ELSE },
        { "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:5 users:((\"a\",pid=7,fd=3)) ino:9 sk:2a <->\n"
          "\t skmem:(r768,rb131072,t0,tb46080,f0,w5,o0,bl0,d3) ts sack cubic rto:204 rtt:0.366/0.724 unacked:2 "
          "lastsnd:9684 lastrcv:9683 lastack:9682 snd_wnd:65536\n"
          "ESTAB 0 7 10.0.0.5:81 10.1.2.3:5 ino:10 sk:2b <->\n\t cubic rto:1.5 cwnd:10\n",
            "capture-ss",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5 rq=1 sq=0 timer=none/0/0/0 ino=9 uid=0 sk=2a shut=0 mem=768/5/3 rto=204 "
            "rtt=366/724 ago=9684/9683/9682 unacked=2 wnd=65536 by 7/a:3\n"
            "ESTABLISHED 10.0.0.5:81 10.1.2.3:5 rq=0 sq=7 timer=none/0/0/0 ino=10 uid=0 sk=2b shut=0 rto=1 rtt=0/0 "
            "ago=0/0/0 unacked=0 wnd=0\n" },
    };
    CHECK(cases);
}

static void units_of_ss(void **state)
{
    (void)state;
    static const char text[] = "CLOSE-WAIT 0 0 10.0.0.5:80 10.1.2.3:5 users:((\"nginx\",pid=7,fd=3)) ino:9 sk:1 "
                               "cgroup:/system.slice/nginx.service <->\n"
                               "LAST-ACK 0 1 10.0.0.5:80 10.1.2.3:6 ino:0 sk:2 cgroup:/system.slice/nginx.service <->\n"
                               "ESTAB 0 0 10.0.0.5:81 10.1.2.3:5 ino:10 sk:3 cgroup:/ <->\n";
    struct snapshot snapshot;
    captured(&snapshot, text, sizeof text - 1);
    assert_int_equal(snapshot.cgroup_count, 2);
    assert_string_equal(snapshot.processes[0].unit, "nginx.service");
    assert_string_equal(snapshot_cgroup_by_id(&snapshot, NULL, snapshot.conns[1].cgroup_id)->unit, "nginx.service");
    assert_null(snapshot_cgroup_by_id(&snapshot, NULL, snapshot.conns[2].cgroup_id)->unit);
    snapshot_deinit(&snapshot);
}

static void lsof_and_proc(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n"
          "nginx 812 www 12u IPv4 39944 0t0 TCP 10.0.0.5:80->10.1.2.3:5 (CLOSE_WAIT)\n"
          "nginx 812 www 14u IPv4 39944 0t0 TCP 10.0.0.5:80->10.1.2.3:5 (CLOSE_WAIT)\n"
          "nginx 813 www 12u IPv4 39944 0t0 TCP 10.0.0.5:80->10.1.2.3:5 (CLOSE_WAIT)\n"
          "nginx 812 www 3u IPv6 39945 0t0 TCP *:80 (LISTEN QR=1 QS=0)\n"
          "nginx 812 www 4u unix 0x1 0t0 39946 /run/x type=STREAM\n",
            "capture-lsof",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5 ino=39944 by 812/nginx:12 by 812/nginx:14 by 813/nginx:12\n"
            "LISTEN [::]:80 [::]:* rq=1 sq=0 ino=39945 by 812/nginx:3\n" NOTHING_ELSE },
        { "mysqld 99 bob 7u IPv4 0x5a2c1d43 0t0 TCP 127.0.0.1:3306->127.0.0.1:5 (ESTABLISHED)\n", "capture-lsof",
            "ESTABLISHED 127.0.0.1:3306 127.0.0.1:5 by 99/mysqld:7\n" NOTHING_ELSE },
        { "   3: 0500000A:238C 0302010A:C3CA 08 00000000:00000001 00:00000000 00000000     7        0 21542 1 0 20 4 "
          "30\n",
            "capture-proc-net-tcp",
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50122 rq=1 sq=0 timer=none/0/0/0 ino=21542 uid=7\n" NOTHING_ELSE },
    };
    CHECK(cases);
}

/* Any number of descriptors is one connection, and one socket of each process. */
static void lsof_counts_sockets(void **state)
{
    (void)state;
    enum { PROCESSES = 300, DESCRIPTORS = 3 };
    struct buf text = { 0 };
    for (int pid = 1; pid <= PROCESSES; pid++) {
        for (int fd = 0; fd < DESCRIPTORS; fd++) {
            buf_printf(&text, "a %d u %du IPv4 7 0t0 TCP 10.0.0.5:80->10.1.2.3:5 (CLOSE_WAIT)\n", pid, fd);
            buf_printf(
                &text, "a %d u %du IPv4 %d 0t0 TCP 10.0.0.5:80->10.1.2.3:6 (ESTABLISHED)\n", pid, fd, 1000 + pid);
        }
    }
    struct snapshot snapshot;
    captured(&snapshot, buf_text(&text), text.length);
    assert_int_equal(snapshot.conn_count, 1 + PROCESSES);
    assert_int_equal(holders_count_processes(&snapshot, &snapshot.conns[0]), PROCESSES);
    assert_int_equal(holders_count_processes(&snapshot, &snapshot.conns[PROCESSES]), 1);
    for (size_t i = 0; i < snapshot.process_count; i++)
        assert_int_equal(snapshot.processes[i].tcp_sockets, 2);
    snapshot_deinit(&snapshot);
    buf_deinit(&text);
}

static void bsd_and_solaris(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "tcp4 0 0 192.168.1.5.52345 17.57.146.20.5223 ESTABLISHED\ntcp46 0 0 *.8080 *.* LISTEN\n"
          "tcp4 0 0 *.* *.* CLOSED\ntcp4 0 0 *.49 *.*\n",
            "capture-bsd-netstat",
            "ESTABLISHED 192.168.1.5:52345 17.57.146.20:5223 rq=0 sq=0\nLISTEN [::]:8080 [::]:*\n"
            "CLOSED 0.0.0.0:* 0.0.0.0:* rq=0 sq=0\nBOUND 0.0.0.0:49 0.0.0.0:* rq=0 sq=0\n" NOTHING_ELSE },
        { "Proto Recv-Q Send-Q  Local Address  Foreign Address  (state) rhiwat shiwat  process:pid  state\n"
          "tcp4 5 0 1.2.3.4.80 5.6.7.8.9 CLOSE_WAIT 131072 131072 my server:812 00182\n",
            "capture-bsd-netstat", "CLOSE_WAIT 1.2.3.4:80 5.6.7.8:9 rq=5 sq=0 by 812/my server\n" NOTHING_ELSE },
        { "Proto Recv-Q Send-Q  Local Address  Foreign Address  (state) rhiwat shiwat    pid   epid state\n"
          "tcp4 5 0 1.2.3.4.80 5.6.7.8.9 CLOSE_WAIT 131072 131072  812 0 00182\n",
            "capture-bsd-netstat", "CLOSE_WAIT 1.2.3.4:80 5.6.7.8:9 rq=5 sq=0 by 812/?\n" NUMBERS_ONLY NOTHING_ELSE },
        /* -A: the kernel's address before each row. These addresses begin so on AIX. */
        { "f1000e006243aad6 tcp 0 0 192.0.2.114.58420 198.51.100.115.23 FIN_WAIT_1\n", "capture-bsd-netstat",
            "FIN_WAIT_1 192.0.2.114:58420 198.51.100.115:23 rq=0 sq=0\n" NOTHING_ELSE },
        { "0xfffff8001394b7a0 tcp4 0 0 *.80 *.* LISTEN\nfffff800 udp4 0 0 *.53 *.*\n", "capture-bsd-netstat",
            "LISTEN 0.0.0.0:80 0.0.0.0:*\n" NOTHING_ELSE },
        /* -L: one and a half times the backlog may wait. */
        { "Proto Listen Local Address\ntcp4  49/0/32  *.143\ntcp6  0/3/32  *.143\nunix  0/0/128 /var/run/log\n",
            "capture-bsd-netstat",
            "LISTEN 0.0.0.0:143 0.0.0.0:* rq=49 sq=48 backlog\n"
            "LISTEN [::]:143 [::]:* rq=0 sq=48 backlog\n" NOTHING_ELSE },
        { "UDP: IPv4\n  *.111   Idle\nTCP: IPv4\n   *.22   *.*  0  0  128000  0 LISTEN\n"
          "10.0.0.1.22  10.0.0.2.52111  64240  3  128872  7 ESTABLISHED\n",
            "capture-solaris-netstat",
            "LISTEN 0.0.0.0:22 0.0.0.0:*\nESTABLISHED 10.0.0.1:22 10.0.0.2:52111 rq=7 sq=3 wnd=64240\n" NOTHING_ELSE },
        { "10.0.0.1.22  10.0.0.2.52111  root  812  sshd  64240  0  128872  0 CLOSE_WAIT\n", "capture-solaris-netstat",
            "CLOSE_WAIT 10.0.0.1:22 10.0.0.2:52111 rq=0 sq=0 wnd=64240 by 812/sshd\n" NOTHING_ELSE },
    };
    CHECK(cases);
}

static void conntrack(void **state)
{
    (void)state;
#define BACK " src=203.0.113.7 dst=192.0.2.9 sport=443 dport=1 mark=0 use=1\n"
    static const struct captured_case cases[] = {
        { "ipv4 2 tcp 6 66 SYN_SENT src=192.0.2.9 dst=203.0.113.7 sport=1 dport=443 [UNREPLIED]" BACK
          "tcp 6 431999 ESTABLISHED src=2001:db8::1 dst=2001:db8::2 sport=1 dport=443" BACK
          "udp 17 20 src=192.0.2.9 dst=192.0.2.53 sport=1 dport=53" BACK
          /* An entry that has ended, or is ending, says nothing about a socket. */
          "tcp 6 50 TIME_WAIT src=192.0.2.9 dst=203.0.113.7 sport=2 dport=443" BACK
          "tcp 6 50 CLOSE_WAIT src=192.0.2.9 dst=203.0.113.7 sport=3 dport=443" BACK,
            "capture-conntrack",
            "SYN_SENT 192.0.2.9:1 203.0.113.7:443\nESTABLISHED [2001:db8::1]:1 [2001:db8::2]:443\n"
            "gap tracked-states\n" NOTHING_ELSE },
        { "tcp 6 50 TIME_WAIT src=192.0.2.9 dst=203.0.113.7 sport=2 dport=443" BACK, "capture-conntrack",
            "gap tracked-states\ngap refused\n" },
    };
    CHECK(cases);
#undef BACK
}

static void tcpview(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "app.exe\t2312\tTCP\t192.0.2.5\t49200\t192.0.2.7\t1433\tCLOSE_WAIT\n"
          "app.exe\t2312\tUDP\t192.0.2.5\t49200\t*\t*\t\n"
          "[System Process]\t0\tTCP\t192.0.2.5\t49201\t192.0.2.7\t1433\tTIME_WAIT\n",
            "capture-tcpview",
            "CLOSE_WAIT 192.0.2.5:49200 192.0.2.7:1433 by 2312/app.exe\n"
            "TIME_WAIT 192.0.2.5:49201 192.0.2.7:1433\n" NOTHING_ELSE },
        { "app.exe\t2312\tTCP\tClose Wait\t192.0.2.5\t49200\t192.0.2.7\t1433\t1/2/2026 9:00:00 AM\tapp.exe\n"
          "app.exe\t2312\tTCPv6\tListen\t::\t80\t::\t0\t1/2/2026 9:00:00 AM\tapp.exe\n",
            "capture-tcpview",
            "CLOSE_WAIT 192.0.2.5:49200 192.0.2.7:1433 by 2312/app.exe\n"
            "LISTEN [::]:80 [::]:* by 2312/app.exe\n" NOTHING_ELSE },
        { "TCP,app.exe,2312,CLOSE_WAIT,192.0.2.5:49200,192.0.2.7:1433\nUDP,app.exe,2312,*,192.0.2.5:5,*\n",
            "capture-tcpview", "CLOSE_WAIT 192.0.2.5:49200 192.0.2.7:1433 by 2312/app.exe\n" NOTHING_ELSE },
    };
    CHECK(cases);
}

/* The table names no system. Equal endpoints in two rows do not mean a second snapshot. */
static void table_of_a_device(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "PROT LOCAL ADDRESS FOREIGN ADDRESS STATE\ntcp 192.0.2.6:23 192.0.2.60:52666 ESTABLISHED\n"
          "tcp 192.0.2.6:23 192.0.2.60:52666 SYN-RECEIVED\ntcp 192.0.2.6:23 0.0.0.0:0 LISTEN\n",
            "capture-table",
            "ESTABLISHED 192.0.2.6:23 192.0.2.60:52666\nSYN_RECEIVED 192.0.2.6:23 192.0.2.60:52666\n"
            "LISTEN 192.0.2.6:23 0.0.0.0:*\n" NOTHING_ELSE },
        /* awk '{print $4, $5, $6}'. The port before a state is no count; a log is no table. */
        { "10.0.0.5:8080 10.1.2.3:5 CLOSE_WAIT\n10.0.0.5:8080 10.1.2.3:6 CLOSE_WAIT\n"
          "12:03:11 session 10.0.0.5:8080 10.1.2.3:7 closed\n",
            "capture-table",
            "CLOSE_WAIT 10.0.0.5:8080 10.1.2.3:5\nCLOSE_WAIT 10.0.0.5:8080 10.1.2.3:6\n"
            "gap lines-not-understood\n" NOTHING_ELSE },
    };
    CHECK(cases);
}

/* Two programs show the same sockets: missing fields are filled in, and nothing is counted twice. */
static void several_tables(void **state)
{
    (void)state;
#define SS "$ ss -tan\nESTAB 0 0 10.0.0.5:80 10.1.2.3:5\nCLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:6\n"
#define BOTH(owner)                                                                                                    \
    "ESTABLISHED 10.0.0.5:80 10.1.2.3:5 rq=0 sq=0" owner "\nCLOSE_WAIT 10.0.0.5:80 10.1.2.3:6 rq=1 sq=0" owner "\n"
    static const struct captured_case cases[] = {
        { SS "LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n$ netstat -tnp\ntcp 0 0 10.0.0.5:80 10.1.2.3:5 ESTABLISHED 812/java\n"
             "tcp 1 0 10.0.0.5:80 10.1.2.3:6 CLOSE_WAIT 812/java\n",
            "capture-linux-netstat",
            BOTH(" by 812/java") "LISTEN 0.0.0.0:80 0.0.0.0:* rq=0 sq=128 backlog\n" NOTHING_ELSE },
        { SS "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:7\n$ lsof -nP -iTCP\n"
             "java 812 www 12u IPv4 77 0t0 TCP 10.0.0.5:80->10.1.2.3:5 (ESTABLISHED)\n"
             "java 812 www 13u IPv4 78 0t0 TCP 10.0.0.5:80->10.1.2.3:6 (CLOSE_WAIT)\n",
            "capture-ss",
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:5 rq=0 sq=0 ino=77 by 812/java:12\n"
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:6 rq=1 sq=0 ino=78 by 812/java:13\n"
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:7 rq=1 sq=0\n" NOTHING_ELSE },
        /* Another host or another time is reported, and not mixed with the first. */
        { SS "LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n$ netstat -tnp\ntcp 0 0 10.0.0.6:80 10.1.2.3:5 ESTABLISHED 812/java\n"
             "tcp 1 0 10.0.0.5:80 10.1.2.3:6 LAST_ACK 812/java\n",
            "capture-linux-netstat",
            "ESTABLISHED 10.0.0.6:80 10.1.2.3:5 rq=0 sq=0 by 812/java\n"
            "LAST_ACK 10.0.0.5:80 10.1.2.3:6 rq=1 sq=0 by 812/java\ngap another-format\n" NOTHING_ELSE },
        /* A name in one table, its address in the other. Where two rows fit, neither is taken. */
        { "tcp 1 0 10.0.0.5:80 10.1.2.3:6 CLOSE_WAIT\ntcp 0 0 10.0.0.5:81 10.1.2.3:7 ESTABLISHED\n"
          "tcp 0 0 10.0.0.6:81 10.1.2.3:7 ESTABLISHED\n$ lsof -i\n"
          "java 812 www 12u IPv4 77 0t0 TCP web-1:http->10.1.2.3:6 (CLOSE_WAIT)\n"
          "java 812 www 13u IPv4 78 0t0 TCP web-1:81->10.1.2.3:7 (ESTABLISHED)\n",
            "capture-linux-netstat",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:6 rq=1 sq=0 ino=77 by 812/java:12\n"
            "ESTABLISHED 10.0.0.5:81 10.1.2.3:7 rq=0 sq=0\nESTABLISHED 10.0.0.6:81 10.1.2.3:7 rq=0 sq=0\n"
            "gap another-format\n" NOTHING_ELSE },
        /* One program, run again with other options; a connection that is gone by then is not added. */
        { "$ ss -tnp\nESTAB 0 0 10.0.0.5:80 10.1.2.3:5 users:((\"java\",pid=812,fd=12))\n"
          "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:6 users:((\"java\",pid=812,fd=13))\n"
          "ESTAB 0 0 10.0.0.5:80 10.1.2.3:4 users:((\"java\",pid=812,fd=14))\n"
          "$ ss -tno\nState Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
          "ESTAB 0 0 10.0.0.5:80 10.1.2.3:5 timer:(keepalive,1min,0)\n"
          "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:6 timer:(keepalive,2min,0)\n",
            "capture-ss",
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:5 rq=0 sq=0 timer=keepalive/60000/0/0 by 812/java:12\n"
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:6 rq=1 sq=0 timer=keepalive/120000/0/0 by 812/java:13\n"
            "gap several-looks\n" NOTHING_ELSE },
        /* The descriptors of a process; of a list that was printed twice the second counts. */
        { "$ ss -tane\nESTAB 0 0 10.0.0.5:80 10.1.2.3:5 ino:77 sk:1 <->\n"
          "ESTAB 0 0 10.0.0.5:80 10.1.2.3:6 ino:78 sk:2 <->\n"
          "$ ls -l /proc/812/fd\nlrwx------ 1 www www 64 Nov 28 10:00 5 -> socket:[78]\n"
          "$ ls -l /proc/812/fd\nlrwx------ 1 www www 64 Nov 28 10:00 0 -> /dev/null\n"
          "lrwx------ 1 www www 64 Nov 28 10:00 7 -> socket:[77]\n"
          "lrwx------ 1 www www 64 Nov 28 10:00 8 -> socket:[99]\n",
            "capture-ss",
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:5 rq=0 sq=0 timer=none/0/0/0 ino=77 uid=0 sk=1 shut=0 by 812/?:7\n"
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:6 rq=0 sq=0 timer=none/0/0/0 ino=78 uid=0 sk=2 shut=0\n" NUMBERS_ONLY
                NOTHING_ELSE },
        /* A list of processes. */
        { "  TCP 10.0.0.5:80 10.1.2.3:5 CLOSE_WAIT 812\n  TCP 10.0.0.5:80 10.1.2.3:6 CLOSE_WAIT 812\n"
          "  TCP 10.0.0.5:80 10.1.2.3:7 CLOSE_WAIT 812\n\n"
          "Image Name                     PID Session Name        Session#    Mem Usage\n"
          "========================= ======== ================ =========== ============\n"
          "w3wp.exe                       812 Services                   0     98,104 K\n",
            "capture-windows-netstat",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5 by 812/w3wp.exe\nCLOSE_WAIT 10.0.0.5:80 10.1.2.3:6 by 812/w3wp.exe\n"
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:7 by 812/w3wp.exe\n" NOTHING_ELSE },
        /* Listeners that the first command did not print. */
        { "tcp 0 0 10.0.0.5:80 10.1.2.3:5 ESTABLISHED 812/java\ntcp 0 0 10.0.0.5:80 10.1.2.3:6 ESTABLISHED 812/java\n"
          "tcp 0 0 10.0.0.5:80 10.1.2.3:7 ESTABLISHED 812/java\n" SS "LISTEN 3 5 0.0.0.0:80 0.0.0.0:*\n",
            "capture-linux-netstat",
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:5 rq=0 sq=0 by 812/java\n"
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:6 rq=0 sq=0 by 812/java\n"
            "ESTABLISHED 10.0.0.5:80 10.1.2.3:7 rq=0 sq=0 by 812/java\n"
            "LISTEN 0.0.0.0:80 0.0.0.0:* rq=3 sq=5 backlog\ngap another-format\n" NOTHING_ELSE },
    };
    CHECK(cases);
#undef SS
#undef BOTH
}

/* Messages of a log, alone or between rows; lines that only look like messages do not count. */
static void log_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum log_message message;
        uint32_t times;
    } cases[] = {
        { "TCP: Possible SYN flooding on port 80. Sending cookies.\n", LOG_SYN_FLOODING, 1 },
        { "TCP: too many orphaned sockets\nTCP: too many of orphaned sockets\n", LOG_TOO_MANY_ORPHANS, 2 },
        { "sonewconn: pcb 0xf1: Listen queue overflow: 49 already in queue awaiting acceptance (23 occurrences)\n",
            LOG_QUEUE_OVERFLOW, 23 },
        { "ESTAB 0 0 10.0.0.5:80 10.1.2.3:5\nip_conntrack: table full, dropping packet.\n", LOG_TRACKING_FULL, 1 },
        { "Source:        Tcpip\nDate: x\nEvent ID:      4227\nTCP/IP failed, because the selected local endpoint was "
          "recently used to connect to the same remote endpoint.\n",
            LOG_PORT_REUSED, 1 },
        { "ESTAB 0 0 10.0.0.5:80 10.1.2.3:5\nSource:        MyService\nEvent ID:      4231\n", LOG_PORTS_USED_UP, 0 },
        { "ESTAB 0 0 10.0.0.5:80 10.1.2.3:5\nSource:        Tcpip\nEvent ID:      42270\n", LOG_PORT_REUSED, 0 },
        { "ESTAB 0 0 10.0.0.5:80 10.1.2.3:5\nthere are 7 orphaned sockets\n", LOG_TOO_MANY_ORPHANS, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct snapshot snapshot;
        captured(&snapshot, cases[i].text, strlen(cases[i].text));
        if (snapshot.logged[cases[i].message] != cases[i].times)
            fail_msg("%s\nexpected %u, found %u", cases[i].text, cases[i].times, snapshot.logged[cases[i].message]);
        snapshot_deinit(&snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_netstat),
        cmocka_unit_test(time_in_state),
        cmocka_unit_test(linux_netstat),
        cmocka_unit_test(ss),
        cmocka_unit_test(units_of_ss),
        cmocka_unit_test(lsof_and_proc),
        cmocka_unit_test(lsof_counts_sockets),
        cmocka_unit_test(bsd_and_solaris),
        cmocka_unit_test(conntrack),
        cmocka_unit_test(tcpview),
        cmocka_unit_test(table_of_a_device),
        cmocka_unit_test(several_tables),
        cmocka_unit_test(log_lines),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
