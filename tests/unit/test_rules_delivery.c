/*
 * A window that the peer has reduced: what Linux 6.18 shows of it in all states, and sources that show less; and
 * look-alikes that differ only in the fact that decides.
 */
#include <stdio.h>

#include "fixture.h"
#include "rule_cases.h"
#include "unit.h"

#define DATA " recv_q=0 send_q=58000 notsent=56552 "
#define MINE " uid=7 holders=812:12\n"
#define AFTER_70_S " timer=retransmit retransmits=0 timer_ms=34800 backoff=8 rto=52224 rtt=80 rttvar=41 "
#define ANSWERED "last_data_sent=17344ms last_ack_recv=17344ms last_data_recv=71156ms "
#define HEARD                                                                                                          \
    " timer=retransmit retransmits=8 timer_ms=34800 backoff=8 rto=52224 rtt=80 rttvar=41 snd_wnd=65536 " ANSWERED
#define OPEN "conn ESTABLISHED 10.0.0.5:9100 10.1.2.3:40000 x12"
#define CLOSED(state) "conn " state " 10.0.0.5:9100 10.1.2.3:40000 x12"

static const struct rule_case cases[] = {
    /* ESTABLISHED */
    { "sent, then the window was taken back: no retransmission counts, the pauses double",
        SERVER OPEN DATA AFTER_70_S "snd_wnd=0 " ANSWERED MINE, "established-zero-window 12 812 warning likely\n" },
    { "the same for ten minutes: the pauses have reached the maximum",
        SERVER OPEN DATA
        " timer=retransmit retransmits=0 timer_ms=100000 backoff=12 rto=120000 rtt=80 rttvar=41 snd_wnd=0 "
        "last_data_sent=20s last_ack_recv=20s last_data_recv=15m " MINE,
        "established-zero-window 12 812 warning certain\n" },
    { "the kernel shows no window (before 5.4, or ss left the 0 out): the pauses tell it",
        SERVER OPEN DATA AFTER_70_S ANSWERED MINE, "established-zero-window 12 812 warning likely\n" },
    { "ss -to: nothing but the timer",
        SERVER OPEN " recv_q=0 send_q=58000 timer=retransmit retransmits=0 timer_ms=45000" MINE,
        "established-zero-window 12 812 warning likely\n" },
    { "some retransmissions were counted before the window closed",
        SERVER OPEN DATA
        " timer=retransmit retransmits=2 timer_ms=34800 backoff=8 rto=52224 rtt=80 rttvar=41 snd_wnd=0 " ANSWERED MINE,
        "established-zero-window 12 812 warning likely\n" },
    { "not 0, but less than what is in flight: it was taken back too",
        SERVER OPEN DATA
        " timer=retransmit retransmits=8 timer_ms=34800 backoff=8 rto=52224 rtt=80 rttvar=41 snd_wnd=536 " ANSWERED
            MINE,
        "established-zero-window 12 812 warning likely\n" },
    { "the window was taken back, and then the peer vanished: nothing answers any more",
        SERVER OPEN DATA AFTER_70_S "snd_wnd=0 last_data_sent=17344ms last_ack_recv=65s last_data_recv=71156ms " MINE,
        "established-unanswered 12 812 warning certain\n" },
    { "a window that could hold it, and a peer that talks: lost on the way, or refused",
        SERVER OPEN DATA
        " timer=retransmit retransmits=8 timer_ms=34800 backoff=8 rto=52224 rtt=80 rttvar=41 snd_wnd=65536 " ANSWERED
            MINE,
        "established-unanswered 12 812 warning likely\n" },
    { "younger than a slow reader may be",
        SERVER OPEN DATA " timer=retransmit retransmits=0 timer_ms=2652 backoff=5 rto=6528 rtt=80 rttvar=41 snd_wnd=0 "
                         "last_data_sent=3876ms last_ack_recv=3876ms last_data_recv=11s " MINE,
        "" },
    { "one doubling that Karn's rule has left behind, on a path that works",
        SERVER OPEN DATA " timer=retransmit retransmits=0 timer_ms=300 backoff=1 rto=408 rtt=80000 rttvar=4100 "
                         "last_data_sent=100ms last_ack_recv=100ms last_data_recv=11s " MINE,
        "" },
    { "the window has opened again, and the pause has not been made short yet",
        SERVER OPEN DATA AFTER_70_S "snd_wnd=65536 " ANSWERED MINE, "" },
    { "a full window in flight on a slow line: data moves",
        SERVER OPEN
        " recv_q=0 send_q=58000 notsent=0 timer=retransmit retransmits=0 timer_ms=900 backoff=0 rto=1200 "
        "rtt=900000 rttvar=50000 snd_wnd=0 last_data_sent=300ms last_ack_recv=300ms last_data_recv=11s " MINE,
        "" },
    { "ss -to: a first timeout on a slow line",
        SERVER OPEN " recv_q=0 send_q=58000 timer=retransmit retransmits=0 timer_ms=3000" MINE, "" },

    /* The other states */
    { "CLOSE_WAIT", SERVER CLOSED("CLOSE_WAIT") DATA AFTER_70_S "snd_wnd=0 " ANSWERED MINE,
        "close-wait-blocked-writer 12 812 info certain\n" },
    { "CLOSE_WAIT, and nobody answers any more",
        SERVER CLOSED("CLOSE_WAIT") DATA AFTER_70_S
        "snd_wnd=0 last_data_sent=17344ms last_ack_recv=65s last_data_recv=71s" MINE,
        "close-wait-blocked-writer 12 812 info certain\n" },
    { "FIN_WAIT_1 with a descriptor",
        SERVER CLOSED("FIN_WAIT_1") DATA AFTER_70_S "snd_wnd=0 shutdown=send " ANSWERED MINE,
        "fin-wait-1-zero-window 12 812 info certain\n" },
    { "FIN_WAIT_1 without: for an orphan the retransmissions count",
        SERVER CLOSED("FIN_WAIT_1") DATA " timer=retransmit retransmits=8 timer_ms=34800 backoff=8 rto=52224 rtt=80 "
                                         "rttvar=41 snd_wnd=0 uid=7 inode=0 " ANSWERED "\n",
        "fin-wait-1-zero-window 12 812 info certain\n" },
    { "CLOSING with a descriptor", SERVER CLOSED("CLOSING") DATA AFTER_70_S "snd_wnd=0 shutdown=both " ANSWERED MINE,
        "closing-unanswered 12 812 info certain\n" },
    { "LAST_ACK with a descriptor", SERVER CLOSED("LAST_ACK") DATA AFTER_70_S "snd_wnd=0 shutdown=both " ANSWERED MINE,
        "last-ack-zero-window 12 812 info certain\n" },
    { "LAST_ACK without",
        SERVER CLOSED("LAST_ACK") DATA
        " timer=retransmit retransmits=8 timer_ms=34800 backoff=8 rto=52224 rtt=80 rttvar=41 "
        "snd_wnd=0 uid=7 inode=0 " ANSWERED "\n",
        "last-ack-zero-window 12 812 info certain\n" },
    /* The peer sends its FIN again if the acknowledgement of it is lost. That says nothing about its buffer. */
    { "CLOSE_WAIT, sent again into a window that could hold it, and the peer is heard",
        SERVER CLOSED("CLOSE_WAIT") DATA HEARD MINE, "close-wait-blocked-writer 12 812 info likely\n" },
    { "CLOSING, the same", SERVER CLOSED("CLOSING") DATA HEARD "shutdown=both " MINE,
        "closing-unanswered 12 812 info likely\n" },
    { "LAST_ACK, the same", SERVER CLOSED("LAST_ACK") DATA HEARD "uid=7 inode=0\n",
        "last-ack-unanswered 12 812 info likely\n" },
    { "LAST_ACK whose peer was heard last long ago",
        SERVER CLOSED("LAST_ACK") DATA
        " timer=retransmit retransmits=8 timer_ms=34800 backoff=8 rto=52224 rtt=80 rttvar=41 "
        "snd_wnd=0 uid=7 inode=0 last_data_sent=17344ms last_ack_recv=70s\n",
        "last-ack-unanswered 12 812 info certain\n" },
};

