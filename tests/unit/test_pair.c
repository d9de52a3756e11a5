/*
 * Other ends in other network namespaces of one host: unrelated ends with the same addresses and ports, as in isolated
 * containers, and ends that belong together.
 */
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "unit.h"

/* A server that leaks twelve connections. Its clients have shut down their sending side. */
#define HOST(elsewhere)                                                                                                \
    "netns web own\n"                                                                                                  \
    "process 812 webapp parent=800 fds=30/20000 running=2d\n"                                                          \
    "wait 812 S channel=ep_poll call=epoll_wait threads=1\n"                                                           \
    "conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3\n" LEAK "\n" elsewhere
#define LEAK                                                                                                           \
    "conn CLOSE_WAIT 10.0.0.5:9100 10.0.0.9:40000 x12 recv_q=0 send_q=0 timer=none bytes_acked=800 "                   \
    "bytes_received=101 "                                                                                              \
    "last_ack_recv=5m last_data_sent=300500ms last_data_recv=301s rtt=300 holders=812:12"
#define LEAK_OF_NOBODY                                                                                                 \
    "conn CLOSE_WAIT 10.0.0.5:9100 10.0.0.9:40000 x12 recv_q=0 send_q=0 timer=none bytes_acked=800 "                   \
    "bytes_received=101 "                                                                                              \
    "last_ack_recv=5m last_data_sent=300500ms last_data_recv=301s rtt=300\n"
#define CLIENTS(netns) "netns " netns "\nprocess 970 client parent=800 fds=20/1024 running=1h\n" FAR
#define FAR                                                                                                            \
    "conn FIN_WAIT_2 10.0.0.9:40000 10.0.0.5:9100 x12 vary=local_port recv_q=0 send_q=0 timer=none rtt=300 "           \
    "holders=970:20 "
/* bytes_acked of a client includes one each for its SYN and its FIN. */
#define FITS "bytes_acked=102 bytes_received=800 last_ack_recv=5m last_data_sent=301s last_data_recv=300500ms\n"

struct expected {
    size_t pairs; /* other ends of the finding */
    bool gap;
};

static void check(const char *host, struct expected expected)
{
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot, host);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    const struct finding *leak = NULL;
    for (size_t i = 0; i < diagnosis.finding_count; i++) {
        if (strcmp(diagnosis.findings[i].id, "close-wait-leak") == 0)
            leak = &diagnosis.findings[i];
    }
    assert_non_null(leak);
    assert_int_equal(leak != NULL ? leak->other_end_count : SIZE_MAX, expected.pairs);
    assert_int_equal(diagnosis.gap_count, expected.gap ? 1 : 0);
    if (expected.gap)
        assert_string_equal(diagnosis.gaps[0].id, "ends-ambiguous");
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

static void ends_that_agree_are_a_pair(void **state)
{
    (void)state;
    check(HOST(CLIENTS("clients") FITS), (struct expected){ .pairs = 12 });
}

static void what_was_not_read_at_one_moment_agrees(void **state)
{
    (void)state;
    check(HOST(CLIENTS("clients") "bytes_acked=102 bytes_received=800 last_ack_recv=5m last_data_sent=301015ms "
                                  "last_data_recv=300485ms\n"),
        (struct expected){ .pairs = 12 });
}

/* A retransmission is sent later than anything that was received. */
static void what_was_sent_again_agrees(void **state)
{
    (void)state;
    check(HOST(CLIENTS("clients") "bytes_acked=102 bytes_received=800 last_ack_recv=5m last_data_sent=280s "
                                  "last_data_recv=300500ms\n"),
        (struct expected){ .pairs = 12 });
}

static void without_counters_the_only_one_that_fits_is_a_pair(void **state)
{
    (void)state;
    check(
        HOST("netns clients\nconn FIN_WAIT_2 10.0.0.9:40000 10.0.0.5:9100 x12 vary=local_port inode=0 timer=time_wait "
             "timer_ms=20000\n"),
        (struct expected){ .pairs = 12 });
}

