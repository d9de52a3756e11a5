/* Handshakes that do not come to their end, and FIN_WAIT_2 whose other end has closed, with both hosts seen. */
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "fixture.h"
#include "model/host.h"
#include "two_hosts.h"
#include "model/select.h"

#define WEB_AT(time)                                                                                                   \
    "host web-3 linux 6.18.44 2026-01-31T" time "Z\nsetting net.ipv4.ip_local_port_range 32768 60999\n"                \
    "setting net.ipv4.tcp_syn_retries 6\nsetting net.ipv4.tcp_syn_linear_timeouts 4\n"                                 \
    "process 100 client user=www fds=200/1024 state=S\n"
#define WEB WEB_AT("12:03:11.123")
#define DB_WITH(time, settings)                                                                                        \
    "host db-1 linux 6.18.44 2026-01-31T" time "Z\nsetting net.ipv4.ip_local_port_range 32768 60999\n"                 \
    "setting net.ipv4.tcp_synack_retries 5\n" settings "process 200 postgres user=pg fds=300/1024 state=S\n"           \
    "conn ESTABLISHED 10.0.0.9:22 10.0.0.77:50000 recv_q=0 send_q=0 timer=none holders=200:8\n"
#define DB DB_WITH("12:03:11.123", "")
#define LISTENS "conn LISTEN *:5432 recv_q=0 send_q=128 holders=200:3\n"
#define SYNS                                                                                                           \
    "conn SYN_SENT 10.0.0.5:40000 10.0.0.9:5432 x12 vary=local_port recv_q=0 send_q=1 timer=retransmit "               \
    "retransmits=5 timer_ms=3000 holders=100:20\n"
#define AT_DB(state, count) "conn " state " 10.0.0.9:5432 10.0.0.5:40000 x" count " "
#define HALF_OPEN(count) AT_DB("SYN_RECEIVED", count) "timer=retransmit retransmits=4 timer_ms=9000\n"
#define OPEN_AT_WEB(state)                                                                                             \
    "conn " state " 10.0.0.5:40000 10.0.0.9:5432 x12 vary=local_port recv_q=0 send_q=0 timer=none holders=100:20\n"
#define OTHER_OF_WEB "conn ESTABLISHED 10.0.0.5:39000 10.0.0.77:22 recv_q=0 send_q=0 timer=none holders=100:9\n"

struct expected {
    const char *id, *title, *why;
    enum confidence confidence;
};

static void check_finding(const struct diagnosis *diagnosis, const struct expected *expected)
{
    const struct finding *finding = two_hosts_finding(diagnosis, expected->id);
    assert_non_null(finding);
    if (strstr(finding->title, expected->title) == NULL || strstr(finding->why, expected->why) == NULL)
        print_error("%s\n%s\n", finding->title, finding->why);
    assert_non_null(strstr(finding->title, expected->title));
    assert_non_null(strstr(finding->why, expected->why));
    assert_int_equal(finding->confidence, expected->confidence);
    assert_int_equal(finding->fault, FAULT_PEER_OR_PATH);
}

static void check(const char *web, const char *db, struct expected expected)
{
    struct two_hosts said;
    two_hosts_diagnose(&said, web, db, NULL);
    check_finding(&said.diagnosis, &expected);
    two_hosts_deinit(&said);
}

static void a_syn_that_does_not_arrive(void **state)
{
    (void)state;
    check(WEB SYNS, DB LISTENS,
        (struct expected){ "syn-sent-unanswered", "the SYNs of 12 connections do not arrive there",
            "the SYN is lost on the way there", CONFIDENCE_LIKELY });
}

static void a_port_on_which_nobody_listens(void **state)
{
    (void)state;
    check(WEB SYNS, DB,
        (struct expected){ "syn-sent-unanswered", "nobody listens there, and no reset comes",
            "The SYN, or the reset, is lost", CONFIDENCE_LIKELY });
}

