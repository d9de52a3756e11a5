/* Several snapshots in one text, and texts with one snapshot that seem to repeat it. */
#include <stdio.h>
#include <string.h>

#include "captured.h"
#include "model/holders.h"
#include "unit.h"

static const char *several(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        if (strcmp(snapshot->gaps[i].id, "several-looks") == 0)
            return snapshot->gaps[i].text;
    }
    return NULL;
}

/* With one snapshot, all rows are used and nothing is reported. */
static void expect(struct buf *text, unsigned snapshots, size_t conns)
{
    struct snapshot snapshot;
    char wanted[64];
    captured(&snapshot, buf_text(text), text->length);
    snprintf(wanted, sizeof wanted, "holds %u looks", snapshots);
    const char *said = several(&snapshot);
    if (snapshots == 1 ? said != NULL : said == NULL || strstr(said, wanted) == NULL)
        fail_msg("%u snapshots expected, found: %s\nin %.2000s", snapshots, said ? said : "one", buf_text(text));
    if (snapshot.conn_count != conns)
        fail_msg("%zu connections instead of %zu in %.2000s", snapshot.conn_count, conns, buf_text(text));
    size_t held = 0, sockets = 0;
    for (size_t i = 0; i < snapshot.conn_count; i++)
        held += snapshot.conns[i].holder != NO_INDEX;
    for (size_t i = 0; i < snapshot.process_count; i++)
        sockets += snapshot.processes[i].tcp_sockets;
    assert_int_equal(sockets, held);
    snapshot_deinit(&snapshot);
    buf_deinit(text);
}

static void windows_row(struct buf *text, unsigned port, const char *state)
{
    buf_printf(text, "  TCP    10.0.0.5:9100   10.1.2.3:%u   %s   4312\r\n", port, state);
}

static void netstat_with_an_interval(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned round = 0; round < 3; round++) {
        buf_str(&text,
            "\r\nActive Connections\r\n\r\n  Proto  Local Address  Foreign Address  State  PID\r\n"
            "  TCP    0.0.0.0:9100   0.0.0.0:0   LISTENING   4312\r\n");
        for (unsigned i = 0; i < 40; i++) /* these come and go */
            windows_row(&text, 1000 + round * 100 + i, "TIME_WAIT");
        for (unsigned i = 0; i < 5 + round; i++) /* and these stay */
            windows_row(&text, 5000 + i, "CLOSE_WAIT");
    }
    expect(&text, 3, 1 + 40 + 7);
}

static void a_loop_without_headings(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned round = 0; round < 700; round++) { /* an hour of ss -Htan, every 5 s */
        buf_str(&text, "LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n");
        for (unsigned i = 0; i < 30; i++)
            buf_printf(&text, "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:%u\n", 2000 + i);
    }
    expect(&text, 700, 31); /* with the listener that is printed before them */
}

static void families_in_tables_of_their_own(void **state)
{
    (void)state;
    static const char heading[] = "Proto Recv-Q Send-Q  Local Address  Foreign Address  (state)\n";
    struct buf text = { 0 };
    for (unsigned round = 0; round < 2; round++) {
        buf_printf(&text, "%stcp4 0 0 *.22 *.* LISTEN\n", heading);
        buf_str(&text, heading);
        for (unsigned i = 0; i < 12; i++)
            buf_printf(&text, "tcp6 0 0 ::1.80 ::1.%u CLOSE_WAIT\n", 3000 + i);
    }
    expect(&text, 2, 13);
    for (unsigned round = 0; round < 2; round++) {
        buf_str(&text, heading);
        for (unsigned i = 0; i < 12; i++)
            buf_printf(&text, "tcp4 0 0 1.2.3.4.80 1.2.3.5.%u CLOSE_WAIT\n", 3000 + i);
        buf_str(&text, heading);
        for (unsigned i = 0; i < 12; i++)
            buf_printf(&text, "tcp6 0 0 ::1.80 ::1.%u CLOSE_WAIT\n", 3000 + i);
    }
    expect(&text, 2, 24);
}

/* Few of many stay. The test does not know which rows are in the sample. */
static void a_busy_server(void **state)
{
    (void)state;
    enum { ROWS = 30000, STAY = 400, SNAPSHOTS = 3 };
    struct buf text = { 0 };
    for (unsigned round = 0; round < SNAPSHOTS; round++) {
        buf_str(&text, "State Recv-Q Send-Q Local Address:Port Peer Address:Port\n");
        for (unsigned i = 0; i < ROWS; i++) {
            unsigned number = i < STAY ? i : (round + 1) * ROWS + i;
            buf_printf(&text, "ESTAB 0 0 10.0.0.5:80 10.%u.%u.%u:%u\n", number >> 16, number >> 8 & 255, number & 255,
                1024 + number % 60000);
        }
    }
    expect(&text, SNAPSHOTS, ROWS);
}

