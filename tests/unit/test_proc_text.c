#include "source/text/cgroup_path.h"
#include "source/text/proc_net_tcp_row.h"
#include "source/linux/proc_text.h"
#include "source/text/proc_values.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static void rows_of_net_tcp(void **state)
{
    (void)state;
    struct conn conn;
    assert_int_equal(proc_parse_net_tcp_row("   3: 0500000A:238C 0302010A:C3CA 08 00000000:00000001 00:00000000 "
                                            "00000000     7        0 21542 1 0000 20 4 30 10 -1",
                         false, &conn),
        0);
    assert_int_equal(conn.state, STATE_CLOSE_WAIT);
    assert_int_equal(conn.local_port, 9100);
    assert_int_equal(conn.remote_port, 50122);
    assert_int_equal(conn.recv_q_bytes, 1);
    assert_int_equal(conn.send_q_bytes, 0);
    assert_int_equal(conn.uid, 7);
    assert_int_equal(conn.inode, 21542);
    assert_int_equal(conn.timer, TIMER_NONE);
    assert_true(conn_has(&conn, CONN_QUEUES | CONN_TIMER | CONN_INODE | CONN_UID));
    assert_false(conn_has(&conn, CONN_TCP_INFO));
    assert_false(conn_has(&conn, CONN_COOKIE));
    struct buf text = { 0 };
    ip_port_format(&text, &conn.local, conn.local_port);
    assert_string_equal(buf_text(&text), "10.0.0.5:9100");
    buf_deinit(&text);

    /* LAST_ACK; the FIN was retransmitted 5 times, next in 3.2 s. It is an orphan, so there is no uid. */
    assert_int_equal(proc_parse_net_tcp_row("   9: 0100007F:0050 0100007F:C3CA 09 00000001:00000000 01:00000140 "
                                            "00000005     0        0 0 1 0000 20 4 30 10 -1",
                         false, &conn),
        0);
    assert_int_equal(conn.state, STATE_LAST_ACK);
    assert_int_equal(conn.timer, TIMER_RETRANSMIT);
    assert_int_equal(conn.timer_ms, 3200);
    assert_int_equal(conn.retransmits, 5);
    assert_false(conn_has(&conn, CONN_UID));

    /* The persist timer: probes have a column of their own. */
    assert_int_equal(proc_parse_net_tcp_row("   9: 0100007F:0050 0100007F:C3CA 09 00010000:00000000 04:00000140 "
                                            "00000000     0        2 0 1 0000 20 4 30 10 -1",
                         false, &conn),
        0);
    assert_int_equal(conn.timer, TIMER_PERSIST);
    assert_int_equal(conn.retransmits, 2);

    assert_int_equal(proc_parse_net_tcp_row("   0: 00000000000000000000000001000000:1F90 "
                                            "00000000000000000000000000000000:0000 0A 00000000:00000002 00:00000000 "
                                            "00000000  1000        0 4711 1 0000 100 0 0 10 0",
                         true, &conn),
        0);
    assert_int_equal(conn.state, STATE_LISTEN);
    assert_true(conn.ipv6);
    assert_true(ip_is_loopback(&conn.local));
    assert_int_equal(conn.recv_q_bytes, 2);
}

static void rows_that_are_none(void **state)
{
    (void)state;
    static const char *const rows[] = { "", "  sl  local_address rem_address   st tx_queue rx_queue",
        "   3:", "   3: 0500000A:238C", "   3: 0500000A:238C 0302010A:C3CA 63 00000000:00000001 00:00000000 0 7 0 1",
        "   3: 0500000A-238C 0302010A:C3CA 08 00000000:00000001 00:00000000 00000000     7        0 21542" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conn conn = { .local_port = 77 };
        assert_int_equal(proc_parse_net_tcp_row(rows[i], false, &conn), -EBADMSG);
        assert_int_equal(conn.local_port, 77); /* untouched */
    }
}

