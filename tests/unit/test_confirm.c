/*
 * Two snapshots of one host: a connection that did not change is stuck, one that changed is not. The hosts of a pair
 * differ only in the fact that decides.
 */
#include <stdio.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "model/previous.h"
#include "unit.h"

/* The second snapshot is 10 s and 100 ms later than the start of the first, which took 100 ms. */
#define FIRST "host web-3 linux 6.18.44 2026-01-31T12:00:00.000Z\nsource linux-sock-diag elapsed_us=100000\n"
#define SECOND "host web-3 linux 6.18.44 2026-01-31T12:00:10.100Z\n"

#define SERVER                                                                                                         \
    "netns host own\n"                                                                                                 \
    "process 812 spoolsvc parent=1 fds=400/20000 state=S running=2d\n"                                                 \
    "wait 812 S channel=ep_poll call=epoll_wait threads=1\n"                                                           \
    "conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3\n"
#define CLOSE_WAIT "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 "
#define HELD "recv_q=0 send_q=0 timer=none holders=812:20 "
#define AGED(age) "last_ack_recv=" age " last_data_sent=" age " last_data_recv=" age " "
/* What /proc/net/tcp shows. */
#define NO_AGES CLOSE_WAIT "x30 " HELD "cookie=? "

struct confirm_case {
    const char *what;
    const char *first, *second;
    const char *expected; /* "id count severity confidence", one on each line; "": healthy */
};

