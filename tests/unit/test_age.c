/* Time in state and time until the kernel gives up, compared with measurements on Linux 6.18. */
#include "model/age.h"

#include <stdio.h>

#include "fixture.h"
#include "unit.h"

static struct age age_of(const char *conn)
{
    struct snapshot snapshot;
    fixture_must(&snapshot, conn);
    struct age age = conn_age(&snapshot, &snapshot.conns[0]);
    snapshot_deinit(&snapshot);
    return age;
}

static void each_state_has_its_clock(void **state)
{
    (void)state;
    struct age age = age_of("conn TIME_WAIT 10.0.0.1:80 10.0.0.2:4000 timer=time_wait timer_ms=47s\n");
    assert_int_equal(age.kind, AGE_EXACT);
    assert_int_equal(age.ms, 13000);
    age = age_of(
        "conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 recv_q=0 send_q=0 last_ack_recv=90s last_data_recv=2h inode=7\n");
    assert_int_equal(age.kind, AGE_AT_LEAST);
    assert_int_equal(age.ms, 90000);
    age = age_of("conn FIN_WAIT_2 10.0.0.1:80 10.0.0.2:4000 timer=time_wait timer_ms=59s\n");
    assert_int_equal(age.ms, 1000);
    age = age_of(
        "setting net.ipv4.tcp_fin_timeout 10\nconn FIN_WAIT_2 10.0.0.1:80 10.0.0.2:4000 timer=time_wait timer_ms=4s\n");
    assert_int_equal(age.ms, 6000);
    assert_int_equal(age_of("conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 recv_q=0 send_q=0\n").kind, AGE_UNKNOWN);
    assert_int_equal(
        age_of("conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=0 timer_ms=100\n").kind,
        AGE_UNKNOWN);
}

static void timeouts_add_up(void **state)
{
    (void)state;
    /* Pauses of 0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 6.4 s; the next timeout is 5.8 s away. Measured 6.5 s after the FIN. */
    struct age age = age_of(
        "conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=5 timer_ms=5800 rto=6400 rtt=60 "
        "rttvar=30\n");
    assert_in_range(age.ms, 6500, 7000);
    /* On a slow path the first timeout is longer. */
    age = age_of(
        "conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=1 timer_ms=0 rto=1200 rtt=200000 "
        "rttvar=100000\n");
    assert_int_equal(age.ms, 600 + 1200);
    /* The kernel stores the time since the first timeout: 6,095 ms, measured 6.5 s after the FIN. */
    age = age_of("conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=5 timer_ms=5800 rto=6400 rtt=60 "
                 "rttvar=30 "
                 "total_rto_time=6095 rto_recoveries=1\n");
    assert_int_equal(age.kind, AGE_EXACT);
    assert_in_range(age.ms, 6295, 6500);
    /* But not if an earlier recovery is included in it. */
    age = age_of(
        "conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=1 timer_ms=0 rto=400 rtt=60 rttvar=30 "
        "total_rto_time=60000 rto_recoveries=2\n");
    assert_int_equal(age.ms, 600);
    /* The link is down: 17 attempts, half a second apart, and the timeout has not doubled. */
    age = age_of("conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=17 timer_ms=100 rto=200 rtt=60 "
                 "rttvar=30\n");
    assert_in_range(age.ms, 3000, 8600);
    /* The longest pause is 120 s. */
    age = age_of("conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=11 timer_ms=0 rto=120000 rtt=60 "
                 "rttvar=30\n");
    /* 0.2 … 102.4 s are ten timeouts, 204.6 s together; then two of 120 s. */
    assert_in_range(age.ms, 444600 - 1000, 444600);
}

static uint64_t give_up(const char *conn)
{
    struct snapshot snapshot;
    uint64_t ms = UINT64_MAX;
    fixture_must(&snapshot, conn);
    if (!conn_give_up_ms(&snapshot, &snapshot.conns[0], &ms))
        ms = UINT64_MAX;
    snapshot_deinit(&snapshot);
    return ms;
}

