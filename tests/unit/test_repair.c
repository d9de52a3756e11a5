/* Captures that mails, chats, terminals or other programs have changed: repaired or reported, but not guessed. */
#include <stdlib.h>
#include <string.h>

#include "captured.h"
#include "model/holders.h"
#include "source/capture/capture.h"
#include "source/capture/format.h"
#include "unit.h"
#include "source/capture/input/open.h"

static const struct gap *find_gap(const struct snapshot *snapshot, const char *id)
{
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        if (strcmp(snapshot->gaps[i].id, id) == 0)
            return &snapshot->gaps[i];
    }
    return NULL;
}

static unsigned count_state(const struct snapshot *snapshot, enum conn_state state)
{
    unsigned count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        count += snapshot->conns[i].state == state;
    return count;
}

#define TCP(port) "  TCP    10.0.0.5:9100   10.1.2.3:" port "   CLOSE_WAIT   4312\n"
#define LINUX(port) "tcp   1   0 10.0.0.5:9100   10.1.2.3:" port "   CLOSE_WAIT   812/java\n"

/* Two connections of one process, and all lines understood. */
static void expect_whole(const char *text)
{
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    const struct gap *lost = find_gap(&snapshot, "lines-not-understood");
    if (count_state(&snapshot, STATE_CLOSE_WAIT) != 2 || lost != NULL)
        fail_msg("%zu connections, %s of\n%s", snapshot.conn_count, lost ? lost->text : "all understood", text);
    assert_true(snapshot.process_count == 1 && snapshot.processes[0].tcp_sockets == 2);
    snapshot_deinit(&snapshot);
}

static void what_only_shows_is_taken_off(void **state)
{
    (void)state;
    expect_whole(TCP("1") "  TCP\xc2\xa0\xc2\xa0 10.0.0.5:9100\xc2\xa0 10.1.2.3:2 \xc2\xa0 CLOSE_WAIT  4312\n");
    expect_whole(TCP("1") "  TCP    10.0.0.5:\x1b[01;31m\x1b[K9100\x1b[m\x1b[K   10.1.2.3:2   CLOSE_WAIT   4312\n");
    expect_whole(
        "&gt; TCP  10.0.0.5:9100  10.1.2.3:1  CLOSE_WAIT  4312\n&gt; TCP  10.0.0.5:9100  10.1.2.3:2  CLOSE_WAIT  "
        "4312\n");
    expect_whole(" > " TCP("1") " > " TCP("2"));
    expect_whole("<pre><code>" TCP("1") TCP("2") "</code></pre>\n");
    expect_whole(
        "<tr><td>tcp</td><td> 1 0 10.0.0.5:9100</td><td> 10.1.2.3:1 CLOSE_WAIT 812/java&#32;</td></tr><br/>\n" LINUX(
            "2"));
    expect_whole("TCP 10.0.0.5\xef\xbc\x9a"
                 "9100 10.1.2.3\xef\xbc\x9a"
                 "1 CLOSE_WAIT 4312\n" TCP("2"));
    expect_whole("&gt; CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:1 users:((&quot;java&quot;,pid=812,fd=7))\n"
                 "&gt; CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:2 users:((&quot;java&quot;,pid=812,fd=8))\n");
    expect_whole("| Proto | Local | Foreign | State | PID |\n|---|---|---|---|---|\n"
                 "| TCP | 10.0.0.5:80 | 10.1.2.3:1 | CLOSE_WAIT | 4312 |\n"
                 "|TCP|10.0.0.5:80|10.1.2.3:2|CLOSE_WAIT|4312|\n");
}

static void what_stands_before_rows_is_passed_over(void **state)
{
    (void)state;
    expect_whole("2026-01-31 12:03:11 " TCP("1") "2026-01-31 12:03:12 " TCP("2"));
    expect_whole("12:" LINUX("1") "13:" LINUX("2"));
    expect_whole("web-3: " LINUX("1") "web-3: " LINUX("2"));
    expect_whole("- " TCP("1") "- " TCP("2"));
    expect_whole("Nov 30 23:59:59 " LINUX("1") "Dec 1 00:00:00 " LINUX("2"));
    expect_whole("INFO " LINUX("1") "WARN " LINUX("2"));
}

