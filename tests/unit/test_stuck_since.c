/*
 * What a check stores about stuck connections: a lower bound of the age, which keepalive does not reset, and which is
 * valid for the same connection only.
 */
#include <errno.h>
#include <string.h>

#include "cmd/check/stuck_since.h"
#include "diagnose/diagnose.h"
#include "fixture.h"
#include "model/age.h"
#include "unit.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };
static const char boot[] = "b5c0a7c2-7d0b-4a7e-9f35-3c1a2f6e8d11";

#define HOST "host web-3 linux 6.18.44 2026-01-31T12:00:00.000Z\nnetns host own\n"
#define SERVER                                                                                                         \
    HOST "process 812 spoolsvc parent=1 fds=400/20000 state=S running=2d\n"                                            \
         "conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3\n"
#define ENDS " 10.0.0.5:9100 10.1.2.3:40000 "
#define HELD "recv_q=0 send_q=0 holders=812:20 bytes_received=10 bytes_acked=5 last_data_sent=3h last_data_recv=3h "
#define KEEPALIVE "timer=keepalive timer_ms=4000 last_ack_recv=1s "
#define CLOSE_WAIT_OF(count) "conn CLOSE_WAIT" ENDS "x" count " "
#define CLOSE_WAIT CLOSE_WAIT_OF("12")
#define LEAK SERVER CLOSE_WAIT "cookie=100 " HELD KEEPALIVE "\n"
#define NO_CLOCK "recv_q=0 send_q=0 holders=812:20 cookie=? "

/*
 * Two runs of a check, ten minutes apart. Returns the age in ms of the second run's last connection; 0 if it is
 * unknown.
 */
static uint64_t age_in_the_second_run(const char *first, const char *second, const char *boot_then)
{
    struct snapshot then, now;
    struct diagnosis diagnosis;
    struct stuck_since since = { 0 }, read = { 0 };
    struct buf text = { 0 };
    fixture_must(&then, first);
    fixture_must(&now, second);
    diagnose(&then, NULL, NULL, &diagnosis);
    stuck_since_collect(&since, 20 * MINUTE, &diagnosis);
    stuck_since_format(&since, boot_then, &text);
    int result = stuck_since_parse(buf_text(&text), text.length, boot, &read);
    assert_int_equal(result, strcmp(boot_then, boot) == 0 ? 0 : -ESTALE);

    stuck_since_recall(&read, 30 * MINUTE, &now);
    struct age age = conn_age(&now, &now.conns[now.conn_count - 1]);
    diagnosis_deinit(&diagnosis);
    buf_deinit(&text);
    stuck_since_deinit(&since);
    stuck_since_deinit(&read);
    snapshot_deinit(&then);
    snapshot_deinit(&now);
    return age.kind == AGE_UNKNOWN ? 0 : age.ms;
}

