/* The metrics of a host, and their limited number. */
#include "report/metrics/metrics.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "unit.h"

/* The metrics of a fixture. The caller frees them. */
static char *metrics_by(
    const char *fixture, const struct selection *selection, const struct policy *policy, uint32_t top)
{
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct error err = { 0 };
    struct buf text = { 0 };
    const struct metrics_options options = { .tool_version = "1.2.3", .top = top, .elapsed_us = 12345 };
    fixture_must(&snapshot, fixture);
    diagnose(&snapshot, selection, policy, &diagnosis);
    if (report_metrics(&diagnosis, selection, &options, &text, &err) < 0)
        fail_msg("%s: %s", err.subject, err.message);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    return text.data;
}

static char *metrics_of(const char *fixture, const struct selection *selection, uint32_t top)
{
    return metrics_by(fixture, selection, NULL, top);
}

static void expect_line(const char *text, const char *line)
{
    struct buf wanted = { 0 };
    buf_printf(&wanted, "\n%s\n", line);
    if (strstr(text, wanted.data) == NULL)
        fail_msg("lacks %s in:\n%s", line, text);
    buf_deinit(&wanted);
}

/* The number of series in a family; with NULL, of all families. */
static size_t count_series(const char *text, const char *name)
{
    size_t count = 0;
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL) {
        if (*line != '#' && (name == NULL || (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == '{')))
            count++;
    }
    return count;
}

#define HOST                                                                                                           \
    "netns host own inode=4026531840\n"                                                                                \
    "setting net.ipv4.tcp_max_orphans 65536\n"                                                                         \
    "setting net.ipv4.tcp_max_tw_buckets 262144\n"                                                                     \
    "setting net.ipv4.tcp_mem 100 200 300\n"                                                                           \
    "setting net.ipv4.ip_local_port_range 40000 40999\n"                                                               \
    "counter TCP.orphan 7\ncounter TCP.mem 50\ncounter TCP.tw 4\n"                                                     \
    "counter TcpExt.ListenOverflows 12\ncounter TcpExt.ListenDrops 13\n"                                               \
    "counter TcpExt.TCPAbortOnClose 1\ncounter TcpExt.TCPAbortOnMemory 2\ncounter TcpExt.TCPAbortOnTimeout 3\n"        \
    "counter Tcp.RetransSegs 99\ncounter Tcp.ActiveOpens 8\n"                                                          \
    "process 812 spoolsvc parent=1 fds=1267/4096 running=2d\n"                                                         \
    "process 900 proxy parent=1 fds=500/none running=2d\n"                                                             \
    "conn LISTEN *:9100 recv_q=3 send_q=128 skmem_drops=20 holders=812:3\n"                                            \
    "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50122 x204 recv_q=0 send_q=0 timer=none last_ack_recv=4h "                 \
    "last_data_sent=4h last_data_recv=4h holders=812:17\n"                                                             \
    "conn ESTABLISHED 10.0.0.5:40000 10.9.9.9:5432 x250 vary=local_port recv_q=0 send_q=0 timer=none "                 \
    "last_data_sent=10 last_data_recv=10 last_ack_recv=10 holders=900:20\n"                                            \
    "conn TIME_WAIT 10.0.0.5:41500 10.9.9.9:80 x4 vary=local_port timer=time_wait timer_ms=50000\n"                    \
    "netns blue inode=4026532000\n"                                                                                    \
    "counter Tcp.RetransSegs 5\n"                                                                                      \
    "conn LISTEN *:80 recv_q=0 send_q=64 skmem_drops=0\n"                                                              \
    "gap owners-hidden text=\"no\" remedy=\"root\"\n"