/* "netstat -c" was ended while it wrote. Its last rows are missing, and the last line is cut. */
static void the_last_one_is_cut(void **state)
{
    (void)state;
    static const char row[] = "tcp 1 0 10.0.0.5:80 10.1.2.3:%u CLOSE_WAIT 4312/server\n";
    struct buf text = { 0 };
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        for (unsigned round = 0; round < 3; round++) {
            buf_str(&text,
                "Active Internet connections (servers and established)\n"
                "Proto Recv-Q Send-Q Local Address Foreign Address State PID/Program name\n");
            for (unsigned i = 0; i < (round == 2 ? 290 : 300); i++)
                buf_printf(&text, row, 2000 + i);
        }
        buf_printf(&text, "tcp 1 0 10.0.0.5:80 10.1.2.3:2290 CLOSE_WA%s", is_cut ? "" : "IT 4312/server\n");
        expect(&text, 3, is_cut ? 300 : 291);
    }
}

static void json_one_after_the_other(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 5; i++)
            buf_printf(&text,
                "%s{\"LocalAddress\":\"10.0.0.5\",\"LocalPort\":80,\"RemoteAddress\":\"10.1.2.3\",\"RemotePort\":%u,"
                "\"State\":8,\"OwningProcess\":7}%s",
                i > 0 ? "," : "[", 1000 + i, i == 4 ? "]\n" : "");
    }
    expect(&text, 2, 5);
}

static void a_few_that_stay(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned round = 0; round < 2; round++) {
        buf_str(&text, "State Recv-Q Send-Q Local Address:Port Peer Address:Port\n");
        for (unsigned i = 0; i < 30000; i++) /* the four below are hardly ever in a sample of these */
            buf_printf(&text, "TIME-WAIT 0 0 10.0.0.5:80 10.1.%u.%u:%u\n", round, i & 255, 1024 + i);
        for (unsigned i = 0; i < 4; i++)
            buf_printf(&text, "CLOSE-WAIT 0 0 10.0.0.5:80 10.2.0.1:%u\n", 1024 + i);
    }
    expect(&text, 2, 30004);
}

/* Addresses that a narrow column has cut look equal; the other rows decide. */
static void with_addresses_that_are_cut(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned round = 0; round < 3; round++) {
        buf_str(&text, "Proto Recv-Q Send-Q Local Address Foreign Address State\n");
        for (unsigned i = 0; i < 10; i++)
            buf_printf(&text,
                "tcp 1 0 10.0.0.5:80 10.1.2.3:%u CLOSE_WAIT\ntcp6 0 0 2001:db8:85a3:8d3:1:443 2001:db8:85a3:8d3:2:5 "
                "ESTABLISHED\n",
                1000 + i);
    }
    expect(&text, 3, 20);
}

static void a_filtered_second_command(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned command = 0; command < 2; command++) {
        buf_str(&text, command == 0 ? "C:\\>netstat -ano\r\n" : "C:\\>netstat -ano | findstr CLOSE_WAIT\r\n");
        for (unsigned i = 0; i < 20; i++)
            windows_row(&text, 5000 + i, "CLOSE_WAIT");
        for (unsigned i = 0; command == 0 && i < 15; i++)
            windows_row(&text, 6000 + i, "ESTABLISHED");
    }
    expect(&text, 2, 35);
}

static void a_loop_around_lsof(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned round = 0; round < 3; round++) {
        buf_str(&text, "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n");
        for (unsigned i = 0; i < 5; i++)
            buf_printf(&text, "java %u u %uu IPv4 %u 0t0 TCP 10.0.0.5:80->10.1.2.3:%u (%s)\n", 812 + round, i, 70 + i,
                1000 + i, round == 2 ? "CLOSE_WAIT" : "ESTABLISHED");
    }
    struct snapshot snapshot;
    captured(&snapshot, buf_text(&text), text.length);
    assert_int_equal(snapshot.conn_count, 5);
    assert_int_equal(snapshot.conns[0].state, STATE_CLOSE_WAIT);
    assert_int_equal(snapshot_owner(&snapshot, &snapshot.conns[0])->pid, 814);
    assert_int_equal(holders_count_processes(&snapshot, &snapshot.conns[0]), 1);
    assert_non_null(several(&snapshot));
    snapshot_deinit(&snapshot);
    buf_deinit(&text);
}

/* --- look-alikes ------------------------------------------------------------------------------------------------- */