static void bytes_that_the_other_never_sent_are_a_strangers(void **state)
{
    (void)state;
    check(HOST(CLIENTS("elsewhere") "bytes_acked=62 bytes_received=800 last_ack_recv=5m last_data_sent=301s "
                                    "last_data_recv=300500ms\n"),
        (struct expected){ .gap = true });
}

static void bytes_that_did_not_come_here_are_a_strangers(void **state)
{
    (void)state;
    check(HOST(CLIENTS("elsewhere") "bytes_acked=102 bytes_received=900 last_ack_recv=5m last_data_sent=301s "
                                    "last_data_recv=300500ms\n"),
        (struct expected){ .gap = true });
}

/* The same traffic one second later: nothing can be received before it was sent. */
static void clocks_that_do_not_fit_are_a_strangers(void **state)
{
    (void)state;
    check(HOST(CLIENTS("elsewhere") "bytes_acked=102 bytes_received=800 last_ack_recv=4m last_data_sent=300s "
                                    "last_data_recv=299500ms\n"),
        (struct expected){ .gap = true });
}

static void of_two_that_fit_neither_is_a_pair(void **state)
{
    (void)state;
    check(HOST(CLIENTS("one") FITS "netns other\n" FAR FITS), (struct expected){ .gap = true });
}

/* Three networks with the same addresses. Ends whose traffic differs are told apart; their other ends are not seen. */
static void of_three_the_one_that_agrees_is_a_pair(void **state)
{
    (void)state;
    check(HOST(CLIENTS("one") FITS "netns two\n" FAR "bytes_acked=202 bytes_received=800 last_ack_recv=5m "
                                   "last_data_sent=301s last_data_recv=300500ms\n"
                                   "netns three\n" FAR "bytes_acked=102 bytes_received=70 last_ack_recv=5m "
                                   "last_data_sent=301s last_data_recv=300500ms\n"),
        (struct expected){ .pairs = 12, .gap = true });
}

/* Two servers with the same endpoints, and one client, which can belong to only one of them. */
static void another_that_may_claim_the_end_makes_it_unsure(void **state)
{
    (void)state;
    check(HOST(CLIENTS("clients") FITS "netns twin\n"
                                       "conn ESTABLISHED 10.0.0.5:9100 10.0.0.9:40000 x12 recv_q=0 send_q=0\n"),
        (struct expected){ .pairs = 12 }); /* its state does not fit that of the client */
    check(HOST(CLIENTS("clients") FITS "netns twin\nconn LISTEN *:9100 recv_q=0 send_q=128\n" LEAK_OF_NOBODY),
        (struct expected){ .gap = true });
}

/* An own address always belongs to the own namespace. */
static void in_the_same_namespace_it_is_sure(void **state)
{
    (void)state;
    check(HOST("process 970 client parent=800 fds=20/1024 running=1h\n" FAR FITS "netns twin\n" FAR FITS),
        (struct expected){ .pairs = 12, .gap = true });
    check("netns twin\nprocess 971 client parent=800 fds=20/1024 running=1h\n" /* in whatever order they come */
          "conn FIN_WAIT_2 10.0.0.9:40000 10.0.0.5:9100 x12 vary=local_port recv_q=0 send_q=0 timer=none rtt=300 "
          "holders=971:20 " FITS HOST("process 970 client parent=800 fds=20/1024 running=1h\n" FAR FITS),
        (struct expected){ .pairs = 12, .gap = true });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_that_agree_are_a_pair),
        cmocka_unit_test(what_was_not_read_at_one_moment_agrees),
        cmocka_unit_test(what_was_sent_again_agrees),
        cmocka_unit_test(without_counters_the_only_one_that_fits_is_a_pair),
        cmocka_unit_test(bytes_that_the_other_never_sent_are_a_strangers),
        cmocka_unit_test(bytes_that_did_not_come_here_are_a_strangers),
        cmocka_unit_test(clocks_that_do_not_fit_are_a_strangers),
        cmocka_unit_test(of_two_that_fit_neither_is_a_pair),
        cmocka_unit_test(of_three_the_one_that_agrees_is_a_pair),
        cmocka_unit_test(another_that_may_claim_the_end_makes_it_unsure),
        cmocka_unit_test(in_the_same_namespace_it_is_sure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