static void stat_with_any_name(void **state)
{
    (void)state;
    struct proc_stat stat;
    assert_int_equal(
        proc_parse_stat(
            "812 (evil) R 1 (x\n) T 800 812 812 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 17 0 123456 1 2 3", &stat),
        0);
    assert_string_equal(stat.name, "evil) R 1 (x\n");
    assert_int_equal(stat.state, 'T');
    assert_int_equal(stat.parent_pid, 800);
    assert_int_equal(stat.threads, 17);
    assert_int_equal(stat.start_ticks, 123456);
    assert_false(stat.kernel_thread);
    assert_int_equal(proc_parse_stat("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 7 0", &stat), 0);
    assert_true(stat.kernel_thread);
    assert_int_equal(proc_parse_stat("812 (cut", &stat), -EBADMSG);
    assert_int_equal(proc_parse_stat("812 )(", &stat), -EBADMSG);
    assert_int_equal(proc_parse_stat("", &stat), -EBADMSG);
}

static void limits_and_users(void **state)
{
    (void)state;
    uint32_t number, hard;
    assert_int_equal(
        proc_parse_limits("Limit   Soft  Hard\nMax open files            1024                 524288               "
                          "files     \n",
            &number, &hard),
        0);
    assert_int_equal(number, 1024);
    assert_int_equal(hard, 524288);
    assert_int_equal(proc_parse_limits(
                         "Max open files            unlimited            unlimited            files\n", &number, &hard),
        0);
    assert_int_equal(number, UINT32_MAX);
    assert_int_equal(hard, UINT32_MAX);
    assert_int_equal(proc_parse_limits("Max open files   1024\n", &number, &hard), -EBADMSG);
    assert_int_equal(proc_parse_limits("Max processes 1\n", &number, &hard), -EBADMSG);
    assert_int_equal(proc_parse_fdinfo_flags("pos:\t0\nflags:\t02000002\nmnt_id:\t9\n", &number), 0);
    assert_int_equal(number, 02000002);
    assert_int_equal(proc_parse_fdinfo_flags("pos:\t0\n", &number), -EBADMSG);
    assert_int_equal(proc_parse_status_uid("Name:\tx\nUid:\t1000\t33\t33\t33\n", &number), 0);
    assert_int_equal(number, 33);
    assert_int_equal(proc_parse_status_uid("Name:\tUid: 4\n", &number), -EBADMSG);
}