/* A loop over containers: the same service in each, and once even the same ports. */
static void namespaces_one_after_the_other(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned container = 0; container < 3; container++) {
        buf_printf(&text,
            "=== container %u\nState Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
            "LISTEN 0 128 0.0.0.0:8080 0.0.0.0:*\nESTAB 0 0 127.0.0.1:6379 127.0.0.1:40000\n",
            container);
        for (unsigned i = 0; i < 30; i++)
            buf_printf(&text, "ESTAB 0 0 172.17.0.%u:8080 10.1.2.3:%u\n", container + 2, 2000 + i);
    }
    expect(&text, 1, 3 * 32);
}

static void the_inode_tells_two_apart(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned i = 0; i < 10; i++)
        buf_printf(&text, "ESTAB 0 0 127.0.0.1:6379 127.0.0.1:40000 ino:%u\n", 100 + i);
    expect(&text, 1, 10);
}

static void listeners_that_share_a_port(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned i = 0; i < 16; i++) /* SO_REUSEPORT */
        buf_str(&text, "LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:((\"nginx\",pid=7,fd=6))\n");
    expect(&text, 1, 16);
}

static void a_row_for_each_descriptor(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned pid = 10; pid < 14; pid++)
        buf_printf(&text, "nginx %u www 12u IPv4 39944 0t0 TCP 10.0.0.5:80->10.1.2.3:5 (CLOSE_WAIT)\n", pid);
    struct snapshot snapshot;
    captured(&snapshot, buf_text(&text), text.length);
    assert_null(several(&snapshot));
    assert_int_equal(snapshot.conn_count, 1);
    assert_int_equal(holders_count_processes(&snapshot, &snapshot.conns[0]), 4);
    snapshot_deinit(&snapshot);
    buf_deinit(&text);
}

/* lsof -iTCP:80, then lsof -iTCP:81: the second is not a later snapshot of the first. */
static void lsof_about_several_ports(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned port = 80; port < 82; port++) {
        buf_str(&text, "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n");
        for (unsigned i = 0; i < 5; i++)
            buf_printf(&text, "java 812 u %uu IPv4 %u 0t0 TCP 10.0.0.5:%u->10.1.2.3:%u (CLOSE_WAIT)\n", port + i,
                100 * port + i, port, 1000 + i);
    }
    expect(&text, 1, 10);
}

/* TIME_WAIT of the old connection while its port is in use again: a dump takes some time. */
static void a_port_that_was_taken_again(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned i = 0; i < 50; i++)
        windows_row(&text, 1000 + i, "ESTABLISHED");
    windows_row(&text, 1000, "TIME_WAIT");
    for (unsigned i = 50; i < 100; i++)
        windows_row(&text, 1000 + i, "ESTABLISHED");
    expect(&text, 1, 100); /* the later row is used */
}

static void a_kernel_that_shows_some_twice(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned i = 0; i < 20000; i++) {
        buf_printf(&text, "TIME-WAIT 0 0 10.0.0.5:80 10.1.%u.%u:%u\n", i >> 8, i & 255, 1024 + i);
        if (i % 100 == 99)
            buf_printf(
                &text, "TIME-WAIT 0 0 10.0.0.5:80 10.1.%u.%u:%u\n", (i - 50) >> 8, (i - 50) & 255, 1024 + i - 50);
    }
    expect(&text, 1, 20000); /* each counts once */
}

/* IPv6 sockets with IPv4 addresses are in a table of their own. */
static void a_family_for_itself(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned family = 0; family < 2; family++) {
        buf_str(&text, "Proto Recv-Q Send-Q Local Address Foreign Address State\n");
        for (unsigned i = 0; i < 5; i++)
            buf_printf(&text, "tcp%s 0 0 10.0.0.5:80 10.1.2.3:%u TIME_WAIT\n", family ? "6" : " ", 1000 + i);
    }
    expect(&text, 1, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(netstat_with_an_interval),
        cmocka_unit_test(a_loop_without_headings),
        cmocka_unit_test(families_in_tables_of_their_own),
        cmocka_unit_test(a_busy_server),
        cmocka_unit_test(the_last_one_is_cut),
        cmocka_unit_test(a_few_that_stay),
        cmocka_unit_test(with_addresses_that_are_cut),
        cmocka_unit_test(a_filtered_second_command),
        cmocka_unit_test(a_loop_around_lsof),
        cmocka_unit_test(json_one_after_the_other),
        cmocka_unit_test(namespaces_one_after_the_other),
        cmocka_unit_test(the_inode_tells_two_apart),
        cmocka_unit_test(listeners_that_share_a_port),
        cmocka_unit_test(a_row_for_each_descriptor),
        cmocka_unit_test(lsof_about_several_ports),
        cmocka_unit_test(a_port_that_was_taken_again),
        cmocka_unit_test(a_kernel_that_shows_some_twice),
        cmocka_unit_test(a_family_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
