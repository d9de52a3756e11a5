/*
 * Connections that the other host, which was seen whole too, does not know: found, and told from what only looks so.
 */
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "hosts/join.h"
#include "model/host.h"
#include "two_hosts.h"

#define WEB                                                                                                            \
    "host web-3 linux 6.18.44 2026-01-31T12:03:11.123Z\nsetting net.ipv4.ip_local_port_range 32768 60999\n"            \
    "process 100 app user=www fds=200/1024 state=S\n"
#define CLOCKS(ago) " last_data_sent=" ago " last_data_recv=" ago " last_ack_recv=" ago
#define IDLE(ago) " recv_q=0 send_q=0 timer=none bytes_acked=301 bytes_received=900" CLOCKS(ago)
#define HELD " holders=100:20\n"
#define TO_DB(port, count) " 10.0.0.5:" port " 10.0.0.9:5432 x" count " vary=local_port"
#define OLD "conn ESTABLISHED" TO_DB("40000", "12") IDLE("10m") HELD
#define NEW "conn ESTABLISHED" TO_DB("41000", "3") IDLE("20s") HELD

#define HOST_AT(time) "host db-1 linux 6.18.44 2026-01-31T" time "Z\n"
#define SERVER                                                                                                         \
    "setting net.ipv4.ip_local_port_range 32768 60999\nprocess 200 postgres user=pg fds=30/1024 state=S running=5m\n"  \
    "conn LISTEN *:5432 recv_q=0 send_q=128 holders=200:3\n"
#define DB HOST_AT("12:03:11.123") SERVER
#define AT_DB(state, port, count) "conn " state " 10.0.0.9:5432 10.0.0.5:" port " x" count
#define KNOWN(ago) AT_DB("ESTABLISHED", "41000", "3") IDLE(ago) " holders=200:9\n"
#define ELSEWHERE "conn ESTABLISHED 10.0.0.9:22 10.7.7.7:50000 recv_q=0 send_q=0 timer=none" CLOCKS("1s") "\n"

struct expected {
    uint64_t count; /* 0: no finding */
    enum confidence confidence;
    enum severity severity;
    bool gap;
};

static const struct expected NOTHING = { 0 }, GAP = { .gap = true };
static const struct expected LIKELY = { 12, CONFIDENCE_LIKELY, SEVERITY_WARNING, false };
static const struct expected POSSIBLE = { 12, CONFIDENCE_POSSIBLE, SEVERITY_INFO, false };

static const struct finding *find(const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        if (strcmp(diagnosis->findings[i].id, "half-open") == 0)
            return &diagnosis->findings[i];
    }
    return NULL;
}

static bool has_gap(const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->gap_count; i++) {
        if (strcmp(diagnosis->gaps[i].id, "ends-unknown") == 0)
            return true;
    }
    return false;
}

static void check_snapshot(const struct snapshot *snapshot, struct expected expected)
{
    struct diagnosis diagnosis;
    diagnose(snapshot, NULL, NULL, &diagnosis);
    const struct finding *finding = find(&diagnosis);
    assert_int_equal(finding != NULL ? finding->count : 0, expected.count);
    if (finding != NULL) {
        assert_int_equal(finding->confidence, expected.confidence);
        assert_int_equal(finding->severity, expected.severity);
        assert_int_equal(finding->fault, FAULT_PEER_OR_PATH);
    }
    assert_int_equal(has_gap(&diagnosis), expected.gap);
    diagnosis_deinit(&diagnosis);
}

static void check(const char *one, const char *other, struct expected expected)
{
    struct snapshot joined = two_hosts_join(one, other);
    check_snapshot(&joined, expected);
    snapshot_deinit(&joined);
}

static void check_one_host(const char *host, struct expected expected)
{
    struct snapshot snapshot;
    fixture_must(&snapshot, host);
    check_snapshot(&snapshot, expected);
    snapshot_deinit(&snapshot);
}

/* --- it is found ---------------------------------------------------------------------------------------------- */

