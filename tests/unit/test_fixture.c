#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "model/holders.h"

static void fields_that_are_named_are_known_and_no_others(void **state)
{
    (void)state;
    struct snapshot snapshot;
    fixture_must(&snapshot,
        "process 812 spoolsvc user=lp uid=7 fds=1267/4096\n"
        "conn LISTEN *:9100 recv_q=3 send_q=128 holders=812:3\n"
        "conn close-wait 10.0.0.5:9100 10.1.2.3:50122 recv_q=0 last_ack_recv=4h holders=812:17\n"
        "conn LastAck [2001:db8::5]:9100 [2001:db8::9]:50122 timer=retransmit timer_ms=14s retransmits=5 snd_wnd=0\n"
        "conn ESTABLISHED 10.0.0.5:9100 10.1.2.3:50123 inode=? cookie=?\n");
    assert_int_equal(snapshot.conn_count, 4);
    assert_int_equal(snapshot.netns_count, 1);
    assert_true(snapshot.netns[0].is_own);

    const struct conn *listener = &snapshot.conns[0], *leak = &snapshot.conns[1], *dying = &snapshot.conns[2];
    assert_int_equal(listener->state, STATE_LISTEN);
    assert_true(conn_has(listener, CONN_BACKLOG | CONN_QUEUES | CONN_UID | CONN_INODE));
    assert_true(ip_is_any(&listener->local));

    assert_int_equal(leak->state, STATE_CLOSE_WAIT);
    assert_int_equal(leak->last_ack_recv_ms, 14400000);
    assert_int_equal(leak->present, CONN_QUEUES | CONN_TCP_INFO | CONN_UID | CONN_INODE | CONN_COOKIE);
    assert_int_not_equal(leak->inode, 0);
    assert_int_not_equal(leak->inode, listener->inode);
    assert_int_equal(leak->uid, 7);
    assert_int_equal(snapshot_owner(&snapshot, leak)->pid, 812);
    assert_int_equal(snapshot.holders[leak->holder].fd, 17);
    assert_int_equal(snapshot.processes[0].tcp_sockets, 2);
    assert_int_equal(snapshot.processes[0].fds_limit, 4096);

    assert_int_equal(dying->present, CONN_TIMER | CONN_TCP_INFO | CONN_SND_WND | CONN_INODE | CONN_COOKIE);
    assert_int_equal(dying->timer, TIMER_RETRANSMIT);
    assert_int_equal(dying->timer_ms, 14000);
    assert_int_equal(dying->inode, 0);
    assert_int_equal(dying->holder, NO_INDEX);
    assert_true(dying->ipv6);

    assert_int_equal(snapshot.conns[3].present, 0);
    snapshot_deinit(&snapshot);
}

static void repetition_counts_up(void **state)
{
    (void)state;
    struct snapshot snapshot;
    fixture_must(&snapshot,
        "process 1 a\nprocess 2 b\n"
        "conn CLOSE_WAIT 10.0.0.5:80 10.1.2.255:65534 x4 last_ack_recv=4000..1000 holders=1:5,2:9 inode=700\n"
        "conn ESTABLISHED 10.0.0.5:40000 10.9.9.9:443 x2 vary=local_port\n"
        "conn TIME_WAIT 10.0.0.5:80 10.1.2.255:5000 x2 vary=peer_address\n");
    assert_int_equal(snapshot.conn_count, 8);
    const struct conn *conns = snapshot.conns;
    assert_int_equal(conns[1].remote_port, 65535);
    assert_int_equal(conns[2].remote_port, 65534);
    assert_int_equal(conns[2].remote.bytes[14], 3);
    assert_int_equal(conns[2].remote.bytes[15], 0);
    assert_int_equal(conns[0].last_ack_recv_ms, 4000);
    assert_int_equal(conns[1].last_ack_recv_ms, 3000);
    assert_int_equal(conns[3].last_ack_recv_ms, 1000);
    assert_int_equal(conns[3].inode, 703);
    assert_int_equal(holders_count_processes(&snapshot, &conns[3]), 2);
    assert_int_equal(snapshot.holders[conns[3].holder].fd, 8);
    assert_int_equal(snapshot_owner(&snapshot, &conns[3])->pid, 1);
    assert_int_equal(conns[5].local_port, 40001);
    assert_int_equal(conns[5].remote_port, 443);
    assert_int_equal(conns[7].remote.bytes[14], 3);
    assert_int_equal(conns[7].remote_port, 5000);
    assert_int_not_equal(conns[6].cookie, conns[7].cookie);
    snapshot_deinit(&snapshot);
}