static const struct confirm_case cases[] = {
    { "a leak of seconds stayed: it may be half-closed on purpose for a while, so it is likely",
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("8s"), SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("18s"),
        "close-wait-leak 30 warning likely\n" },
    { "an end of stream that nobody read in either snapshot is certain, young as it is",
        SERVER CLOSE_WAIT "x30 recv_q=1 send_q=0 timer=none holders=812:20 cookie=100 " AGED("8s"),
        SERVER CLOSE_WAIT "x30 recv_q=1 send_q=0 timer=none holders=812:20 cookie=100 " AGED("18s"),
        "close-wait-unread 30 warning certain\n" },
    { "it may have been too young in the first snapshot", SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("1s"),
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("11s"), "close-wait-leak 30 warning likely\n" },
    { "others between the same ends are not the same", SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("8s"),
        SERVER CLOSE_WAIT "x30 " HELD "cookie=200 " AGED("8s"), "" },
    { "new since the first snapshot", SERVER, SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("8s"), "" },
    { "nothing at all in the first snapshot", "netns host own\n",
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("8s"), "" },
    { "only those that stayed are counted", SERVER CLOSE_WAIT "x20 " HELD "cookie=100 " AGED("8s"),
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("18s"), "close-wait-leak 20 warning likely\n" },
    { "another state", SERVER "conn ESTABLISHED 10.0.0.5:9100 10.1.2.3:40000 x30 " HELD "cookie=100 " AGED("8s"),
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("8s"), "" },
    { "another cause: it was unread, now it has been read",
        SERVER CLOSE_WAIT "x30 recv_q=1 send_q=0 timer=none holders=812:20 cookie=100 " AGED("8s"),
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("18s"), "" },
    { "bytes were acknowledged meanwhile: a half-close on which data flows",
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 bytes_acked=1000 " AGED("6s"),
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 bytes_acked=2000 " AGED("6s"), "" },
    { "bytes came in meanwhile", SERVER CLOSE_WAIT "x30 " HELD "cookie=100 bytes_received=10 " AGED("6s"),
        SERVER CLOSE_WAIT "x30 " HELD "cookie=100 bytes_received=11 " AGED("6s"), "" },
    { "the queue of unread bytes became shorter: slow, not stuck",
        SERVER CLOSE_WAIT "x30 recv_q=900 send_q=0 timer=none holders=812:20 cookie=100 " AGED("1m"),
        SERVER CLOSE_WAIT "x30 recv_q=400 send_q=0 timer=none holders=812:20 cookie=100 " AGED("1m"), "" },
    { "the queue of unsent bytes became shorter: a slow reader",
        SERVER CLOSE_WAIT
        "x30 recv_q=0 send_q=90000 timer=persist timer_ms=900 snd_wnd=0 holders=812:20 cookie=100 " AGED("1m"),
        SERVER CLOSE_WAIT
        "x30 recv_q=0 send_q=50000 timer=persist timer_ms=900 snd_wnd=0 holders=812:20 cookie=100 " AGED("1m"),
        "" },
    { "a blocked writer",
        SERVER CLOSE_WAIT "x30 recv_q=0 send_q=90000 timer=persist timer_ms=900 snd_wnd=0 "
                          "holders=812:20 cookie=100 " AGED("8s"),
        SERVER CLOSE_WAIT
        "x30 recv_q=0 send_q=90000 timer=persist timer_ms=300 snd_wnd=0 holders=812:20 cookie=100 " AGED("18s"),
        "close-wait-blocked-writer 30 warning certain\n" },

    { "a source without ages or cookies: matched by ends and inode; what passed is not known, so it is likely",
        SERVER NO_AGES, SERVER NO_AGES, "close-wait-leak 30 warning likely\n" },
    { "the same ends with another inode are another connection", SERVER NO_AGES "inode=5000 ",
        SERVER NO_AGES "inode=7000 ", "" },
    { "the same in another network namespace is another connection",
        "netns other inode=77\nnetns host own\nprocess 812 spoolsvc parent=1 running=2d\n" NO_AGES "inode=5000 "
        "netns=other",
        "netns other inode=77\nnetns host own\nprocess 812 spoolsvc parent=1 running=2d\n" NO_AGES "inode=5000 ", "" },
    { "namespaces are told by inode, not by their place in the list",
        "netns gone inode=70\nnetns host own inode=77\nprocess 812 spoolsvc parent=1 running=2d\n" NO_AGES,
        "netns host own inode=77\nprocess 812 spoolsvc parent=1 running=2d\n" NO_AGES,
        "close-wait-leak 30 warning likely\n" },
};

struct two_snapshots {
    struct snapshot first, second;
};

static void two_snapshots_init(struct two_snapshots *two, const char *first, const char *second)
{
    char text[4096];
    snprintf(text, sizeof text, FIRST "%s\n", first);
    fixture_must(&two->first, text);
    snprintf(text, sizeof text, SECOND "%s\n", second);
    fixture_must(&two->second, text);
    snapshot_confirm(&two->second, &two->first);
}

static void two_snapshots_deinit(struct two_snapshots *two)
{
    snapshot_deinit(&two->second);
    snapshot_deinit(&two->first);
}

static void what_stayed_is_stuck_and_what_moved_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct two_snapshots two;
        struct diagnosis diagnosis;
        char found[512] = "";
        size_t length = 0;
        two_snapshots_init(&two, cases[i].first, cases[i].second);
        diagnose(&two.second, NULL, NULL, &diagnosis);
        for (size_t f = 0; f < diagnosis.finding_count; f++) {
            const struct finding *finding = &diagnosis.findings[f];
            length += (size_t)snprintf(found + length, sizeof found - length, "%s %llu %s %s\n", finding->id,
                (unsigned long long)finding->count, severity_name(finding->severity),
                confidence_name(finding->confidence));
        }
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s:\nexpected:\n%sfound:\n%s", cases[i].what, cases[i].expected, found);
        diagnosis_deinit(&diagnosis);
        two_snapshots_deinit(&two);
    }
}

static bool has_line(const struct lines *lines, const char *part)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strstr(lines->items[i], part) != NULL)
            return true;
    }
    return false;
}

static void the_second_snapshot_is_evidence(void **state)
{
    (void)state;
    struct two_snapshots two;
    struct diagnosis diagnosis;
    two_snapshots_init(&two, SERVER CLOSE_WAIT "x30 " HELD "cookie=100 " AGED("8s"),
        SERVER CLOSE_WAIT "x40 " HELD "cookie=100 " AGED("18s"));
    diagnose(&two.second, NULL, NULL, &diagnosis);
    assert_true(has_line(&diagnosis.findings[0].evidence, "Confirmed by a second look 10 s later"));
    assert_true(has_line(&diagnosis.findings[0].evidence, "no byte had moved"));
    assert_true(has_line(&diagnosis.notes, "10 connections looked stuck, but"));
    diagnosis_deinit(&diagnosis);
    two_snapshots_deinit(&two);
}

