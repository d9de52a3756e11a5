/*
 * A selection never changes a verdict: whatever is selected, the findings are those of the whole host that are about a
 * selected connection.
 */
#include <stdlib.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "unit.h"

/* A service sends, clients of this host do not read. A third process is idle. */
#define UNREAD                                                                                                         \
    "netns web own\n"                                                                                                  \
    "process 10 sender parent=1 fds=60/20000 running=2d\n"                                                             \
    "process 20 reader parent=1 fds=60/20000 running=2d\n"                                                             \
    "process 30 idle parent=1 fds=10/20000 running=2d\n"                                                               \
    "conn LISTEN *:9100 recv_q=0 send_q=128 holders=10:3\n"                                                            \
    "conn ESTABLISHED 10.0.0.5:9100 10.0.0.5:40000 x20 recv_q=0 send_q=58000 notsent=56552 timer=retransmit "          \
    "retransmits=0 timer_ms=100000 backoff=12 rto=120000 rtt=80 rttvar=41 snd_wnd=0 last_data_sent=20s "               \
    "last_ack_recv=20s last_data_recv=15m holders=10:20\n"                                                             \
    "conn ESTABLISHED 10.0.0.5:40000 10.0.0.5:9100 x20 vary=local_port recv_q=40000 send_q=0 timer=none rtt=80 "       \
    "last_ack_recv=20s last_data_sent=15m last_data_recv=10m holders=20:20\n"                                          \
    "conn ESTABLISHED 10.0.0.5:50000 10.0.0.9:80 recv_q=0 send_q=0 timer=none rtt=300 last_ack_recv=1m "               \
    "last_data_sent=1m last_data_recv=1m bytes_acked=101 bytes_received=100 holders=30:20\n"

struct one {
    struct snapshot snapshot;
    struct diagnosis diagnosis;
};

static void begin(struct one *one, const char *host, const struct selection *selection)
{
    fixture_must(&one->snapshot, host);
    diagnose(&one->snapshot, selection, NULL, &one->diagnosis);
}

static void end(struct one *one)
{
    diagnosis_deinit(&one->diagnosis);
    snapshot_deinit(&one->snapshot);
}

static void the_end_that_must_act_is_named_from_either_end(void **state)
{
    (void)state;
    static const struct {
        int (*add)(struct selection *, const char *, struct error *);
        const char *option, *value;
        uint64_t conns, ends;
    } selections[] = {
        { selection_add_pids, "pid", "10", 0, 20 },
        { selection_add_pids, "pid", "20", 20, 0 },
        { selection_add_names, "process", "sender", 0, 20 },
        { selection_add_ports, "port", "9100", 20, 20 },
        { selection_add_ports, "port", "40007", 1, 1 },
        { selection_add_causes, "cause", "established-zero-window", 0, 20 },
        { selection_add_local, "local", ":9100", 0, 20 },
        { selection_add_peer, "peer", "10.0.0.5", 20, 20 },
        { selection_set_older, "older", "1m", 20, 20 },
    };
    struct one whole;
    begin(&whole, UNREAD, NULL);
    assert_int_equal(whole.diagnosis.finding_count, 1);
    const struct finding *expected = &whole.diagnosis.findings[0];
    assert_string_equal(expected->id, "established-unread");
    for (size_t i = 0; i < sizeof selections / sizeof *selections; i++) {
        struct selection selection = { 0 };
        struct error err = { 0 };
        assert_int_equal(selections[i].add(&selection, selections[i].value, &err), 0);
        struct one one;
        begin(&one, UNREAD, &selection);
        assert_int_equal(one.diagnosis.finding_count, 1);
        const struct finding *finding = &one.diagnosis.findings[0];
        assert_string_equal(finding->title, expected->title);
        assert_int_equal(finding->severity, expected->severity);
        assert_int_equal(finding->count, expected->count);
        assert_int_equal(finding->owner->pid, 20);
        if (finding->selected_count != selections[i].conns || finding->selected_ends != selections[i].ends)
            fail_msg("--%s %s: %llu, and %llu other ends", selections[i].option, selections[i].value,
                (unsigned long long)finding->selected_count, (unsigned long long)finding->selected_ends);
        end(&one);
    }
    end(&whole);
}

static void what_is_about_nothing_selected_is_not_shown(void **state)
{
    (void)state;
    struct selection selection = { 0 };
    struct error err = { 0 };
    selection_add_pids(&selection, "30", &err);
    struct one one;
    begin(&one, UNREAD, &selection);
    assert_int_equal(one.diagnosis.finding_count, 0);
    assert_int_equal(one.diagnosis.verdict, VERDICT_HEALTHY);
    assert_int_equal(one.diagnosis.selected_count, 1);
    end(&one);
}

static void the_selected_connections_come_first(void **state)
{
    (void)state;
    struct selection selection = { 0 };
    struct error err = { 0 };
    selection_add_ports(&selection, "40013", &err);
    struct one one;
    begin(&one, UNREAD, &selection);
    const struct finding *finding = &one.diagnosis.findings[0];
    assert_int_equal(one.snapshot.conns[finding->conns[0]].local_port, 40013);
    assert_int_equal(finding->conn_count, 20);
    end(&one);
}