static void everything_about_a_host_can_be_said(void **state)
{
    (void)state;
    struct snapshot snapshot;
    fixture_must(&snapshot,
        "host \"a b\" linux ? 2026-02-01T00:00:00.500Z # and a comment\n"
        "source linux-proc-net-tcp elapsed_us=99\n"
        "netns host own\n"
        "setting net.ipv4.ip_local_port_range 32768 60999\n"
        "netns web\n"
        "counter TcpExt.ListenDrops 12\n"
        "cgroup 4711 /x unit=x.service\n"
        "process 5 \"\\e[31m\\xff\\n\\\"\" cgroup=4711 fds=9/none state=T running=2h netns=host\n"
        "wait 5 S channel=futex_wait_queue threads=3\n"
        "wait 5 D call=read fd=4 target=\"a pipe\"\n"
        "conn LISTEN [::]:80 netns=host\n"
        "conn LISTEN [::]:81\n"
        "gap owners-hidden text=\"not seen\" remedy=\"run as root\"\n");
    assert_string_equal(snapshot.host_name, "a b");
    assert_null(snapshot.kernel);
    assert_true(snapshot.taken_at_ms == UINT64_C(1769904000500));
    assert_int_equal(snapshot.elapsed_us, 99);
    assert_int_equal(snapshot.net_values[0].settings[SETTING_PORT_RANGE_LAST], 60999);
    assert_false(snapshot.net_values[1].has_setting[SETTING_PORT_RANGE_LAST]);
    assert_int_equal(snapshot.net_values[1].counters[COUNTER_LISTEN_DROPS], 12);
    const struct process *process = &snapshot.processes[0];
    assert_string_equal(process->name, "\033[31m\xff\n\"");
    assert_string_equal(snapshot.cgroups[process->cgroup].unit, "x.service");
    assert_int_equal(process->fds_limit, UINT32_MAX);
    assert_int_equal(process->netns, 0);
    assert_int_equal(process->wait_count, 2);
    assert_int_equal(process->waits[0].threads, 3);
    assert_string_equal(process->waits[1].target, "a pipe");
    assert_int_equal(snapshot.conns[0].netns, 0);
    assert_int_equal(snapshot.conns[1].netns, 1);
    assert_string_equal(snapshot.gaps[0].remedy, "run as root");
    snapshot_deinit(&snapshot);
}

static void slips_of_the_pen_are_errors(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "con CLOSE_WAIT 1.1.1.1:1 1.1.1.1:2",
        "conn CLOSEWAITS 1.1.1.1:1 1.1.1.1:2",
        "conn CLOSE_WAIT 1.1.1:1 1.1.1.1:2",
        "conn CLOSE_WAIT 1.1.1.1:70000 1.1.1.1:2",
        "conn CLOSE_WAIT 1.1.1.1:1 1.1.1.1:2 recvq=1",
        "conn CLOSE_WAIT 1.1.1.1:1 1.1.1.1:2 recv_q",
        "conn CLOSE_WAIT 1.1.1.1:1 1.1.1.1:2 retransmits=256",
        "conn CLOSE_WAIT 1.1.1.1:1 1.1.1.1:2 recv_q=4h",
        "conn CLOSE_WAIT 1.1.1.1:1 1.1.1.1:2 timer=soon",
        "conn CLOSE_WAIT 1.1.1.1:1 1.1.1.1:2 holders=9:1",
        "conn CLOSE_WAIT 1.1.1.1:1 1.1.1.1:2 netns=nowhere",
        "process 1 a fds=x/4",
        "process 1 a colour=red",
        "process 1 a command=\"never ends",
        "process 1 \"a\\q\"",
        "wait 1 S",
        "setting net.ipv4.no_such 1",
        "setting net.ipv4.tcp_fin_timeout 1 2",
        "counter TcpExt.NoSuch 1",
        "gap only-an-id",
        "host a b c yesterday",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct snapshot snapshot;
        struct error err = { 0 };
        char text[256];
        snprintf(text, sizeof text, "# the second line is bad\n%s\n", bad[i]);
        snapshot_init(&snapshot);
        if (fixture_parse(&snapshot, "bad", text, &err) == 0)
            fail_msg("was taken: %s", bad[i]);
        assert_string_equal(err.subject, "bad:2");
        snapshot_deinit(&snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_that_are_named_are_known_and_no_others),
        cmocka_unit_test(repetition_counts_up),
        cmocka_unit_test(everything_about_a_host_can_be_said),
        cmocka_unit_test(slips_of_the_pen_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