static void everything_of_a_host(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "tcpwhy_build_info{version=\"1.2.3\"} 1",
        "tcpwhy_snapshot_timestamp_seconds 1769860991.123",
        "tcpwhy_scrape_duration_seconds 0.012345",
        "tcpwhy_verdict 2",
        "tcpwhy_gaps{id=\"owners-hidden\"} 1",
        "tcpwhy_connections{state=\"CLOSE_WAIT\",netns=\"host\",process=\"spoolsvc\"} 204",
        "tcpwhy_connections{state=\"LISTEN\",netns=\"host\",process=\"spoolsvc\"} 1",
        "tcpwhy_connections{state=\"ESTABLISHED\",netns=\"host\",process=\"proxy\"} 250",
        "tcpwhy_connections{state=\"TIME_WAIT\",netns=\"host\",process=\"\"} 4",
        "tcpwhy_connections{state=\"LISTEN\",netns=\"blue\",process=\"\"} 1",
        "tcpwhy_findings{id=\"close-wait-leak\",severity=\"critical\",owner=\"spoolsvc\"} 1",
        "tcpwhy_finding_connections{id=\"close-wait-leak\",severity=\"critical\",owner=\"spoolsvc\"} 204",
        "tcpwhy_oldest_age_seconds{cause=\"close-wait-leak\"} 14400.000",
        "tcpwhy_process_open_fds{process=\"spoolsvc\",pid=\"812\"} 1267",
        "tcpwhy_process_max_fds{process=\"spoolsvc\",pid=\"812\"} 4096",
        "tcpwhy_process_open_fds{process=\"proxy\",pid=\"900\"} 500",
        "tcpwhy_ports_used_ratio{netns=\"host\",source=\"10.0.0.5\",destination=\"10.9.9.9\",port=\"5432\"} 0.250000",
        "tcpwhy_accept_queue_connections{netns=\"host\",address=\"0.0.0.0\",port=\"9100\",process=\"spoolsvc\"} 3",
        ("tcpwhy_accept_queue_limit_connections{netns=\"host\",address=\"0.0.0.0\",port=\"9100\",process=\"spoolsvc\"} "
         "128"),
        "tcpwhy_listener_drops_total{netns=\"host\",address=\"0.0.0.0\",port=\"9100\",process=\"spoolsvc\"} 13",
        "tcpwhy_orphans 7",
        "tcpwhy_orphans_limit 65536",
        "tcpwhy_memory_bytes 204800",
        "tcpwhy_memory_pressure_bytes 819200",
        "tcpwhy_memory_limit_bytes 1228800",
        "tcpwhy_time_wait_sockets{netns=\"host\"} 4",
        "tcpwhy_time_wait_sockets_limit{netns=\"host\"} 262144",
        "tcpwhy_retransmitted_segments_total{netns=\"host\"} 99",
        "tcpwhy_retransmitted_segments_total{netns=\"blue\"} 5",
        "tcpwhy_aborts_total{netns=\"host\",reason=\"close\"} 1",
        "tcpwhy_aborts_total{netns=\"host\",reason=\"memory\"} 2",
        "tcpwhy_aborts_total{netns=\"host\",reason=\"timeout\"} 3",
        "tcpwhy_accept_queue_overflows_total{netns=\"host\"} 12",
        "tcpwhy_listen_drops_total{netns=\"host\"} 13",
        "tcpwhy_opens_total{netns=\"host\",direction=\"active\"} 8",
    };
    char *text = metrics_of(HOST, NULL, METRICS_TOP_DEFAULT);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_line(text, lines[i]);
    /* Unknown values are missing, never 0: no limit, no setting, no counter. */
    assert_null(strstr(text, "tcpwhy_process_max_fds{process=\"proxy\""));
    assert_null(strstr(text, "tcpwhy_time_wait_sockets_limit{netns=\"blue\""));
    assert_null(strstr(text, "reason=\"linger\""));
    assert_int_equal(count_series(text, "tcpwhy_ports_used_ratio"), 1); /* 4 of 1,000 are less than one per cent */
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    free(text);
}

static void of_what_was_asked_for(void **state)
{
    (void)state;
    struct selection selection = { .states = STATE_BIT(STATE_CLOSE_WAIT) };
    char *text = metrics_of(HOST, &selection, METRICS_TOP_DEFAULT);
    expect_line(text, "tcpwhy_connections{state=\"CLOSE_WAIT\",netns=\"host\",process=\"spoolsvc\"} 204");
    assert_int_equal(count_series(text, "tcpwhy_connections"), 1);
    assert_int_equal(count_series(text, "tcpwhy_process_open_fds"), 1);
    assert_int_equal(count_series(text, "tcpwhy_ports_used_ratio"), 0);
    assert_int_equal(count_series(text, "tcpwhy_listener_drops_total"), 0);
    assert_int_equal(count_series(text, "tcpwhy_retransmitted_segments_total"), 1); /* not those of blue */
    free(text);
}