/* Each is a reason why the other host shows nothing although the SYN has arrived, or may be another host. */
static void what_may_hide_a_syn_proves_nothing(void **state)
{
    (void)state;
    static const char *const others[] = {
        /* cookies are always sent: nothing is kept */
        DB_WITH("12:03:11.123", "setting net.ipv4.tcp_syncookies 2\n") LISTENS,
        /* the accept queue is full: SYNs are dropped */
        DB "conn LISTEN *:5432 recv_q=129 send_q=128 holders=200:3\n",
        /* half-open connections with another address: a NAT on the client's host may have changed it */
        DB LISTENS "conn SYN_RECEIVED 10.0.0.9:5432 10.0.0.4:40000 x12 vary=peer_port timer=retransmit retransmits=4 "
                   "timer_ms=9000\n",
        /* a redirection changes the server's port, and the SYN-ACK is lost: the client's end is known */
        DB LISTENS "conn SYN_RECEIVED 10.0.0.9:15432 10.0.0.5:40000 x12 vary=peer_port timer=retransmit retransmits=4 "
                   "timer_ms=9000\n",
        /* seen before the first SYN, and seen long after the last */
        DB_WITH("12:01:11.123", "") LISTENS,
        DB_WITH("12:04:11.123", "") LISTENS,
        /* that address is not known to be this host's */
        ("host db-1 linux 6.18.44 2026-01-31T12:03:11.123Z\nprocess 200 postgres\n" LISTENS),
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct two_hosts said;
        two_hosts_diagnose(&said, WEB SYNS, others[i], NULL);
        const struct finding *finding = two_hosts_finding(&said.diagnosis, "syn-sent-unanswered");
        assert_non_null(finding);
        if (strstr(finding->title, "nobody answers the SYNs of 12 connections") == NULL)
            print_error("case %zu: %s\n", i, finding->title);
        assert_non_null(strstr(finding->title, "nobody answers the SYNs of 12 connections"));
        assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
        two_hosts_deinit(&said);
    }
}

static void a_synack_that_is_lost(void **state)
{
    (void)state;
    check(WEB SYNS, DB LISTENS HALF_OPEN("12 vary=peer_port"),
        (struct expected){ "syn-recv-unanswered", "the SYN-ACK does not arrive at the client",
            "lost on the way to the client", CONFIDENCE_LIKELY });
    /* The half-open ones are still young: they are no finding yet. */
    check(WEB SYNS,
        DB LISTENS AT_DB("SYN_RECEIVED", "12 vary=peer_port") "timer=retransmit retransmits=1 timer_ms=900\n",
        (struct expected){ "syn-sent-unanswered", "the answers to the SYNs of 12 connections are lost",
            "it has arrived", CONFIDENCE_LIKELY });
}

static void an_ack_that_is_lost(void **state)
{
    (void)state;
    check(WEB OPEN_AT_WEB("ESTABLISHED"), DB LISTENS HALF_OPEN("12 vary=peer_port"),
        (struct expected){ "syn-recv-unanswered", "the client's ACK does not arrive here", "lost on the way here",
            CONFIDENCE_LIKELY });
}

static void a_client_that_does_not_know_them(void **state)
{
    (void)state;
    check(WEB OTHER_OF_WEB, DB LISTENS HALF_OPEN("12 vary=peer_port"),
        (struct expected){ "syn-recv-unanswered", "the client's host does not know them", "answers such a SYN-ACK",
            CONFIDENCE_LIKELY });
    /* A container behind its host's address: masquerading changes the address, and the SYN is its own. */
    check(WEB OTHER_OF_WEB "conn SYN_SENT 172.17.0.2:40000 10.0.0.9:5432 x12 vary=local_port recv_q=0 send_q=1 "
                           "timer=retransmit retransmits=5 timer_ms=3000\n",
        DB LISTENS HALF_OPEN("12 vary=peer_port"),
        (struct expected){
            "syn-recv-unanswered", "the clients do not answer the SYN-ACK", "is lost on its way", CONFIDENCE_CERTAIN });
}