static const struct {
    const char *what, *first, *second;
    uint64_t age_ms;
} cases[] = {
    { "a leak with keepalive gets older", LEAK, LEAK, 10 * MINUTE + SECOND },
    { "FIN_WAIT_2 too", SERVER "conn FIN_WAIT_2" ENDS "x60 cookie=100 " HELD KEEPALIVE "\n",
        SERVER "conn FIN_WAIT_2" ENDS "x60 cookie=100 " HELD KEEPALIVE "\n", 10 * MINUTE + SECOND },
    { "before the first answer to a probe the clock tells more: that is not lost",
        SERVER CLOSE_WAIT "cookie=100 " HELD "timer=keepalive timer_ms=4300 last_ack_recv=5m\n", LEAK, 15 * MINUTE },
    { "another connection between the same ends", LEAK, SERVER CLOSE_WAIT "cookie=500 " HELD KEEPALIVE "\n", SECOND },
    { "a byte has moved", LEAK,
        SERVER CLOSE_WAIT "cookie=100 recv_q=0 send_q=0 holders=812:20 bytes_received=10 bytes_acked=6 "
                          "last_data_sent=3h last_data_recv=3h " KEEPALIVE "\n",
        SECOND },
    { "it was in another state", SERVER "conn ESTABLISHED" ENDS "x12 cookie=100 " HELD KEEPALIVE "\n", LEAK, SECOND },
    { "it was not stuck, only idle and closed a second ago",
        SERVER CLOSE_WAIT "cookie=100 " HELD "timer=keepalive timer_ms=4300 last_ack_recv=1s\n", LEAK, SECOND },
    { "a source without clocks: as long as both runs saw it", SERVER CLOSE_WAIT NO_CLOCK "inode=5000\n",
        SERVER CLOSE_WAIT NO_CLOCK "inode=5000\n", 10 * MINUTE },
    { "without cookies the inode tells another connection", SERVER CLOSE_WAIT NO_CLOCK "inode=5000\n",
        SERVER CLOSE_WAIT NO_CLOCK "inode=7000\n", 0 },
    { "without keepalive the kernel's clock is enough",
        SERVER CLOSE_WAIT "cookie=100 " HELD "timer=none last_ack_recv=1h\n",
        SERVER CLOSE_WAIT "cookie=100 " HELD "timer=none last_ack_recv=2h\n", 120 * MINUTE },
};

static void only_the_same_connection_that_stayed_gets_older(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t age_ms = age_in_the_second_run(cases[i].first, cases[i].second, boot);
        if (age_ms != cases[i].age_ms)
            fail_msg("%s: %llu ms, expected %llu", cases[i].what, (unsigned long long)age_ms,
                (unsigned long long)cases[i].age_ms);
    }
}

static void another_run_of_the_kernel_has_other_connections(void **state)
{
    (void)state;
    assert_int_equal(age_in_the_second_run(LEAK, LEAK, "another"), SECOND);
}

static void the_file_is_bounded_and_keeps_the_oldest(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct stuck_since since = { 0 }, read;
    struct buf text = { 0 };
    fixture_must(&snapshot,
        SERVER CLOSE_WAIT_OF("30000") "cookie=100 " HELD KEEPALIVE "\n" CLOSE_WAIT_OF(
            "10") "cookie=90000 " HELD "timer=keepalive timer_ms=4300 last_ack_recv=15m\n");
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    stuck_since_collect(&since, 20 * MINUTE, &diagnosis);
    assert_int_equal(since.count, STUCK_MAX);
    assert_int_equal(since.items[9].since_ms, 5 * MINUTE);
    assert_int_equal(since.items[10].since_ms, 20 * MINUTE - SECOND);
    stuck_since_format(&since, boot, &text);
    assert_true(text.length <= STUCK_TEXT_MAX);
    assert_int_equal(stuck_since_parse(buf_text(&text), text.length, boot, &read), 0);
    assert_int_equal(read.count, STUCK_MAX);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    stuck_since_deinit(&since);
    stuck_since_deinit(&read);
    buf_deinit(&text);
}

static void what_is_not_written_here_is_not_read(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "tcpwhy.stuck/2\nboot b\n", "tcpwhy.stuck/1\n",
        "tcpwhy.stuck/1\nboot b\nx 1\n", "tcpwhy.stuck/1\nboot b\n1 \n", "tcpwhy.stuck/1\nboot b\n1 2",
        "tcpwhy.stuck/1\nboot b\nFF 2\n", "tcpwhy.stuck/1\nboot b\n1 99999999999999999999\n",
        "tcpwhy.stuck/1\nboot b\n11111111111111111 2\n", "tcpwhy.stuck/1\nboot b\n1 -2\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct stuck_since since;
        assert_int_equal(stuck_since_parse(texts[i], strlen(texts[i]), "b", &since), -EBADMSG);
        assert_int_equal(since.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_connection_that_stayed_gets_older),
        cmocka_unit_test(another_run_of_the_kernel_has_other_connections),
        cmocka_unit_test(the_file_is_bounded_and_keeps_the_oldest),
        cmocka_unit_test(what_is_not_written_here_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