static void what_is_ignored_counts_for_itself(void **state)
{
    (void)state;
    struct ignore ignore = { .name = "spool",
        .reason = "known",
        .selection = { .ports = { { 9100, 9100 } }, .port_count = 1, .causes = { "close-wait-*" }, .cause_count = 1 } };
    struct policy policy = { .ignores = &ignore, .ignore_count = 1 };
    char *text = metrics_by(HOST, NULL, &policy, METRICS_TOP_DEFAULT);
    expect_line(text, "tcpwhy_verdict 0");
    expect_line(text, "tcpwhy_ignored_connections{id=\"close-wait-leak\"} 204");
    expect_line(text, "tcpwhy_connections{state=\"CLOSE_WAIT\",netns=\"host\",process=\"spoolsvc\"} 204");
    assert_int_equal(count_series(text, "tcpwhy_findings"), 0);
    free(text);
}

static void an_empty_host(void **state)
{
    (void)state;
    char *text = metrics_of("# nothing\n", NULL, 1);
    expect_line(text, "tcpwhy_verdict 0");
    assert_int_equal(count_series(text, "tcpwhy_connections"), 0);
    free(text);
}

#define CONN(local, more) "conn ESTABLISHED " local " 10.1.2.3:50000 x2 recv_q=0 send_q=0 timer=none " more "\n"

/* Names that look like "other", like no name, like each other, or like the format. */
static void hostile_names(void **state)
{
    (void)state;
    char *text = metrics_of(
        "process 1 other fds=9/10\nprocess 2 \"a\\n\\e[31m\\\"} 1\" fds=9/10\n"
        "process 3 twin fds=9/10\nprocess 4 twin fds=9/10\n"
        /* both are shown in the same way */
        "process 5 \"\\x01\" fds=9/10\nprocess 6 \"\\\\x01\" fds=9/10\n" CONN("10.0.0.5:1", "holders=1:5")
            CONN("10.0.0.5:2", "holders=2:5") CONN("10.0.0.5:3", "holders=3:5") CONN("10.0.0.5:4", "holders=4:5")
                CONN("10.0.0.5:5", "holders=5:5") CONN("10.0.0.5:6", "holders=6:5"),
        NULL, METRICS_TOP_DEFAULT);
    expect_line(text, "tcpwhy_connections{state=\"ESTABLISHED\",netns=\"host\",process=\"other\"} 2");
    expect_line(text, "tcpwhy_connections{state=\"ESTABLISHED\",netns=\"host\",process=\"twin\"} 4");
    expect_line(text, "tcpwhy_connections{state=\"ESTABLISHED\",netns=\"host\",process=\"\\\\x01\"} 4");
    expect_line(
        text, "tcpwhy_connections{state=\"ESTABLISHED\",netns=\"host\",process=\"a\\\\n\\\\x1b[31m\\\"} 1\"} 2");
    assert_null(strchr(text, '\033'));
    free(text);
}

static void namespaces_of_one_name(void **state)
{
    (void)state;
    char *text = metrics_of("netns web own inode=1\ncounter Tcp.RetransSegs 1\n"
                            "netns other inode=2\ncounter Tcp.RetransSegs 2\n"
                            "netns blue inode=3\ncounter Tcp.RetransSegs 3\n" CONN("10.0.0.5:9", "netns=blue"),
        NULL, 2);
    /* This program's own namespace and the busiest one. Of the third only values that can be added up. */
    expect_line(text, "tcpwhy_retransmitted_segments_total{netns=\"web\"} 1");
    expect_line(text, "tcpwhy_retransmitted_segments_total{netns=\"blue\"} 3");
    assert_int_equal(count_series(text, "tcpwhy_retransmitted_segments_total"), 2);
    free(text);
    text = metrics_of("netns web own inode=1\ncounter Tcp.RetransSegs 1\n"
                      "netns other inode=2\ncounter Tcp.RetransSegs 2\n",
        NULL, 2);
    expect_line(text, "tcpwhy_retransmitted_segments_total{netns=\"other net:[2] 1\"} 2");
    free(text);
}