static void a_restarted_host_does_not_know_its_old_connections(void **state)
{
    (void)state;
    check(WEB OLD NEW, DB KNOWN("20s"), LIKELY);
    /* the snapshots some seconds apart, whichever comes first */
    check(WEB OLD NEW, HOST_AT("12:03:08.123") SERVER KNOWN("17s"), LIKELY);
    check(WEB OLD NEW, HOST_AT("12:03:13.123") SERVER KNOWN("22s"), LIKELY);
}

static void a_half_closed_one_is_held(void **state)
{
    (void)state;
    check(WEB "conn FIN_WAIT_2" TO_DB("40000", "12") IDLE("10m") HELD NEW, DB KNOWN("20s"), LIKELY);
}

static void a_client_that_was_restarted_is_not_there_for_its_server(void **state)
{
    (void)state;
    check(DB AT_DB("ESTABLISHED", "40000", "12") IDLE("10m") " holders=200:40\n" KNOWN("20s"), WEB NEW, LIKELY);
}

static void keepalive_will_end_them(void **state)
{
    (void)state;
    check(WEB "conn ESTABLISHED" TO_DB("40000", "12") " recv_q=0 send_q=0 timer=keepalive timer_ms=1h bytes_acked=301 "
                                                      "bytes_received=900" CLOCKS("10m") HELD NEW,
        DB KNOWN("20s"), (struct expected){ 12, CONFIDENCE_LIKELY, SEVERITY_INFO, false });
}

static void without_a_sibling_a_nat_may_be_between(void **state)
{
    (void)state;
    check(WEB OLD, DB ELSEWHERE, POSSIBLE);
    check(WEB OLD, DB, NOTHING);                                /* nothing shows that the address is this host's */
    check(WEB OLD, HOST_AT("12:03:11.123") ELSEWHERE, NOTHING); /* nor that the service is */
}

static void two_namespaces_of_one_host(void **state)
{
    (void)state;
    static const char web[] = "netns web own\nsetting net.ipv4.ip_local_port_range 32768 60999\nprocess 100 app\n" OLD;
    static const char db[] = "netns db\nprocess 200 postgres\nconn LISTEN *:5432 recv_q=0 send_q=128 holders=200:3\n";
    char host[4096];
    snprintf(host, sizeof host, "%s%s%s%s", web, NEW, db, KNOWN("20s"));
    check_one_host(host, LIKELY);
    snprintf(host, sizeof host, "%s%s%s", web, db, ELSEWHERE);
    check_one_host(host, NOTHING);
    snprintf(
        host, sizeof host, "gap netns-hidden text=\"3 are\" remedy=\"root\"\n%s%s%s%s", web, NEW, db, KNOWN("20s"));
    check_one_host(host, NOTHING);
}

/* --- look-alikes ---------------------------------------------------------------------------------------------- */

static void one_that_is_there_in_any_state_is_known(void **state)
{
    (void)state;
    check(WEB OLD NEW, DB KNOWN("20s") AT_DB("ESTABLISHED", "40000", "12") IDLE("10m") " holders=200:20\n", NOTHING);
    check(WEB OLD NEW, DB KNOWN("20s") AT_DB("CLOSE_WAIT", "40000", "12") IDLE("2s") " holders=200:20\n", NOTHING);
    check(WEB OLD NEW, DB KNOWN("20s") AT_DB("FIN_WAIT_1", "40000", "12") "\n", NOTHING);
}

static void what_a_nat_made_of_it_is_known(void **state)
{
    (void)state;
    check(WEB OLD NEW,
        DB KNOWN("20s") "conn ESTABLISHED 172.17.0.2:5432 10.0.0.5:40000 x12" IDLE("10m") " holders=200:20\n", NOTHING);
    /* of the client's own host: a sidecar takes what it sends */
    check(WEB OLD NEW "conn ESTABLISHED 127.0.0.1:15001 10.0.0.5:40000 x12" IDLE("10m") " holders=100:50\n",
        DB KNOWN("20s"), NOTHING);
}