static void rows_of_two_hosts_are_not_one_look(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "web-3: " LINUX("1") "web-3: " LINUX("2") "web-3: " LINUX("3") "web-4: " LINUX("1"),
        "[web-3] " LINUX("1") "[web-3] " LINUX("2") "[web-3] " LINUX("3") "[web-4] " LINUX("1"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct snapshot snapshot;
        captured(&snapshot, texts[i], strlen(texts[i]));
        assert_int_equal(snapshot.conn_count, 3);
        assert_non_null(find_gap(&snapshot, "lines-not-understood"));
        assert_int_equal(snapshot.processes[0].tcp_sockets, 3);
        snapshot_deinit(&snapshot);
    }
}

/* --- cut and joined lines ----------------------------------------------------------------------------------------- */

/* So many connections, without owners, and a gap that reports it. */
static void expect_doubt(const char *text, size_t conns)
{
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    const struct gap *lost = find_gap(&snapshot, "lines-not-understood");
    if (snapshot.conn_count != conns || lost == NULL)
        fail_msg("%zu connections, %s of\n%s", snapshot.conn_count, lost ? lost->text : "all understood", text);
    for (size_t i = 0; i < snapshot.conn_count; i++)
        assert_int_equal(snapshot.conns[i].holder, NO_INDEX);
    for (size_t i = 0; i < snapshot.process_count; i++)
        assert_int_equal(snapshot.processes[i].tcp_sockets, 0);
    snapshot_deinit(&snapshot);
}

static void a_number_that_may_be_cut_names_nobody(void **state)
{
    (void)state;
    expect_doubt("CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:5 users:((\"javaw\",pid=81\n234,fd=100))\n", 1);
    expect_doubt("  TCP    10.0.0.5:9100   10.1.2.3:1   CLOSE_WAIT   43\n120\n", 1);
    expect_doubt("CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:5 users:((\"jav\naw\",pid=81234,fd=100))\n", 1);
}

static void expect_refused(const char *text, const char *part)
{
    const struct capture_options options = { .path = "x.txt" };
    struct snapshot snapshot;
    struct input input;
    struct error err = { 0 };
    snapshot_init(&snapshot);
    input_open_bytes(&input, text, strlen(text));
    assert_int_not_equal(capture_read_input(&options, &input, &snapshot, &err), 0);
    if (strstr(err.message, part) == NULL)
        fail_msg("'%s' is not in: %s", part, err.message);
    input_close(&input);
    snapshot_deinit(&snapshot);
}

static void a_state_that_was_cut_is_none(void **state)
{
    (void)state;
    static const char cut[] =
        "tcp  1  0 10.0.0.5:9100  10.1.2.3:5  CLOSE\ntcp  1  0 10.0.0.5:9100  10.1.2.3:6  CLOSE\n";
    expect_refused(cut, "2 cannot be read");
    expect_refused("  TCP 10.0.0.5:9100 10.1.2.3:5 CLOSE\n_WAIT 4312\n", "1 cannot be read");
    /* The column R-MBUF of FreeBSD's netstat -x. */
    expect_refused("tcp4 0 44 10.0.0.5.22 192.168.5.4.15000 8 1 0 0 65700 66608\n", "1 cannot be read");
}

static void joined_lines_are_no_rows(void **state)
{
    (void)state;
    expect_refused(
        "TCP 10.0.0.5:80 10.1.2.3:5 CLOSE_WAIT 7 TCP 10.0.0.5:80 10.1.2.3:6 CLOSE_WAIT 7\n", "cannot be read");
    expect_refused(
        "tcp 1 0 10.0.0.5:80 10.1.2.3:5 CLOSE_WAIT tcp 1 0 10.0.0.5:80 10.1.2.3:6 CLOSE_WAIT\n", "cannot be read");
    expect_refused("ESTAB 0 0 10.0.0.5:80 10.1.2.3:5 ESTAB 0 0 10.0.0.5:80 10.1.2.3:6\n", "cannot be read");
    expect_refused("State Recv-Q Send-Q Local Address:Port Peer Address:Port ESTAB 0 0 10.0.0.5:80 10.1.2.3:5\n",
        "cannot be read");
}