static void the_kernel_gives_up_orphans_first(void **state)
{
    (void)state;
#define FRESH "timer=retransmit retransmits=1 timer_ms=400 rto=400 rtt=60 rttvar=30\n"
    /* An orphan: 102.2 s together; measured 106.5 s. */
    assert_in_range(give_up("conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 inode=0 " FRESH), 100000, 107000);
    /* With a descriptor, tcp_retries2 applies: at least 924.6 s. */
    assert_in_range(give_up("conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 inode=99 " FRESH), 920000, 1050000);
    /* The setting is used. */
    assert_in_range(
        give_up("setting net.ipv4.tcp_orphan_retries 2\nconn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 inode=0 " FRESH), 1000,
        2000);
    /* An orphan with a zero window: until the pause between probes has reached 120 s. Measured 343 s from the start. */
    assert_in_range(
        give_up("conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 inode=0 timer=persist timer_ms=200 backoff=0 rto=200 rtt=60 "
                "rttvar=30 snd_wnd=0\n"),
        220000, 345000);
    /* The same with a descriptor: without end. */
    assert_int_equal(
        give_up("conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 inode=99 timer=persist timer_ms=200 backoff=0 rto=200 "
                "rtt=60 rttvar=30 snd_wnd=0\n"),
        UINT64_MAX);
    assert_int_equal(
        give_up("conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 inode=99 recv_q=0 send_q=0 timer=none\n"), UINT64_MAX);
}

/* Extreme settings: there is a result, and it does not take long to compute. */
static void settings_at_their_ends(void **state)
{
    (void)state;
    static const char *const settings[] = { "setting net.ipv4.tcp_rto_min_us 500\n",
        "setting net.ipv4.tcp_retries2 2147483647\n", "setting net.ipv4.tcp_orphan_retries 2147483647\n" };
    static const char *const conns[] = {
        "conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=persist timer_ms=10 backoff=3 rto=1 rtt=30 rttvar=10 inode=0\n",
        "conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=5 timer_ms=10 rto=1 rtt=30 rttvar=10 "
        "inode=0\n",
        "conn LAST_ACK 10.0.0.1:80 10.0.0.2:4000 timer=retransmit retransmits=5 timer_ms=10 rto=1 rtt=30 rttvar=10 "
        "inode=9\n",
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        for (size_t j = 0; j < sizeof conns / sizeof *conns; j++) {
            char text[512];
            struct snapshot snapshot;
            uint64_t ms;
            snprintf(text, sizeof text, "%s%s", settings[i], conns[j]);
            fixture_must(&snapshot, text);
            assert_true(conn_give_up_ms(&snapshot, &snapshot.conns[0], &ms));
            assert_in_range(ms, 10, 86400000);
            snapshot_deinit(&snapshot);
        }
    }
}

static void a_handshake_has_its_own_pauses(void **state)
{
    (void)state;
#define SYN_SENT "conn SYN_SENT 10.0.0.1:4000 10.0.0.2:80 recv_q=0 send_q=1 timer=retransmit "
#define SYN_RECEIVED "conn SYN_RECEIVED 10.0.0.1:80 10.0.0.2:4000 timer=retransmit "
#define SETTINGS "setting net.ipv4.tcp_syn_retries 6\nsetting net.ipv4.tcp_syn_linear_timeouts 4\n"
    /* Measured 5.86 s after the first SYN: the fifth repetition came after 5 s, the next one comes after 7 s. */
    struct age age = age_of(SETTINGS SYN_SENT "retransmits=5 timer_ms=1144\n");
    assert_int_equal(age.kind, AGE_AT_LEAST);
    assert_int_equal(age.ms, 7000 - 1144);
    /* The kernel's own time, 5,471 ms at 6.5 s. In this state its other times are not set yet. */
    age = age_of(SETTINGS SYN_SENT "retransmits=5 timer_ms=500 total_rto_time=5471 rto_recoveries=1 last_ack_recv=40d "
                                   "last_data_sent=40d\n");
    assert_int_equal(age.kind, AGE_EXACT);
    assert_int_equal(age.ms, 6471);
    /* Before the kernel had linear timeouts, the pauses doubled from the start: 1 + 2 + 4. */
    age = age_of("setting net.ipv4.tcp_syn_retries 6\nsetting net.ipv4.tcp_fin_timeout 60\n"
                 "setting net.ipv4.tcp_retries2 15\n" SYN_SENT "retransmits=2 timer_ms=0\n");
    assert_int_equal(age.ms, 7000);
    assert_int_equal(age_of(SYN_SENT "retransmits=0 timer_ms=900\n").kind, AGE_UNKNOWN);
    /* The kernel version is not known, but the current pause is longer than four linear timeouts allow. */
    assert_int_equal(age_of(SYN_SENT "retransmits=5 timer_ms=27100\n").ms, 63000 - 27100);
    assert_int_equal(age_of(SYN_SENT "retransmits=5 timer_ms=3900\n").ms, 1000 * 4 + 2000 + 4000 - 3900);
    /* Both interpretations are possible: the younger age is used. */
    assert_int_equal(age_of(SYN_SENT "retransmits=5 timer_ms=1100\n").ms, 7000 - 1100);
    /* One missing setting alone does not show that the kernel lacks another. */
    assert_int_equal(age_of("setting net.ipv4.tcp_syn_retries 6\n" SYN_SENT "retransmits=2 timer_ms=0\n").ms, 3000);
    /* The timeout or the number of doublings decides if the timer does not. */
    assert_int_equal(age_of(SYN_SENT "retransmits=5 timer_ms=100 rto=32000\n").ms, 62900);
    assert_int_equal(age_of(SYN_SENT "retransmits=5 timer_ms=100 rto=2000 backoff=1\n").ms, 6900);
    /* Before Linux 3.1 the first pause was 3 s: 3 + 6 + 12 s are over. */
    assert_in_range(age_of(SYN_SENT "retransmits=3 timer_ms=20s\n").ms, 17000, 25000);

    /* A repeated SYN is counted like a timeout: 8 within 8 s were observed. The time left shows the least age. */
    age = age_of(SYN_RECEIVED "retransmits=8 timer_ms=3148\n");
    assert_int_equal(age.kind, AGE_AT_LEAST);
    assert_in_range(age.ms, 3000, 8000);
    age = age_of(SYN_RECEIVED "retransmits=4 timer_ms=15500\n");
    assert_int_equal(age.ms, 15000);
}