static void one_that_was_opened_or_closed_between(void **state)
{
    (void)state;
    /* they are younger than the other snapshot */
    check(WEB "conn ESTABLISHED" TO_DB("40000", "12") IDLE("25s") HELD NEW, HOST_AT("12:02:46.123") SERVER KNOWN("1s"),
        NOTHING);
    /* the other was taken a minute later: they may be closed */
    check(WEB OLD NEW, HOST_AT("12:04:11.123") SERVER KNOWN("80s"), GAP);
    /* one that comes to the end of its time, of many */
    check(WEB "conn ESTABLISHED" TO_DB("40000", "1") IDLE("60s") HELD "conn ESTABLISHED" TO_DB("41000", "300")
              IDLE("20s") HELD,
        DB AT_DB("ESTABLISHED", "41000", "300") IDLE("20s") " holders=200:9\n", NOTHING);
}

static void several_hosts_behind_one_address(void **state)
{
    (void)state;
    /* this one's are as quiet as the others' */
    check(WEB OLD "conn ESTABLISHED" TO_DB("41000", "3") IDLE("11m") HELD, DB KNOWN("11m"), GAP);
    /* those of the others are in use */
    check(WEB OLD NEW "conn ESTABLISHED" TO_DB("42000", "9") IDLE("10") HELD, DB KNOWN("20s"), GAP);
}

static void a_snapshot_that_was_filtered(void **state)
{
    (void)state;
    check(WEB OLD NEW, DB KNOWN("20s") "gap rows-left-out text=\"more rows\" remedy=\"all\"\n", NOTHING);
    check(WEB OLD, "source capture-ss\n" DB "conn LISTEN 10.0.0.9:22 recv_q=0 send_q=128\n", GAP);
    check(WEB OLD NEW, "source capture-lsof\n" DB KNOWN("20s"), NOTHING);
}

static void without_clocks_nothing_is_concluded(void **state)
{
    (void)state;
    check(WEB "conn ESTABLISHED" TO_DB("40000", "12") " recv_q=0 send_q=0" HELD NEW, DB KNOWN("20s"), GAP);
}

/* What both ends remember says that the snapshots were five minutes apart. */
static void times_that_are_wrong(void **state)
{
    (void)state;
    check(WEB OLD NEW, DB KNOWN("320s"), GAP);
}

static void what_waits_to_be_accepted_has_another_cause(void **state)
{
    (void)state;
    check(WEB OLD NEW,
        HOST_AT("12:03:11.123") "process 200 postgres\nconn LISTEN *:5432 recv_q=5 send_q=128 holders=200:3\n" KNOWN(
            "20s"),
        NOTHING);
    /* never answered: the last step of the handshake was dropped there */
    check(WEB "conn ESTABLISHED" TO_DB("40000", "12") " recv_q=0 send_q=0 timer=none bytes_acked=1 "
                                                      "bytes_received=0" CLOCKS("10m") HELD NEW,
        DB KNOWN("20s"), NOTHING);
}

static void an_address_of_several(void **state)
{
    (void)state;
    check(WEB OLD NEW "netns container\nconn LISTEN 10.0.0.9:80 recv_q=0 send_q=128\n", DB KNOWN("20s"), NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restarted_host_does_not_know_its_old_connections),
        cmocka_unit_test(a_half_closed_one_is_held),
        cmocka_unit_test(a_client_that_was_restarted_is_not_there_for_its_server),
        cmocka_unit_test(keepalive_will_end_them),
        cmocka_unit_test(without_a_sibling_a_nat_may_be_between),
        cmocka_unit_test(two_namespaces_of_one_host),
        cmocka_unit_test(one_that_is_there_in_any_state_is_known),
        cmocka_unit_test(what_a_nat_made_of_it_is_known),
        cmocka_unit_test(one_that_was_opened_or_closed_between),
        cmocka_unit_test(several_hosts_behind_one_address),
        cmocka_unit_test(a_snapshot_that_was_filtered),
        cmocka_unit_test(without_clocks_nothing_is_concluded),
        cmocka_unit_test(times_that_are_wrong),
        cmocka_unit_test(what_waits_to_be_accepted_has_another_cause),
        cmocka_unit_test(an_address_of_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