static void socket_links(void **state)
{
    (void)state;
    uint32_t inode;
    assert_true(proc_parse_socket_link("socket:[4294967295]", 19, &inode));
    assert_int_equal(inode, UINT32_MAX);
    static const char *const others[] = { "socket:[4294967296]", "socket:[]", "socket:[0]", "socket:[12", "pipe:[12]",
        "socket:[1a]", "/tmp/socket:[12]", "" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(proc_parse_socket_link(others[i], strlen(others[i]), &inode));
}

static void expect_cgroup(const char *path, const char *unit, const char *container)
{
    const char *start = "";
    size_t length = proc_cgroup_unit(path, &start);
    assert_int_equal(length, strlen(unit));
    assert_memory_equal(start, unit, length);
    length = proc_cgroup_container(path, &start);
    assert_int_equal(length, strlen(container));
    assert_memory_equal(start, container, length);
}

static void units_and_containers(void **state)
{
    (void)state;
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    expect_cgroup("/system.slice/nginx.service", "nginx.service", "");
    expect_cgroup("/user.slice/user-1000.slice/user@1000.service/app.slice/web.service", "web.service", "");
    expect_cgroup("/user.slice/user-0.slice/session-3.scope", "session-3.scope", "");
    expect_cgroup("/system.slice/docker-" HASH ".scope", "docker-" HASH ".scope", "0123456789ab");
    expect_cgroup("/docker/" HASH, "", "0123456789ab");
    expect_cgroup("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" HASH ".scope", "cri-containerd-" HASH ".scope",
        "0123456789ab");
    expect_cgroup("/machine.slice/libpod-" HASH ".scope/container", "libpod-" HASH ".scope", "0123456789ab");
    expect_cgroup("/lxc.payload.mail/system.slice/exim.service", "exim.service", "mail");
    expect_cgroup("/lxc/mail", "", "mail");
    expect_cgroup("/machine.slice/machine-web.scope", "machine-web.scope", "web");
    expect_cgroup("/", "", "");
    expect_cgroup("/system.slice/x" HASH, "", ""); /* a longer name that ends with a hash is not a container */
}

static void the_cgroup_line(void **state)
{
    (void)state;
    const char *path = NULL;
    assert_int_equal(proc_parse_cgroup("0::/system.slice/a.service\n", &path), 23);
    assert_memory_equal(path, "/system.slice/a.service", 23);
    /* Both versions are mounted: systemd's hierarchy is used, because v2 has only the root. */
    assert_int_equal(proc_parse_cgroup("4:memory:/x\n1:name=systemd:/system.slice/b.service\n0::/\n", &path), 23);
    assert_memory_equal(path, "/system.slice/b.service", 23);
    assert_int_equal(proc_parse_cgroup("4:memory:/x\n", &path), 0);
}

static void counters_by_name(void **state)
{
    (void)state;
    struct net_values values = { 0 };
    proc_parse_counters("sockets: used 12\nTCP: inuse 5 orphan 3 tw 7 alloc 9 mem 2\nUDP: inuse 4 mem 0\n",
        COUNTER_FILE_SOCKSTAT, &values);
    assert_int_equal(values.counters[COUNTER_ORPHANS], 3);
    assert_int_equal(values.counters[COUNTER_SOCKETS_IN_USE], 5);
    assert_int_equal(values.counters[COUNTER_MEMORY_PAGES], 2);
    proc_parse_counters(
        "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 20 33\nIpExt: InNoRoutes\nIpExt: 5\n",
        COUNTER_FILE_NETSTAT, &values);
    assert_int_equal(values.counters[COUNTER_LISTEN_OVERFLOWS], 20);
    assert_int_equal(values.counters[COUNTER_LISTEN_DROPS], 33);
    assert_false(values.has_counter[COUNTER_TIME_WAIT_OVERFLOW]);
    /* More names than numbers, and a heading without numbers. */
    struct net_values cut = { 0 };
    proc_parse_counters(
        "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 20\nTcpExt: X\n", COUNTER_FILE_NETSTAT, &cut);
    assert_true(cut.has_counter[COUNTER_LISTEN_OVERFLOWS]);
    assert_false(cut.has_counter[COUNTER_LISTEN_DROPS]);
}

static void settings_by_word(void **state)
{
    (void)state;
    struct net_values values = { 0 };
    proc_parse_setting("32768\t60999\n", SETTING_PORT_RANGE_FIRST, &values);
    proc_parse_setting("32768\t60999\n", SETTING_PORT_RANGE_LAST, &values);
    assert_int_equal(values.settings[SETTING_PORT_RANGE_LAST], 60999);
    proc_parse_setting("80,40000-40009,60990-61010\n", SETTING_RESERVED_PORTS, &values);
    assert_int_equal(values.settings[SETTING_RESERVED_PORTS], 20);
    proc_parse_setting("", SETTING_FIN_TIMEOUT, &values);
    assert_false(values.has_setting[SETTING_FIN_TIMEOUT]);
    proc_parse_setting("1 2", SETTING_MEM_LIMIT, &values);
    assert_false(values.has_setting[SETTING_MEM_LIMIT]);
}

static void system_calls(void **state)
{
    (void)state;
    long number;
    uint64_t argument;
    assert_int_equal(proc_parse_syscall("45 0x7 0x1000 0x400 0x0\n", &number, &argument), 0);
    assert_int_equal(number, 45);
    assert_int_equal(argument, 7);
    assert_int_equal(proc_parse_syscall("running\n", &number, &argument), 0);
    assert_int_equal(number, -1);
    assert_int_equal(proc_parse_syscall("", &number, &argument), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_net_tcp),
        cmocka_unit_test(rows_that_are_none),
        cmocka_unit_test(stat_with_any_name),
        cmocka_unit_test(limits_and_users),
        cmocka_unit_test(socket_links),
        cmocka_unit_test(units_and_containers),
        cmocka_unit_test(the_cgroup_line),
        cmocka_unit_test(counters_by_name),
        cmocka_unit_test(settings_by_word),
        cmocka_unit_test(system_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