/* A word may stand for an endpoint: equal names are one host, a masked address may be any. */
static void names_instead_of_numbers(void **state)
{
    (void)state;
    static const char text[] = "  TCP    SRV01:9100   client0.corp.local:50122  CLOSE_WAIT  4312\n"
                               "  TCP    SRV01:9100   client0.corp.local:50123  CLOSE_WAIT  4312\n"
                               "  TCP    xxx.xxx.xxx.xxx:80   xxx.xxx.xxx.xxx:xxxx  CLOSE_WAIT  <pid>\n"
                               "  TCP    xxx.xxx.xxx.xxx:80   xxx.xxx.xxx.xxx:xxxx  CLOSE_WAIT  <pid>\n";
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    assert_int_equal(snapshot.conn_count, 4); /* two rows with the same text are not two snapshots */
    assert_true(ip_equal(&snapshot.conns[0].remote, &snapshot.conns[1].remote));
    assert_true(ip_is_word(&snapshot.conns[0].remote) && !ip_is_redacted(&snapshot.conns[0].remote));
    assert_true(ip_is_redacted(&snapshot.conns[2].remote));
    assert_int_equal(snapshot.conns[2].holder, NO_INDEX);
    snapshot_deinit(&snapshot);
}

/* --- owners and states -------------------------------------------------------------------------------------------- */

static void the_owner_of_another_protocol(void **state)
{
    (void)state;
    static const char text[] =
        "  TCP    10.0.0.5:445   10.1.2.3:50123   CLOSE_WAIT\n Can not obtain ownership information\n"
        "  UDP    0.0.0.0:123   *:*\n  W32Time\n [svchost.exe]\n"
        "  TCP    10.0.0.5:446   10.1.2.3:50124   CLOSE_WAIT\n [dns.exe]\n";
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    assert_int_equal(snapshot.conn_count, 2);
    assert_int_equal(snapshot.conns[0].holder, NO_INDEX);
    assert_string_equal(snapshot_owner(&snapshot, &snapshot.conns[1])->name, "dns.exe");
    assert_int_equal(snapshot.process_count, 1);
    snapshot_deinit(&snapshot);
}

/* A timer in one row says nothing about rows whose state always has one, nor about another part of the text. */
static void timers_that_are_not_shown(void **state)
{
    (void)state;
    static const char text[] =
        "LAST-ACK 0 1 10.0.0.5:80 10.1.2.3:5\nESTAB 0 0 10.0.0.5:80 10.1.2.3:6 timer:(keepalive,10sec,0)\n"
        "ESTAB 0 0 10.0.0.5:80 10.1.2.3:7\nState Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
        "ESTAB 0 0 10.0.0.5:80 10.1.2.3:8\n";
    static const bool known[] = { false, true, true, false };
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    assert_int_equal(snapshot.conn_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(conn_has(&snapshot.conns[i], CONN_TIMER), known[i]);
    snapshot_deinit(&snapshot);
}

/* ss omits the column if one state was asked for. */
static void a_filter_for_one_state(void **state)
{
    (void)state;
#define FILTERED                                                                                                       \
    "Recv-Q Send-Q Local Address:Port Peer Address:Port\n1 0 10.0.0.5:80 10.1.2.3:5\n1 0 10.0.0.5:80 10.1.2.3:6\n"
    static const char text[] = "# ss -tan state close-wait\n" FILTERED;
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    assert_int_equal(count_state(&snapshot, STATE_CLOSE_WAIT), 2);
    assert_int_equal(snapshot.conns[0].recv_q_bytes, 1);
    snapshot_deinit(&snapshot);
    expect_refused(FILTERED, "2 cannot be read");
}

static void what_the_tracker_knows_is_no_socket(void **state)
{
    (void)state;
    static const char text[] = LINUX(
        "1") "tcp 6 100 CLOSE_WAIT src=10.0.0.5 dst=10.1.2.3 sport=50122 dport=9100 src=10.1.2.3 "
             "dst=10.0.0.5 sport=9100 dport=50122 [ASSURED] mark=0 use=1\n" LINUX("2");
    expect_whole(text);
    expect_whole("TCP Statistics for IPv4\n" TCP("1") TCP("2"));
    expect_whole(LINUX("1") LINUX("2") "tcp_fin_timeout:60\ntcp_rmem = 4096 131072 6291456\ntcp_tw_reuse:2\n");
}

/* --- text around rows --------------------------------------------------------------------------------------------- */

static void logs_before_it(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned i = 0; i < 3000; i++)
        buf_printf(&text, "Jan 31 12:03:11 web-3 nginx[812]: upstream timed out, client 10.1.2.3, request %u\n", i);
    buf_str(&text, LINUX("1") LINUX("2"));
    expect_whole(buf_text(&text));
    buf_deinit(&text);
}