static void an_open_connection_is_as_old_as_what_is_stuck(void **state)
{
    (void)state;
#define OPEN "conn ESTABLISHED 10.0.0.1:80 10.0.0.2:4000 inode=7 "
    assert_int_equal(
        age_of(OPEN "recv_q=0 send_q=0 timer=none last_data_sent=9s last_data_recv=50s last_ack_recv=4s\n").ms, 4000);
    assert_int_equal(
        age_of(OPEN "recv_q=7 send_q=0 timer=none last_data_sent=9s last_data_recv=50s last_ack_recv=4s\n").ms, 50000);
    assert_int_equal(
        age_of(OPEN "recv_q=0 send_q=9 timer=persist last_data_sent=90s last_data_recv=50s last_ack_recv=4s\n").ms,
        90000);
    assert_in_range(
        age_of(OPEN "recv_q=0 send_q=9 timer=retransmit retransmits=5 timer_ms=5800 rto=6400 rtt=60 rttvar=30 "
                    "last_data_sent=700ms\n")
            .ms,
        6500, 7000);
}

static void the_kernel_gives_up_handshakes_and_unanswered_data(void **state)
{
    (void)state;
    /* 131 s after the first SYN: the last of 1 + 1 + 1 + 1 + 1 + 2 is running. */
    assert_int_equal(
        give_up(SETTINGS SYN_SENT "retransmits=5 timer_ms=1144\n"), 1144 + 4000 + 8000 + 16000 + 32000 + 64000);
    assert_int_equal(give_up(SETTINGS SYN_SENT "retransmits=10 timer_ms=53s\n"), 53000);
    assert_int_equal(give_up("setting net.ipv4.tcp_syn_retries 2\nsetting net.ipv4.tcp_syn_linear_timeouts 0\n" SYN_SENT
                             "retransmits=0 timer_ms=1s\n"),
        7000);
    /* 63 s after the first SYN-ACK. */
    assert_int_equal(give_up(SYN_RECEIVED "retransmits=3 timer_ms=8s\n"), 8000 + 16000 + 32000);
    assert_int_equal(give_up(SYN_RECEIVED "retransmits=8 timer_ms=3148\n"), UINT64_MAX);
    /* tcp_retries2: at least 924.6 s, accepted or not, because it was not closed. */
    assert_in_range(give_up(OPEN FRESH), 920000, 1050000);
    assert_in_range(give_up("conn ESTABLISHED 10.0.0.1:80 10.0.0.2:4000 inode=0 " FRESH), 920000, 1050000);
    assert_int_equal(give_up(OPEN "timer=persist timer_ms=200 rto=200 rtt=60 rttvar=30 snd_wnd=0\n"), UINT64_MAX);
}