static void the_sockets_of_one_port_are_one_listener(void **state)
{
    (void)state;
    char *text = metrics_of("netns host own\ncounter TcpExt.ListenDrops 90\n"
                            "process 1 web fds=9/10\nprocess 2 web fds=9/10\n"
                            "conn LISTEN *:80 recv_q=1 send_q=10 skmem_drops=5 holders=1:3\n"
                            "conn LISTEN *:80 recv_q=8 send_q=10 skmem_drops=7 holders=2:3\n"
                            "conn LISTEN [::]:80 recv_q=0 send_q=10 skmem_drops=0 holders=2:4\n",
        NULL, METRICS_TOP_DEFAULT);
    expect_line(
        text, "tcpwhy_accept_queue_connections{netns=\"host\",address=\"0.0.0.0\",port=\"80\",process=\"web\"} 8");
    expect_line(text, "tcpwhy_listener_drops_total{netns=\"host\",address=\"0.0.0.0\",port=\"80\",process=\"web\"} 12");
    expect_line(text, "tcpwhy_listener_drops_total{netns=\"host\",address=\"::\",port=\"80\",process=\"web\"} 0");
    free(text);
}

/* The drops that the line says. */
static uint64_t dropped(const char *counter, unsigned sk_drops)
{
    char snapshot[256];
    snprintf(snapshot, sizeof snapshot, "netns host own\n%sconn LISTEN *:80 recv_q=0 send_q=10 skmem_drops=%u\n",
        counter, sk_drops);
    char *text = metrics_of(snapshot, NULL, METRICS_TOP_DEFAULT);
    static const char series[] =
        "tcpwhy_listener_drops_total{netns=\"host\",address=\"0.0.0.0\",port=\"80\",process=\"\"} ";
    const char *at = strstr(text, series);
    uint64_t drops = at != NULL ? strtoull(at + strlen(series), NULL, 10) : UINT64_MAX;
    free(text);
    return drops;
}

static void bare_acks_of_a_deferred_accept_are_no_dropped_connections(void **state)
{
    (void)state;
    assert_int_equal(dropped("counter TcpExt.ListenDrops 0\n", 300), 0);
    assert_int_equal(dropped("counter TcpExt.ListenDrops 20\n", 300), 20);
    assert_int_equal(dropped("counter TcpExt.ListenDrops 400\n", 300), 300);
    assert_int_equal(dropped("", 300), UINT64_MAX); /* which of them were connections is not known */
}

/*
 * Ports of a listener and of bound sockets are used for every destination. A TIME_WAIT that may be reused does not
 * count.
 */
static void ports_count_as_the_diagnosis_counts_them(void **state)
{
    (void)state;
    char *text = metrics_of("setting net.ipv4.ip_local_port_range 40000 40999\n"
                            "setting net.ipv4.ip_local_reserved_ports 10\n"
                            "conn BOUND 0.0.0.0:40000 x20 vary=local_port\n"
                            "conn ESTABLISHED 10.0.0.5:40100 10.9.9.9:80 x475 vary=local_port recv_q=0 send_q=0\n"
                            "conn TIME_WAIT 10.0.0.5:40600 10.9.9.9:80 x20 vary=local_port timer=time_wait "
                            "timer_ms=10000\n",
        NULL, METRICS_TOP_DEFAULT);
    /* 475 + 20 TIME_WAIT + (20 bound, 10 of them reserved anyway) of 990 */
    expect_line(text,
        "tcpwhy_ports_used_ratio{netns=\"host\",source=\"10.0.0.5\",destination=\"10.9.9.9\",port=\"80\"} 0.510101");
    free(text);
}

/* --- bounds ----------------------------------------------------------------------------------------------------- */

enum { CLIENTS = 20, LEAKS = 10 };