static void some_of_them(void **state)
{
    (void)state;
    struct two_hosts said;
    two_hosts_diagnose(&said, WEB SYNS,
        DB LISTENS AT_DB("SYN_RECEIVED", "5 vary=peer_port") "timer=retransmit retransmits=1 "
                                                             "timer_ms=900\n",
        NULL);
    const struct finding *finding = two_hosts_finding(&said.diagnosis, "syn-sent-unanswered");
    assert_non_null(finding);
    assert_non_null(strstr(finding->title, "nobody answers the SYNs of 12 connections"));
    bool is_told = false;
    for (size_t i = 0; i < finding->evidence.count; i++)
        is_told |= strstr(finding->evidence.items[i], "On 5 connections the SYN has arrived") != NULL;
    assert_true(is_told);
    two_hosts_deinit(&said);
}

#define FIN_WAIT_2                                                                                                     \
    "conn FIN_WAIT_2 10.0.0.5:40000 10.0.0.9:5432 x12 vary=local_port recv_q=0 send_q=0 timer=none "                   \
    "last_data_recv=90s last_ack_recv=50s last_data_sent=90s holders=100:20\n"
#define LAST_ACKS(retransmits)                                                                                         \
    AT_DB("LAST_ACK", "12 vary=peer_port")                                                                             \
    "recv_q=0 send_q=1 timer=retransmit retransmits=" retransmits " backoff=" retransmits                              \
    " rto=12800 rtt=4ms timer_ms=900 unacked=1 "                                                                       \
    "last_data_sent=40s last_data_recv=90s last_ack_recv=50s\n"

static void a_fin_of_the_peer_that_is_lost(void **state)
{
    (void)state;
    /* One story, one finding: that of the end whose packets are lost. */
    struct two_hosts said;
    two_hosts_diagnose(&said, WEB FIN_WAIT_2, DB LAST_ACKS("6"), NULL);
    check_finding(&said.diagnosis,
        &(struct expected){ "last-ack-unanswered", "does not arrive: the peers are still there",
            "lost on the way to the peer", CONFIDENCE_LIKELY });
    assert_null(two_hosts_finding(&said.diagnosis, "fin-wait-2-held"));
    two_hosts_deinit(&said);

    /* Asked about FIN_WAIT_2 alone, the same is said. */
    const struct selection selection = { .states = STATE_BIT(STATE_FIN_WAIT_2) };
    two_hosts_diagnose(&said, WEB FIN_WAIT_2, DB LAST_ACKS("6"), &selection);
    check_finding(&said.diagnosis,
        &(struct expected){ "last-ack-unanswered", "does not arrive: the peers are still there",
            "lost on the way to the peer", CONFIDENCE_LIKELY });
    assert_null(two_hosts_finding(&said.diagnosis, "fin-wait-2-held"));
    two_hosts_deinit(&said);

    /* A look-alike: the program there has not closed. */
    two_hosts_diagnose(&said, WEB FIN_WAIT_2,
        DB AT_DB("CLOSE_WAIT", "12 vary=peer_port") "recv_q=1 send_q=0 holders=200:9\n", &selection);
    assert_null(two_hosts_finding(&said.diagnosis, "fin-wait-2-held"));
    assert_int_equal(said.diagnosis.finding_count, 1);
    assert_int_equal(said.diagnosis.findings[0].fault, FAULT_LOCAL_APPLICATION);
    assert_int_equal(said.diagnosis.findings[0].selected_ends, 12);
    two_hosts_deinit(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_that_does_not_arrive),
        cmocka_unit_test(a_port_on_which_nobody_listens),
        cmocka_unit_test(what_may_hide_a_syn_proves_nothing),
        cmocka_unit_test(a_synack_that_is_lost),
        cmocka_unit_test(an_ack_that_is_lost),
        cmocka_unit_test(a_client_that_does_not_know_them),
        cmocka_unit_test(some_of_them),
        cmocka_unit_test(a_fin_of_the_peer_that_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