/* Measured on Linux 6.18 with keepalive of 5 s and of 15 s; 2.3 s between the last probe and the FIN. */
static void an_answer_to_keepalive_is_no_age(void **state)
{
    (void)state;
#define KEPT "recv_q=0 send_q=0 inode=7 rtt=60 rttvar=30 last_data_sent=5m last_data_recv=5m timer=keepalive "
    struct age age = age_of("conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 " KEPT "timer_ms=4832 last_ack_recv=168\n");
    assert_true(age.is_reset);
    assert_int_equal(age.kind, AGE_AT_LEAST);
    assert_int_equal(age.ms, 168);
    assert_int_equal(age.most_ms, 300000);
    assert_int_equal(age_judged_ms(&age), 300000);
    /* The timer was set before the FIN came, so the time since the last ACK is the age. */
    age = age_of("conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 " KEPT "timer_ms=1376 last_ack_recv=1320\n");
    assert_false(age.is_reset);
    assert_int_equal(age_judged_ms(&age), 1320);
    /* A capture rounds the timer, so nothing can be concluded. */
    age = age_of("conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 " KEPT "timer_ms=11s last_ack_recv=1320\n");
    assert_true(age.is_reset);
    /* A distant peer: the answer takes a round trip. */
    age = age_of("conn FIN_WAIT_2 10.0.0.1:80 10.0.0.2:4000 recv_q=0 send_q=0 inode=7 rtt=180000 rttvar=10000 "
                 "last_data_sent=2m last_data_recv=5m timer=keepalive timer_ms=9000 last_ack_recv=5805\n");
    assert_true(age.is_reset);
    assert_int_equal(age.most_ms, 120000);
    /* Without keepalive only the FIN can have been the last segment. */
    age = age_of("conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 recv_q=0 send_q=0 inode=7 timer=none last_data_sent=5m "
                 "last_data_recv=5m last_ack_recv=168\n");
    assert_false(age.is_reset);
    /* Closed soon after its data: no probe lies between. */
    age = age_of("conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 recv_q=0 send_q=0 inode=7 rtt=60 rttvar=30 timer=keepalive "
                 "last_data_sent=9100 last_data_recv=9100 timer_ms=5900 last_ack_recv=9100\n");
    assert_false(age.is_reset);
    assert_int_equal(age_judged_ms(&age), 9100);
    /* The timer of an orphan is that of its state, although it has the same name. */
    age = age_of("conn FIN_WAIT_2 10.0.0.1:80 10.0.0.2:4000 inode=0 rtt=60 rttvar=30 last_data_sent=5m "
                 "last_data_recv=5m timer=keepalive timer_ms=9900 last_ack_recv=100\n");
    assert_false(age.is_reset);
#undef KEPT
}

/* Without tcp_info, the pause between window probes gives a lower bound. */
static void a_long_pause_between_probes_is_an_age(void **state)
{
    (void)state;
#define PROBED "recv_q=0 send_q=9000 timer=persist retransmits=0 "
    struct age age = age_of("conn ESTABLISHED 10.0.0.1:80 10.0.0.2:4000 " PROBED "timer_ms=24s\n");
    assert_int_equal(age.kind, AGE_AT_LEAST);
    assert_true(age.from_timer);
    assert_int_equal(age.ms, 21000);
    assert_int_equal(age_of("conn CLOSE_WAIT 10.0.0.1:80 10.0.0.2:4000 " PROBED "timer_ms=24s\n").ms, 21000);
    assert_int_equal(age_of("conn FIN_WAIT_1 10.0.0.1:80 10.0.0.2:4000 " PROBED "timer_ms=24s\n").ms, 21000);
    /* A window may have closed just now. */
    assert_int_equal(age_of("conn ESTABLISHED 10.0.0.1:80 10.0.0.2:4000 " PROBED "timer_ms=6400\n").kind, AGE_UNKNOWN);
    /* The time in tcp_info is better. */
    age = age_of("conn ESTABLISHED 10.0.0.1:80 10.0.0.2:4000 " PROBED "timer_ms=24s rtt=60 last_data_sent=2h\n");
    assert_false(age.from_timer);
    assert_int_equal(age.ms, 7200000);
#undef PROBED
}

/* Idle time is the time without data. */
static void keepalive_is_no_use(void **state)
{
    (void)state;
    struct age age = age_of("conn ESTABLISHED 10.0.0.1:80 10.0.0.2:4000 recv_q=0 send_q=0 inode=7 timer=keepalive "
                            "timer_ms=9s last_data_sent=2h last_data_recv=3h last_ack_recv=6s\n");
    assert_int_equal(age.ms, 7200000);
    age = age_of("conn ESTABLISHED 10.0.0.1:80 10.0.0.2:4000 recv_q=0 send_q=0 inode=7 timer=none last_data_sent=2h "
                 "last_data_recv=3h last_ack_recv=6s\n");
    assert_int_equal(age.ms, 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_has_its_clock),
        cmocka_unit_test(an_answer_to_keepalive_is_no_age),
        cmocka_unit_test(keepalive_is_no_use),
        cmocka_unit_test(a_long_pause_between_probes_is_an_age),
        cmocka_unit_test(timeouts_add_up),
        cmocka_unit_test(settings_at_their_ends),
        cmocka_unit_test(the_kernel_gives_up_orphans_first),
        cmocka_unit_test(a_handshake_has_its_own_pauses),
        cmocka_unit_test(an_open_connection_is_as_old_as_what_is_stuck),
        cmocka_unit_test(the_kernel_gives_up_handshakes_and_unanswered_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
