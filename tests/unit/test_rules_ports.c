/* Ephemeral ports: a range of 1,000, and connections that use it up or only seem to. */
#include <string.h>

#include "fixture.h"
#include "rule_cases.h"
#include "unit.h"

#define RANGE                                                                                                          \
    "netns host own\n"                                                                                                 \
    "setting net.ipv4.ip_local_port_range 40000 40999\n"                                                               \
    "process 700 proxy parent=1 fds=900/20000 state=S running=2d\n"                                                    \
    "wait 700 S channel=ep_poll call=epoll_wait threads=1\n"
#define ESTABLISHED(from, to, count)                                                                                   \
    "conn ESTABLISHED " from " " to " x" count                                                                         \
    " vary=local_port recv_q=0 send_q=0 timer=none last_data_sent=10 last_data_recv=10 last_ack_recv=10 "              \
    "holders=700:20\n"
#define TIME_WAIT(from, to, count)                                                                                     \
    "conn TIME_WAIT " from " " to " x" count " vary=local_port timer=time_wait timer_ms=1000..50000\n"

static const struct rule_case cases[] = {
    { "850 of 1,000 ports to one destination", RANGE ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "850"),
        "port-exhaustion 850 700 warning certain\n" },
    { "790 of 1,000", RANGE ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "790"), "" },
    { "960 of 1,000", RANGE ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "960"),
        "port-exhaustion 960 700 critical certain\n" },
    { "reserved ports are not there to be had",
        RANGE "setting net.ipv4.ip_local_reserved_ports 150\n" ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "700"),
        "port-exhaustion 700 700 warning certain\n" },
    { "each destination has the whole range",
        RANGE ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "700")
            ESTABLISHED("10.0.0.5:40100", "10.9.9.8:5432", "700"),
        "" },
    { "so has each source address",
        RANGE ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "700")
            ESTABLISHED("10.0.0.6:40100", "10.9.9.9:5432", "700"),
        "" },
    { "ports outside the range do not count", RANGE ESTABLISHED("10.0.0.5:20000", "10.9.9.9:5432", "900"), "" },
    { "a thousand clients of a service are on one port of it",
        RANGE "conn LISTEN *:40500 recv_q=0 send_q=8 holders=700:3\n"
              "conn ESTABLISHED 10.0.0.5:40500 10.9.9.9:20000 x990 recv_q=0 send_q=0 timer=none last_data_sent=10 "
              "last_data_recv=10 last_ack_recv=10 holders=700:20\n",
        "" },

    { "TIME_WAIT takes its port along", RANGE TIME_WAIT("10.0.0.5:40000", "10.9.9.9:80", "850"),
        "port-exhaustion 850 0 warning certain\n" },
    { "unless tcp_tw_reuse gives it away again",
        RANGE "setting net.ipv4.tcp_tw_reuse 1\n" TIME_WAIT("10.0.0.5:40000", "10.9.9.9:80", "850"), "" },
    { "which wants timestamps",
        RANGE "setting net.ipv4.tcp_tw_reuse 1\nsetting net.ipv4.tcp_timestamps 0\n" TIME_WAIT(
            "10.0.0.5:40000", "10.9.9.9:80", "850"),
        "port-exhaustion 850 0 warning certain\n" },
    { "and is on for loopback by itself", RANGE TIME_WAIT("127.0.0.1:40000", "127.0.0.1:80", "850"), "" },
    { "but not within the first second",
        RANGE "conn TIME_WAIT 127.0.0.1:40000 127.0.0.1:80 x850 vary=local_port timer=time_wait timer_ms=59500\n",
        "port-exhaustion 850 0 warning certain\n" },
    { "nor where it is off",
        RANGE "setting net.ipv4.tcp_tw_reuse 0\n" TIME_WAIT("127.0.0.1:40000", "127.0.0.1:80", "850"),
        "port-exhaustion 850 0 warning certain\n" },
    { "FIN_WAIT_2 keeps its port whatever is set",
        RANGE "setting net.ipv4.tcp_tw_reuse 1\n"
              "conn FIN_WAIT_2 10.0.0.5:40000 10.9.9.9:80 x850 vary=local_port inode=0 timer=time_wait "
              "timer_ms=50000..59000\n",
        "port-exhaustion 850 0 warning certain\n" },

    { "bound before connecting: no port twice, and two destinations share the range",
        RANGE ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "450")
            ESTABLISHED("10.0.0.5:40450", "10.9.9.8:5432", "450"),
        "port-exhaustion 900 700 warning likely\n" },
    { "there tcp_tw_reuse does not help",
        RANGE "setting net.ipv4.tcp_tw_reuse 1\n" TIME_WAIT("10.0.0.5:40000", "10.9.9.9:5432", "450")
            TIME_WAIT("10.0.0.5:40450", "10.9.9.8:5432", "450"),
        "port-exhaustion 900 0 warning likely\n" },
    { "bound and never connected", RANGE "conn BOUND 10.0.0.5:40000 x850 vary=local_port holders=700:20\n",
        "port-exhaustion 850 700 warning certain\n" },
    { "bound ones and connected ones together",
        RANGE "conn BOUND 10.0.0.5:40000 x300 vary=local_port holders=700:20\n" ESTABLISHED(
            "10.0.0.5:40300", "10.9.9.9:5432", "550"),
        "port-exhaustion 550 700 warning certain\n" },
    { "bound to reserved ports: they count once",
        RANGE "setting net.ipv4.ip_local_reserved_ports 300\n"
              "conn BOUND 10.0.0.5:40000 x300 vary=local_port holders=700:20\n" ESTABLISHED(
                  "10.0.0.5:40300", "10.9.9.9:5432", "550"),
        "" },
};

static void every_case_is_judged_as_expected(void **state)
{
    (void)state;
    rule_cases_check(cases, sizeof cases / sizeof *cases);
}

static void every_finding_fires_somewhere_above(void **state)
{
    (void)state;
    static const char *const ids[] = { "port-exhaustion", NULL };
    rule_cases_need(cases, sizeof cases / sizeof *cases, ids);
}

static void the_destination_is_named(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot,
        RANGE ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "600")
            TIME_WAIT("10.0.0.5:40600", "10.9.9.9:5432", "250"));
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    const struct finding *finding = &diagnosis.findings[0];
    assert_string_equal(finding->id, "port-exhaustion");
    assert_true(finding->remote.known);
    assert_int_equal(finding->remote.port, 5432);
    assert_true(finding->local.any_port);
    assert_int_equal(finding->conn_count, 850);
    assert_int_equal(finding->owner->pid, 700);
    assert_non_null(strstr(finding->title, "850 of 1,000 ports for connections of proxy (pid 700) to 10.9.9.9:5432"));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void a_selection_sees_it_where_it_is_concerned(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct selection selection = { .states = STATE_BIT(STATE_LISTEN) };
    fixture_must(&snapshot, RANGE ESTABLISHED("10.0.0.5:40000", "10.9.9.9:5432", "850"));
    diagnose(&snapshot, &selection, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 0);
    diagnosis_deinit(&diagnosis);
    selection.states = STATE_BIT(STATE_ESTABLISHED);
    diagnose(&snapshot, &selection, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_as_expected),
        cmocka_unit_test(every_finding_fires_somewhere_above),
        cmocka_unit_test(the_destination_is_named),
        cmocka_unit_test(a_selection_sees_it_where_it_is_concerned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