enum { CASE_COUNT = sizeof cases / sizeof *cases };

static void every_case_is_judged_as_expected(void **state)
{
    (void)state;
    rule_cases_check(cases, CASE_COUNT);
}

static bool is_said(const struct lines *lines, const char *text)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strstr(lines->items[i], text) != NULL)
            return true;
    }
    return false;
}

/* In each state: the window was reduced, how often data was sent since, and the kernel does not give up by itself. */
static void what_was_taken_back_is_told_as_such(void **state)
{
    (void)state;
    static const char *const states[] = { "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING", "LAST_ACK" };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct snapshot snapshot;
        struct diagnosis diagnosis;
        char host[4096];
        snprintf(host, sizeof host, "%s%s%s%s", SERVER "conn ", states[i], " 10.0.0.5:9100 10.1.2.3:40000 x12",
            DATA AFTER_70_S "snd_wnd=0 " ANSWERED MINE);
        fixture_must(&snapshot, host);
        diagnose(&snapshot, NULL, NULL, &diagnosis);
        assert_int_equal(diagnosis.finding_count, 1);
        const struct finding *finding = &diagnosis.findings[0];
        assert_true(is_said(&finding->evidence, "took back the window"));
        assert_true(is_said(&finding->evidence, "up to 8 times"));
        assert_false(is_said(&finding->evidence, "persist timer"));
        assert_false(finding->give_up_known);
        /* 52.2 s of pauses before the last, and 17.4 s since then */
        assert_in_range(finding->oldest_ms, 69000, 69700);
        diagnosis_deinit(&diagnosis);
        snapshot_deinit(&snapshot);
    }
}