static void rows_of_another_program(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (unsigned i = 0; i < 6; i++)
        buf_printf(&text, "  TCP    10.0.0.5:9100   10.1.2.3:%u   ESTABLISHED   4312\n", 1000 + i);
    for (unsigned i = 0; i < 4; i++)
        buf_printf(
            &text, "java 812 bob %uu IPv4 %u 0t0 TCP 10.0.0.6:80->10.1.2.3:%u (CLOSE_WAIT)\n", i, 70 + i, 2000 + i);
    struct snapshot snapshot;
    captured(&snapshot, buf_text(&text), text.length);
    assert_int_equal(snapshot.conn_count, 6);
    const struct gap *gap = find_gap(&snapshot, "another-format");
    assert_true(gap != NULL && strstr(gap->text, "lsof") != NULL);
    snapshot_deinit(&snapshot);
    buf_deinit(&text);
}

static void a_long_row(void **state)
{
    (void)state;
    struct buf text = { 0 };
    buf_str(&text, "CLOSE-WAIT 1 0 10.0.0.5:80 10.1.2.3:5 users:((\"a\",pid=1,fd=3)");
    for (unsigned pid = 2; pid < 3000; pid++)
        buf_printf(&text, ",(\"a\",pid=%u,fd=3)", pid);
    buf_str(&text, ")\n");
    struct snapshot snapshot;
    captured(&snapshot, buf_text(&text), text.length);
    assert_int_equal(holders_count_processes(&snapshot, &snapshot.conns[0]), 2999);
    assert_null(find_gap(&snapshot, "rows-too-long"));
    snapshot_deinit(&snapshot);
    text.length -= 2; /* more of the same */
    for (unsigned pid = 3000; pid < 9000; pid++)
        buf_printf(&text, ",(\"a\",pid=%u,fd=3)", pid);
    buf_str(&text, ")\n");
    captured(&snapshot, buf_text(&text), text.length);
    assert_int_equal(snapshot.conn_count, 1);
    assert_non_null(find_gap(&snapshot, "rows-too-long"));
    snapshot_deinit(&snapshot);
    buf_deinit(&text);
}

static void snapshots_of_lsof(void **state)
{
    (void)state;
    static const char text[] = "a 7 u 3u IPv4 70 0t0 TCP 10.0.0.5:80->10.1.2.3:5 (ESTABLISHED)\n"
                               "a 7 u 4u IPv4 71 0t0 TCP 10.0.0.5:80->10.1.2.3:6 (ESTABLISHED)\n=======\n"
                               "a\\x20b 7 u 3u IPv4 70 0t0 TCP 10.0.0.5:80->10.1.2.3:5 (CLOSE_WAIT)\n=======\n";
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    assert_int_equal(snapshot.conn_count, 1);
    assert_int_equal(snapshot.conns[0].state, STATE_CLOSE_WAIT);
    assert_int_equal(snapshot.processes[0].tcp_sockets, 1);
    assert_non_null(find_gap(&snapshot, "several-looks"));
    snapshot_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_shows_is_taken_off),
        cmocka_unit_test(what_stands_before_rows_is_passed_over),
        cmocka_unit_test(rows_of_two_hosts_are_not_one_look),
        cmocka_unit_test(a_number_that_may_be_cut_names_nobody),
        cmocka_unit_test(a_state_that_was_cut_is_none),
        cmocka_unit_test(joined_lines_are_no_rows),
        cmocka_unit_test(names_instead_of_numbers),
        cmocka_unit_test(the_owner_of_another_protocol),
        cmocka_unit_test(timers_that_are_not_shown),
        cmocka_unit_test(a_filter_for_one_state),
        cmocka_unit_test(what_the_tracker_knows_is_no_socket),
        cmocka_unit_test(logs_before_it),
        cmocka_unit_test(rows_of_another_program),
        cmocka_unit_test(a_long_row),
        cmocka_unit_test(snapshots_of_lsof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