/* Each process has a name, a listener, some leaks and some outgoing connections, all with peers of their own. */
static void add_process(struct buf *fixture, unsigned number)
{
    unsigned high = number / 200, low = number % 200 + 1;
    buf_printf(fixture,
        "process %u svc-%u parent=1 fds=%u/4096 running=2d\n"
        "conn LISTEN *:%u recv_q=%u send_q=128 skmem_drops=%u holders=%u:3\n"
        "conn ESTABLISHED 10.0.0.5:%u 10.%u.%u.1:50000 x%d vary=peer_address recv_q=0 send_q=0 timer=none "
        "holders=%u:9\nconn CLOSE_WAIT 10.0.0.6:%u 11.%u.%u.1:50000 x%d vary=peer_address recv_q=0 send_q=0 timer=none "
        "last_ack_recv=4h last_data_sent=4h last_data_recv=4h holders=%u:99\n",
        number + 10, number, number % 4000 + 100, number + 1000, number % 100, number, number + 10, number + 1000, high,
        low, CLIENTS - LEAKS, number + 10, number + 1000, high, low, LEAKS, number + 10);
}

static size_t series_of(unsigned processes, unsigned namespaces, size_t *ret_bytes)
{
    struct buf fixture = { 0 };
    for (unsigned i = 0; i < processes; i++) {
        if (i % (processes / namespaces) == 0)
            buf_printf(&fixture, "netns net-%u inode=%u%s\ncounter Tcp.RetransSegs 5\ncounter TcpExt.ListenDrops 1\n",
                i, i + 1, i == 0 ? " own" : "");
        add_process(&fixture, i);
    }
    char *text = metrics_of(fixture.data, NULL, METRICS_TOP_DEFAULT);
    size_t count = count_series(text, NULL);
    *ret_bytes = strlen(text);
    assert_in_range(count_series(text, "tcpwhy_connections"), 1, 3 * (METRICS_TOP_DEFAULT * 2 + 1));
    assert_in_range(count_series(text, "tcpwhy_findings"), 1, METRICS_TOP_DEFAULT + 26 * 2);
    assert_int_equal(count_series(text, "tcpwhy_process_open_fds"), METRICS_TOP_DEFAULT);
    assert_int_equal(count_series(text, "tcpwhy_listener_drops_total"), METRICS_TOP_DEFAULT);
    free(text);
    buf_deinit(&fixture);
    return count;
}

static void series_are_bounded(void **state)
{
    (void)state;
    size_t bytes_of_few, bytes_of_many;
    size_t few = series_of(50, 25, &bytes_of_few);
    size_t many = series_of(5000, 100, &bytes_of_many); /* 100,000 peers */
    assert_in_range(few, 200, 400);
    assert_in_range(many, 200, 400);
    assert_in_range(bytes_of_many, 1, 64 * 1024);
    print_message("# 50 processes: %zu series, 5,000 processes and 100,000 peers: %zu series, %zu bytes\n", few, many,
        bytes_of_many);
}

/* Folding loses nothing: the sum is that of all connections. */
static void what_is_folded_is_counted(void **state)
{
    (void)state;
    struct buf fixture = { 0 };
    for (unsigned i = 0; i < 100; i++)
        add_process(&fixture, i);
    char *text = metrics_of(fixture.data, NULL, 3);
    expect_line(text, "tcpwhy_connections{state=\"ESTABLISHED\",netns=\"host\",process=\"other\"} 970");
    expect_line(text, "tcpwhy_connections{state=\"CLOSE_WAIT\",netns=\"host\",process=\"other\"} 970");
    expect_line(text, "tcpwhy_connections{state=\"LISTEN\",netns=\"host\",process=\"other\"} 97");
    expect_line(text, "tcpwhy_findings{id=\"close-wait-leak\",severity=\"warning\",owner=\"other\"} 97");
    expect_line(text, "tcpwhy_finding_connections{id=\"close-wait-leak\",severity=\"warning\",owner=\"other\"} 970");
    free(text);
    buf_deinit(&fixture);
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_of_a_host),
        cmocka_unit_test(of_what_was_asked_for),
        cmocka_unit_test(what_is_ignored_counts_for_itself),
        cmocka_unit_test(an_empty_host),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(namespaces_of_one_name),
        cmocka_unit_test(the_sockets_of_one_port_are_one_listener),
        cmocka_unit_test(bare_acks_of_a_deferred_accept_are_no_dropped_connections),
        cmocka_unit_test(ports_count_as_the_diagnosis_counts_them),
        cmocka_unit_test(series_are_bounded),
        cmocka_unit_test(what_is_folded_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