static void without_a_second_snapshot_nothing_changes(void **state)
{
    (void)state;
    struct snapshot first, second;
    struct diagnosis diagnosis;
    fixture_must(&first, FIRST SERVER);
    fixture_must(&second, SECOND SERVER CLOSE_WAIT "x30 " HELD AGED("8s") "\n");
    second.previous = &first; /* only for rates */
    diagnose(&second, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    assert_int_equal(diagnosis.findings[0].confidence, CONFIDENCE_LIKELY);
    assert_false(has_line(&diagnosis.findings[0].evidence, "second look"));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&second);
    snapshot_deinit(&first);
}

static void two_snapshots_give_an_age_to_sources_that_have_none(void **state)
{
    (void)state;
    struct two_snapshots two;
    struct diagnosis diagnosis;
    struct selection older = { 0 };
    struct error err;
    two_snapshots_init(&two, SERVER NO_AGES, SERVER NO_AGES);
    const struct conn *conn = &two.second.conns[1];
    struct age age = conn_age(&two.second, conn);
    assert_int_equal(age.kind, AGE_AT_LEAST);
    assert_true(age.from_snapshots);
    assert_int_equal(age.ms, 10000);
    assert_int_equal(conn_age(&two.first, &two.first.conns[1]).kind, AGE_UNKNOWN);
    assert_int_equal(conn_age(&two.second, &two.second.conns[0]).kind, AGE_UNKNOWN); /* a listener has no age */

    assert_int_equal(selection_set_older(&older, "10s", &err), 0);
    diagnose(&two.second, &older, NULL, &diagnosis);
    assert_int_equal(diagnosis.findings[0].count, 30);
    assert_true(diagnosis.findings[0].age_known);
    assert_int_equal(diagnosis.findings[0].oldest_ms, 10000);
    assert_true(has_line(&diagnosis.findings[0].evidence, "not known from this source"));
    assert_false(has_line(&diagnosis.findings[0].ruled_out, "data still flows"));
    diagnosis_deinit(&diagnosis);
    two_snapshots_deinit(&two);
}

/* Ages are lower bounds. Two snapshots 3 s apart do not make a connection younger than the 5 s that a finding needs. */
static void a_short_time_between_snapshots_does_not_hide_what_is_older(void **state)
{
    (void)state;
    struct snapshot first, second;
    struct diagnosis diagnosis;
    fixture_must(&first, "host web-3 linux 6.18.44 2026-01-31T12:00:00.000Z\n" SERVER NO_AGES "\n");
    fixture_must(&second, "host web-3 linux 6.18.44 2026-01-31T12:00:03.100Z\n" SERVER NO_AGES "\n");
    snapshot_confirm(&second, &first);
    diagnose(&second, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&second);
    snapshot_deinit(&first);
}

static void counters_rise_over_the_time_between_their_readings(void **state)
{
    (void)state;
    struct two_snapshots two;
    int64_t rise;
    uint64_t ms;
    two_snapshots_init(
        &two, "netns host own\ncounter TcpExt.ListenDrops 10\n", "netns host own\ncounter TcpExt.ListenDrops 25\n");
    assert_true(snapshot_counter_rise(&two.second, 0, COUNTER_LISTEN_DROPS, &rise, &ms));
    assert_int_equal(rise, 15);
    assert_int_equal(ms, 10100);
    two.first.net_values[0].counters_at_ms = 5000; /* read at another time than the snapshot */
    two.second.net_values[0].counters_at_ms = 5250;
    assert_true(snapshot_counter_rise(&two.second, 0, COUNTER_LISTEN_DROPS, &rise, &ms));
    assert_int_equal(ms, 250);
    two.second.net_values[0].counters_at_ms = 5000;
    assert_false(snapshot_counter_rise(&two.second, 0, COUNTER_LISTEN_DROPS, &rise, &ms));
    assert_false(snapshot_counter_rise(&two.second, 0, COUNTER_LISTEN_OVERFLOWS, &rise, &ms));
    two_snapshots_deinit(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stayed_is_stuck_and_what_moved_is_not),
        cmocka_unit_test(the_second_snapshot_is_evidence),
        cmocka_unit_test(without_a_second_snapshot_nothing_changes),
        cmocka_unit_test(two_snapshots_give_an_age_to_sources_that_have_none),
        cmocka_unit_test(a_short_time_between_snapshots_does_not_hide_what_is_older),
        cmocka_unit_test(counters_rise_over_the_time_between_their_readings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
