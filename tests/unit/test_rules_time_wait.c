/* TIME_WAIT: churn is reported as info; the limit of a namespace is a warning while it is being reached. */
#include <string.h>

#include "fixture.h"
#include "rule_cases.h"
#include "unit.h"

#define TIME_WAIT_AGES "recv_q=0 send_q=0 timer=time_wait timer_ms=0..60s\n"
#define FULL                                                                                                           \
    "netns host own\nsetting net.ipv4.tcp_max_tw_buckets 1000\ncounter TCP.tw 1000\n"                                  \
    "counter TcpExt.TCPTimeWaitOverflow 70\n"

static const struct rule_case cases[] = {
    { "50,000 TIME_WAIT of a service are healthy",
        SERVER "conn TIME_WAIT 10.0.0.5:9100 10.1.2.3:1024 x50000 " TIME_WAIT_AGES,
        "time-wait-churn 50000 812 info certain\n" },
    { "999 are not worth a word", SERVER "conn TIME_WAIT 10.0.0.5:9100 10.1.2.3:1024 x999 " TIME_WAIT_AGES, "" },
    { "each service by itself",
        SERVER "conn LISTEN *:9200 recv_q=0 send_q=128 holders=812:4\n"
               "conn TIME_WAIT 10.0.0.5:9100 10.1.2.3:1024 x900 " TIME_WAIT_AGES
               "conn TIME_WAIT 10.0.0.5:9200 10.1.2.3:1024 x1100 " TIME_WAIT_AGES,
        "time-wait-churn 1100 812 info certain\n" },
    { "a client that closes first",
        SERVER "conn TIME_WAIT 10.0.0.5:33000 10.9.9.9:5432 x2000 vary=local_port " TIME_WAIT_AGES,
        "time-wait-churn 2000 0 info certain\n" },

    { "at the limit, and only one reading of the counter", FULL, "time-wait-overflow 1000 0 warning likely\n",
        .wants_rates = true },
    { "at the limit, but it was never passed",
        "netns host own\nsetting net.ipv4.tcp_max_tw_buckets 1000\ncounter TCP.tw 1000\n"
        "counter TcpExt.TCPTimeWaitOverflow 0\n",
        "" },
    { "it was passed at some time, and is far away now",
        "netns host own\nsetting net.ipv4.tcp_max_tw_buckets 1000\ncounter TCP.tw 400\n"
        "counter TcpExt.TCPTimeWaitOverflow 70\n",
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
    static const char *const ids[] = { "time-wait-churn", "time-wait-overflow", NULL };
    rule_cases_need(cases, sizeof cases / sizeof *cases, ids);
}

/* The result on a host whose counter was at `before` a second ago and is at 70 now; NULL: nothing. */
static void check_rise(const char *now, const char *before, int severity, bool wants_rates)
{
    struct snapshot previous, snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot, now);
    if (before != NULL) {
        fixture_must(&previous, before);
        previous.taken_at_ms = snapshot.taken_at_ms - 1000;
        snapshot.previous = &previous;
    }
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, severity >= 0);
    if (severity >= 0) {
        assert_string_equal(diagnosis.findings[0].id, "time-wait-overflow");
        assert_int_equal(diagnosis.findings[0].severity, severity);
        assert_int_equal(diagnosis.findings[0].confidence, before ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
    }
    assert_int_equal(diagnosis.wants_rates, wants_rates);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    if (before != NULL)
        snapshot_deinit(&previous);
}

static void only_a_rise_is_certain(void **state)
{
    (void)state;
    static const char then_50[] = "netns host own\ncounter TcpExt.TCPTimeWaitOverflow 50\n";
    static const char then_70[] = "netns host own\ncounter TcpExt.TCPTimeWaitOverflow 70\n";
    static const char below[] = "netns host own\nsetting net.ipv4.tcp_max_tw_buckets 1000\ncounter TCP.tw 400\n"
                                "counter TcpExt.TCPTimeWaitOverflow 70\n";
    check_rise(FULL, NULL, SEVERITY_WARNING, true);
    check_rise(FULL, then_50, SEVERITY_WARNING, false);
    check_rise(FULL, then_70, SEVERITY_INFO, false);
    check_rise(below, then_50, SEVERITY_WARNING, false);
    check_rise(below, then_70, -1, false);
    check_rise(below, NULL, -1, false);
}

static void a_selection_leaves_the_host_aside(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct selection selection = { .states = STATE_BIT(STATE_LAST_ACK) };
    fixture_must(&snapshot, FULL);
    diagnose(&snapshot, &selection, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 0);
    assert_false(diagnosis.wants_rates);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void unless_it_takes_time_wait_in(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct selection selection = { .states = STATE_BIT(STATE_TIME_WAIT) };
    fixture_must(&snapshot, FULL "conn TIME_WAIT 10.0.0.5:9100 10.1.2.3:1024 x10 " TIME_WAIT_AGES);
    diagnose(&snapshot, &selection, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    assert_string_equal(diagnosis.findings[0].id, "time-wait-overflow");
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void what_has_a_finding_has_no_note(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot,
        SERVER "conn TIME_WAIT 10.0.0.5:9100 10.1.2.3:1024 x5000 " TIME_WAIT_AGES
               "conn TIME_WAIT 10.0.0.5:33000 10.9.9.9:5432 x300 vary=local_port " TIME_WAIT_AGES);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    assert_int_equal(diagnosis.notes.count, 1);
    assert_non_null(strstr(diagnosis.notes.items[0], "TIME_WAIT 300: normal."));
    assert_non_null(strstr(diagnosis.notes.items[0], "clients close first"));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_as_expected),
        cmocka_unit_test(every_finding_fires_somewhere_above),
        cmocka_unit_test(only_a_rise_is_certain),
        cmocka_unit_test(a_selection_leaves_the_host_aside),
        cmocka_unit_test(unless_it_takes_time_wait_in),
        cmocka_unit_test(what_has_a_finding_has_no_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