/* The timeout alone shows it if /proc/net/tcp shows little more; a first timeout on a slow path does not. */
static void the_timeout_alone_tells_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct snapshot snapshot;
        struct diagnosis diagnosis;
        fixture_must(&snapshot, SERVER OPEN " recv_q=0 send_q=58000 timer=retransmit retransmits=0" MINE);
        for (size_t c = 0; c < snapshot.conn_count; c++) {
            struct conn *conn = &snapshot.conns[c];
            conn->present |= CONN_RTO;
            conn->rto_ms = i == 0 ? 52224 : 3000;
            conn->timer_ms = i == 0 ? 34800 : 2000;
        }
        diagnose(&snapshot, NULL, NULL, &diagnosis);
        assert_int_equal(diagnosis.finding_count, i == 0);
        if (i == 0) {
            assert_string_equal(diagnosis.findings[0].id, "established-zero-window");
            assert_int_equal(diagnosis.findings[0].confidence, CONFIDENCE_LIKELY);
        }
        diagnosis_deinit(&diagnosis);
        snapshot_deinit(&snapshot);
    }
}

/* Unanswered probes were sent too. Their number is reported, not that of retransmissions, which is 0. */
static void probes_by_data_are_counted_where_nobody_answers(void **state)
{
    (void)state;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    fixture_must(&snapshot,
        SERVER OPEN DATA AFTER_70_S "snd_wnd=0 last_data_sent=17344ms last_ack_recv=65s last_data_recv=71156ms " MINE);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_true(is_said(&diagnosis.findings[0].evidence, "sent again 8 times"));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_as_expected),
        cmocka_unit_test(what_was_taken_back_is_told_as_such),
        cmocka_unit_test(the_timeout_alone_tells_it),
        cmocka_unit_test(probes_by_data_are_counted_where_nobody_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