/* Nobody holds what waits in an accept queue: it is selected by the process that should accept it. */
static void what_waits_at_a_selected_listener_is_shown(void **state)
{
    (void)state;
    static const char host[] = "netns web own\n"
                               "process 10 server parent=1 fds=60/20000 running=2d\n"
                               "process 20 other parent=1 fds=60/20000 running=2d\n"
                               "conn LISTEN *:80 recv_q=30 send_q=128 holders=10:3\n"
                               "conn LISTEN *:81 recv_q=0 send_q=128 holders=20:3\n"
                               "conn CLOSE_WAIT 10.0.0.5:80 10.0.0.9:40000 x30 recv_q=101 send_q=0 timer=none inode=0 "
                               "last_ack_recv=5m last_data_sent=301s last_data_recv=301s rtt=300\n";
    struct error err = { 0 };
    for (int pid = 10; pid <= 20; pid += 10) {
        struct selection selection = { 0 };
        selection_add_pids(&selection, pid == 10 ? "10" : "20", &err);
        struct one one;
        begin(&one, host, &selection);
        assert_int_equal(one.diagnosis.finding_count, pid == 10 ? 1 : 0);
        if (pid == 10)
            assert_string_equal(one.diagnosis.findings[0].id, "close-wait-not-accepted");
        end(&one);
    }
}

/* What the service has closed is held by nobody, and is not stuck by now. The client that does not close it is. */
static void the_client_is_shown_before_the_orphans_are_old(void **state)
{
    (void)state;
    static const char host[] = "netns web own\n"
                               "process 10 server parent=1 fds=60/20000 running=2d\n"
                               "process 20 client parent=1 fds=60/20000 running=2d\n"
                               "process 30 other parent=1 fds=60/20000 running=2d\n"
                               "conn LISTEN *:80 recv_q=0 send_q=128 holders=10:3\n"
                               "conn LISTEN *:81 recv_q=0 send_q=128 holders=30:3\n"
                               "conn FIN_WAIT_2 10.0.0.5:80 10.0.0.5:40000 x30 recv_q=0 send_q=0 inode=0 "
                               "timer=time_wait timer_ms=50000\n"
                               "conn CLOSE_WAIT 10.0.0.5:40000 10.0.0.5:80 x30 vary=local_port recv_q=0 send_q=0 "
                               "timer=none last_ack_recv=10s last_data_sent=11s last_data_recv=11s rtt=300 "
                               "holders=20:9\n";
    static const char *const pids[] = { "10", "20", "30" };
    struct error err = { 0 };
    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        struct selection selection = { 0 };
        selection_add_pids(&selection, pids[i], &err);
        struct one one;
        begin(&one, host, &selection);
        bool is_concerned = strcmp(pids[i], "30") != 0;
        assert_int_equal(one.diagnosis.finding_count, is_concerned ? 1 : 0);
        if (is_concerned)
            assert_string_equal(one.diagnosis.findings[0].id, "close-wait-leak");
        end(&one);
    }
}

static void gaps_count_what_is_selected(void **state)
{
    (void)state;
    static const struct {
        const char *port;
        const char *gap; /* NULL: none */
    } cases[] = { { "9100", NULL }, { "7000", "who holds 1 of the sockets that were selected is not known: the " } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct selection selection = { 0 };
        struct error err = { 0 };
        struct one one;
        fixture_must(&one.snapshot,
            UNREAD "conn ESTABLISHED 10.0.0.5:7000 10.0.0.9:50001 recv_q=0 send_q=0 timer=none rtt=300 inode=77 "
                   "last_ack_recv=1m last_data_sent=1m last_data_recv=1m\n");
        snapshot_note_gap(&one.snapshot, GAP_OWNERS_HIDDEN,
            "who holds 9 of the sockets is not known: the descriptors of 1 process (pid 1, init) may not be read",
            NULL);
        selection_add_ports(&selection, cases[i].port, &err);
        diagnose(&one.snapshot, &selection, NULL, &one.diagnosis);
        size_t count;
        struct gap *gaps = diagnosis_all_gaps(&one.diagnosis, &count);
        assert_int_equal(count, cases[i].gap != NULL ? 1 : 0);
        if (cases[i].gap != NULL)
            assert_int_equal(strncmp(gaps[0].text, cases[i].gap, strlen(cases[i].gap)), 0);
        free(gaps);
        end(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_that_must_act_is_named_from_either_end),
        cmocka_unit_test(what_is_about_nothing_selected_is_not_shown),
        cmocka_unit_test(the_selected_connections_come_first),
        cmocka_unit_test(what_waits_at_a_selected_listener_is_shown),
        cmocka_unit_test(the_client_is_shown_before_the_orphans_are_old),
        cmocka_unit_test(gaps_count_what_is_selected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
