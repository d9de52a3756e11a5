/* Snapshots of several hosts joined: both ends of connections, and what hides that they belong together. */
#include "hosts/join.h"
#include "hosts/nat.h"
#include "model/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "two_hosts.h"

enum { HOSTS = 2 };

static const char *const files[HOSTS] = { "a.snap", "caps/b.txt" };

static struct snapshot join(const char *one, const char *other)
{
    struct snapshot parts[HOSTS], joined;
    struct error err = { 0 };
    fixture_must(&parts[0], one);
    fixture_must(&parts[1], other);
    snapshot_init(&joined);
    int result = hosts_join(parts, files, HOSTS, &joined, &err);
    if (result < 0)
        print_error("%s: %s\n", err.subject, err.message);
    assert_int_equal(result, 0);
    for (size_t i = 0; i < HOSTS; i++)
        snapshot_deinit(&parts[i]);
    return joined;
}

static bool has_line(const struct lines *lines, const char *part)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strstr(lines->items[i], part) != NULL)
            return true;
    }
    return false;
}

#define WEB                                                                                                            \
    "host web-3 linux 6.18.44 2026-01-31T12:03:11.123Z\nnetns host own inode=7\ncgroup 5 /web\n"                       \
    "process 100 client user=www fds=200/1024 netns=host\n"                                                            \
    "conn LISTEN *:80 holders=100:3\n"                                                                                 \
    "conn ESTABLISHED 10.0.0.5:80 203.0.113.5:50000 holders=100:4\n"
#define DB                                                                                                             \
    "host db-1 linux 6.18.44 2026-01-31T12:03:11.123Z\nnetns host own inode=7\ncgroup 5 /db\n"                         \
    "process 100 postgres user=pg fds=300/1024 netns=host\n"                                                           \
    "conn LISTEN *:5432 holders=100:3\n"
#define OLD " recv_q=0 send_q=0 timer=none last_data_sent=4h last_data_recv=4h last_ack_recv=4h"

static void both_ends_are_one_finding_where_it_must_be_mended(void **state)
{
    (void)state;
    struct snapshot joined = join(WEB "conn FIN_WAIT_2 10.0.0.5:40000 10.0.0.9:5432 x80 vary=local_port" OLD
                                      " holders=100:9\n",
        DB "conn CLOSE_WAIT 10.0.0.9:5432 10.0.0.5:40000 x80" OLD " holders=100:9\n");
    struct diagnosis diagnosis;
    diagnose(&joined, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    const struct finding *leak = two_hosts_finding(&diagnosis, "close-wait-leak");
    assert_non_null(leak);
    assert_int_equal(leak->count, 80);
    assert_string_equal(leak->host->name, "db-1");
    assert_string_equal(leak->owner->name, "postgres");
    assert_non_null(strstr(leak->title, "postgres (pid 100) on db-1"));
    assert_true(has_line(&leak->evidence, "80 of the other ends are on web-3, in FIN_WAIT_2"));
    assert_int_equal(leak->counterpart_count, 1);
    assert_string_equal(leak->counterparts[0].process->name, "client");
    assert_int_equal(joined.gap_count, 0);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&joined);
}

static void hosts_stay_apart(void **state)
{
    (void)state;
    struct snapshot joined = join(WEB
        "conn ESTABLISHED 10.0.0.5:41000 10.9.9.9:1 cgroup=5\ngap x text=hidden remedy=none\n",
        DB "conn ESTABLISHED 10.0.0.9:41000 10.9.9.9:1 cgroup=5\ngap x text=hidden remedy=none\n");
    assert_string_equal(joined.host_name, "web-3 and db-1");
    assert_int_equal(joined.host_count, 2);
    assert_int_equal(joined.gap_count, 2);
    assert_string_equal(joined.gaps[0].text, "web-3: hidden");
    assert_string_equal(joined.gaps[1].text, "db-1: hidden");
    const struct conn *last = &joined.conns[joined.conn_count - 1];
    assert_ptr_equal(hosts_of_conn(&joined, last), &joined.hosts[1]);
    assert_string_equal(snapshot_cgroup_by_id(&joined, &joined.hosts[1], 5)->path, "/db");
    assert_string_equal(snapshot_cgroup_by_id(&joined, &joined.hosts[0], 5)->path, "/web");
    assert_string_equal(snapshot_owner(&joined, &joined.conns[joined.conn_count - 2])->name, "postgres");
    snapshot_deinit(&joined);
}

/* Each host has a bridge network with the same addresses. Equal addresses and ports there do not belong together. */
static void addresses_that_both_have_pair_nothing(void **state)
{
    (void)state;
    struct snapshot joined = join(WEB
        "conn LISTEN 172.17.0.1:9000 holders=100:5\nconn FIN_WAIT_2 172.17.0.2:40000 172.17.0.1:9000" OLD
        " holders=100:9\nconn ESTABLISHED 172.17.0.1:9000 172.17.0.9:1 holders=100:10\n",
        DB "conn CLOSE_WAIT 172.17.0.1:9000 172.17.0.2:40000 x9" OLD " holders=100:9\n");
    const struct conn *here = NULL, *there = NULL;
    for (size_t i = 0; i < joined.conn_count; i++) {
        here = joined.conns[i].state == STATE_FIN_WAIT_2 ? &joined.conns[i] : here;
        there = joined.conns[i].state == STATE_CLOSE_WAIT && there == NULL ? &joined.conns[i] : there;
    }
    assert_false(hosts_may_pair(&joined, here, there));
    struct diagnosis diagnosis;
    diagnose(&joined, NULL, NULL, &diagnosis);
    const struct finding *leak = two_hosts_finding(&diagnosis, "close-wait-leak");
    assert_non_null(leak);
    assert_int_equal(leak->counterpart_count, 0);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&joined);
}

static void what_translates_the_server_is_a_gap(void **state)
{
    (void)state;
    struct snapshot joined = join(WEB "conn FIN_WAIT_2 10.0.0.5:40000 10.0.0.100:5432 x80 vary=local_port" OLD
                                      " holders=100:9\n",
        DB "conn CLOSE_WAIT 10.0.0.9:5432 10.0.0.5:40000 x80" OLD " holders=100:9\n");
    assert_int_equal(joined.gap_count, 1);
    assert_non_null(strstr(joined.gaps[0].text, "80 of the connections of web-3 stand at db-1"));
    assert_true(hosts_hide_ends(&joined, &joined.hosts[1], &joined.hosts[0]));
    struct diagnosis diagnosis;
    diagnose(&joined, NULL, NULL, &diagnosis);
    assert_int_equal(two_hosts_finding(&diagnosis, "close-wait-leak")->counterpart_count, 0);
    assert_non_null(two_hosts_finding(&diagnosis, "fin-wait-2-held"));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&joined);
}

static void what_translates_the_client_is_a_gap(void **state)
{
    (void)state;
    struct snapshot joined = join(WEB
        "conn ESTABLISHED 10.0.0.5:40000 10.0.0.9:5432 x8 vary=local_port holders=100:9\n",
        DB "conn ESTABLISHED 10.0.0.9:5432 192.168.9.9:20000 x9 holders=100:9\n");
    assert_int_equal(joined.gap_count, 1);
    assert_non_null(strstr(joined.gaps[0].text, "8 connections of web-3 go to db-1"));
    assert_non_null(strstr(joined.gaps[0].text, "has 9 there"));
    snapshot_deinit(&joined);
}

#define YOUNG " recv_q=0 send_q=0 timer=none last_data_sent=1ms last_data_recv=1ms last_ack_recv=1ms"

static void expect_hidden(const char *one, const char *other, const char *text)
{
    struct snapshot joined = join(one, other);
    assert_int_equal(joined.gap_count, text != NULL);
    if (text != NULL && strstr(joined.gaps[0].text, text) == NULL)
        print_error("%s\n", joined.gaps[0].text);
    assert_true(text == NULL || strstr(joined.gaps[0].text, text) != NULL);
    snapshot_deinit(&joined);
}

/* These connections have just begun or ended: too young, or few among many that match. */
static void churn_is_no_translation(void **state)
{
    (void)state;
    expect_hidden(WEB "conn ESTABLISHED 10.0.0.5:40000 10.0.0.9:5432 x8 vary=local_port" YOUNG " holders=100:9\n",
        DB "conn ESTABLISHED 10.0.0.9:5432 192.168.9.9:20000 x9" YOUNG " holders=100:9\n", NULL);
    expect_hidden(WEB "conn ESTABLISHED 10.0.0.5:40000 10.0.0.9:5432 x8 vary=local_port holders=100:9\n",
        DB "conn ESTABLISHED 10.0.0.9:5432 10.0.0.5:40000 x6 vary=peer_port holders=100:9\n"
           "conn ESTABLISHED 10.0.0.9:5432 192.168.9.9:20000 x9 holders=100:9\n",
        NULL);
}

#define CONTAINER "netns ctr inode=77\n"

/* The host hides its containers behind its own address (masquerading). Its own connections match. */
static void a_host_that_masquerades_its_containers_is_a_gap(void **state)
{
    (void)state;
    struct snapshot joined = join(WEB
        "conn FIN_WAIT_2 10.0.0.5:40000 10.0.0.9:5432 x5 vary=local_port" OLD " holders=100:9\n" CONTAINER
        "conn FIN_WAIT_2 172.17.0.2:50000 10.0.0.9:5432 x40 vary=local_port netns=ctr" OLD " holders=100:19\n",
        DB "conn CLOSE_WAIT 10.0.0.9:5432 10.0.0.5:40000 x5 vary=peer_port" OLD " holders=100:9\n"
           "conn CLOSE_WAIT 10.0.0.9:5432 10.0.0.5:50007 x40 vary=peer_port" OLD " holders=100:19\n");
    assert_int_equal(joined.gap_count, 1);
    assert_string_equal(joined.gaps[0].id, "ends-hidden-0-1");
    assert_non_null(strstr(joined.gaps[0].text, "40 connections of web-3 go to db-1, which does not know them"));
    assert_non_null(strstr(joined.gaps[0].text, "has 40 there that web-3 does not know"));
    struct diagnosis diagnosis;
    diagnose(&joined, NULL, NULL, &diagnosis);
    assert_int_equal(two_hosts_finding(&diagnosis, "close-wait-leak")->confidence, CONFIDENCE_LIKELY);
    assert_int_equal(two_hosts_finding(&diagnosis, "fin-wait-2-held")->confidence, CONFIDENCE_LIKELY);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&joined);
}

/*
 * Masquerading keeps the client's port if it can. That shows it if the connections are too young to show it by their
 * age.
 */
static void a_port_that_is_kept_tells(void **state)
{
    (void)state;
    expect_hidden(WEB "conn ESTABLISHED 10.0.0.5:40000 10.0.0.9:5432 x8 vary=local_port" YOUNG " holders=100:9\n",
        DB "conn ESTABLISHED 10.0.0.9:5432 192.168.9.9:40000 x8 vary=peer_port" YOUNG " holders=100:9\n",
        "8 connections of web-3 go to db-1, which knows none of them");
}

/* A published port: the address is that of the host, and the container behind it has another one. */
static void a_published_port_is_a_gap(void **state)
{
    (void)state;
    expect_hidden(WEB "conn ESTABLISHED 10.0.0.5:40000 10.0.0.9:8080 x8 vary=local_port" OLD " holders=100:9\n",
        DB "conn ESTABLISHED 10.0.0.9:5432 10.0.0.7:1 holders=100:9\n" CONTAINER
           "conn LISTEN *:80 netns=ctr holders=100:5\n"
           "conn ESTABLISHED 172.17.0.2:80 10.0.0.5:40000 x8 vary=peer_port netns=ctr" OLD " holders=100:19\n",
        "with the same address and port of the client");
}

/* What remains when the other end is gone: an orphan has timed out, and a reader waits for nobody. */
static void ends_that_went_their_way_are_no_translation(void **state)
{
    (void)state;
    expect_hidden(WEB "conn CLOSE_WAIT 10.0.0.5:40000 10.0.0.9:5432 x20 vary=local_port" OLD " holders=100:9\n",
        DB "conn ESTABLISHED 10.0.0.9:5432 192.168.9.9:20000 x30" OLD " holders=100:9\n"
           "conn FIN_WAIT_2 10.0.0.9:5432 192.168.9.9:20000 x30 vary=peer_port inode=0" OLD "\n",
        NULL);
}

/* What was not read is not evidence of something between the hosts. */
static void a_host_that_was_seen_in_part_hides_nothing(void **state)
{
    (void)state;
    struct snapshot joined = join(WEB "conn ESTABLISHED 10.0.0.5:40000 10.0.0.9:5432 x8 vary=local_port" OLD
                                      " holders=100:9\n",
        DB "conn ESTABLISHED 10.0.0.9:5432 192.168.9.9:20000 x9" OLD " holders=100:9\n"
           "gap snapshot-incomplete text=cut remedy=none\n");
    assert_int_equal(joined.gap_count, 1);
    assert_string_equal(joined.gaps[0].id, "snapshot-incomplete");
    snapshot_deinit(&joined);
}

static void a_host_that_forgot_its_end_is_evidence(void **state)
{
    (void)state;
    struct snapshot joined = join(WEB
        "conn LAST_ACK 10.0.0.5:40000 10.0.0.9:5432 x20 vary=local_port recv_q=0 send_q=1 timer=retransmit "
        "timer_ms=40s retransmits=9 backoff=9 rto=120s rtt=4ms last_data_sent=8m last_data_recv=9m "
        "last_ack_recv=9m unacked=1\n",
        DB "conn ESTABLISHED 10.0.0.9:5432 10.0.0.7:40007 holders=100:9\n");
    struct diagnosis diagnosis;
    diagnose(&joined, NULL, NULL, &diagnosis);
    const struct finding *finding = two_hosts_finding(&diagnosis, "last-ack-unanswered");
    assert_non_null(finding);
    assert_string_equal(finding->host->name, "web-3");
    assert_true(
        has_line(&finding->evidence, "20 of them go to db-1, which was looked at too and has no end that fits"));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&joined);
}

/* The limit of a host is compared only with the use on that host. */
static void limits_of_hosts_are_not_added_up(void **state)
{
    (void)state;
    char full[600], empty[600];
    snprintf(full, sizeof full, "%ssetting net.ipv4.tcp_max_orphans 1000\ncounter TCP.orphan 900\n", DB);
    snprintf(empty, sizeof empty, "%ssetting net.ipv4.tcp_max_orphans 1000\ncounter TCP.orphan 3\n", WEB);
    struct snapshot joined = join(empty, full);
    struct diagnosis diagnosis;
    diagnose(&joined, NULL, NULL, &diagnosis);
    const struct finding *finding = two_hosts_finding(&diagnosis, "orphan-limit");
    assert_non_null(finding);
    assert_string_equal(finding->host->name, "db-1");
    assert_int_equal(finding->count, 900);
    assert_int_equal(diagnosis.finding_count, 1);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&joined);
}

static void one_host_twice_is_refused(void **state)
{
    (void)state;
    struct snapshot parts[HOSTS], joined;
    struct error err;
    fixture_must(&parts[0], WEB);
    fixture_must(&parts[1], WEB);
    snapshot_init(&joined);
    assert_int_equal(hosts_join(parts, files, HOSTS, &joined, &err), -EINVAL);
    assert_non_null(strstr(err.message, "tcpwhy diff"));
    snapshot_deinit(&joined);
    for (size_t i = 0; i < HOSTS; i++)
        snapshot_deinit(&parts[i]);
}

#define TEXT_OF_DB "conn CLOSE_WAIT 10.0.0.9:5432 10.0.0.5:40000 x80 holders=100:9\n"

/* A snapshot and a text of one host: the text does not contain the host's name. */
static void one_host_without_its_name_is_refused(void **state)
{
    (void)state;
    struct snapshot parts[HOSTS], joined;
    struct error err;
    fixture_must(&parts[0], DB TEXT_OF_DB);
    fixture_must(&parts[1], "process 100 postgres\nconn CLOSE_WAIT 10.0.0.9:5432 10.0.0.5:40010 x90 holders=100:9\n");
    parts[1].host_name = NULL;
    parts[0].from = "a.snap";
    snapshot_init(&joined);
    assert_int_equal(hosts_join(parts, files, HOSTS, &joined, &err), -EINVAL);
    assert_non_null(strstr(err.message, "is of the same host as a.snap: 70 of 80 connections are in both"));
    snapshot_deinit(&joined);
    for (size_t i = 0; i < HOSTS; i++)
        snapshot_deinit(&parts[i]);
}

/*
 * Ports are reused. Matching ends prove nothing if the snapshots are a month apart, or if the time between is not
 * known.
 */
static void snapshots_far_apart_pair_nothing(void **state)
{
    (void)state;
    static const struct {
        uint64_t later_ms;
        bool unknown, paired;
        const char *gap;
    } cases[] = {
        { 30 * 1000, false, true, NULL },
        { 3600 * 1000, false, true, "1 h apart, so that one end" },
        { UINT64_C(30) * 86400 * 1000, false, false, "30 d apart; which ends" },
        { 0, true, false, "when db-1 was looked at is not known" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct snapshot parts[HOSTS], joined;
        struct error err;
        fixture_must(
            &parts[0], WEB "conn FIN_WAIT_2 10.0.0.5:40000 10.0.0.9:5432 x80 vary=local_port" OLD " holders=100:9\n");
        fixture_must(&parts[1], DB "conn CLOSE_WAIT 10.0.0.9:5432 10.0.0.5:40000 x80" OLD " holders=100:9\n");
        parts[1].taken_at_ms = cases[i].unknown ? 0 : parts[1].taken_at_ms + cases[i].later_ms;
        snapshot_init(&joined);
        assert_int_equal(hosts_join(parts, files, HOSTS, &joined, &err), 0);
        assert_int_equal(joined.gap_count, cases[i].gap != NULL);
        if (cases[i].gap != NULL && strstr(joined.gaps[0].text, cases[i].gap) == NULL)
            print_error("%s\n", joined.gaps[0].text);
        assert_true(cases[i].gap == NULL || strstr(joined.gaps[0].text, cases[i].gap) != NULL);
        struct diagnosis diagnosis;
        diagnose(&joined, NULL, NULL, &diagnosis);
        const struct finding *leak = two_hosts_finding(&diagnosis, "close-wait-leak");
        assert_int_equal(leak->counterpart_count, cases[i].paired);
        assert_false(has_line(&leak->evidence, "was looked at too and has no end"));
        diagnosis_deinit(&diagnosis);
        snapshot_deinit(&joined);
    }
}

static void hosts_redacted_one_by_one_are_a_gap(void **state)
{
    (void)state;
    struct snapshot parts[HOSTS], joined;
    struct error err;
    fixture_must(&parts[0], WEB);
    fixture_must(&parts[1], DB);
    parts[1].redacted = true;
    snapshot_init(&joined);
    assert_int_equal(hosts_join(parts, files, HOSTS, &joined, &err), 0);
    assert_true(joined.redacted);
    assert_int_equal(joined.gap_count, 1);
    assert_string_equal(joined.gaps[0].id, "hosts-redacted");
    snapshot_deinit(&joined);
}

/* A file of two hosts and a file of one. */
static void joined_hosts_are_joined_again(void **state)
{
    (void)state;
    struct snapshot parts[HOSTS] = { join(WEB "gap x text=hidden remedy=none\n", DB) }, joined;
    struct error err;
    fixture_must(&parts[1], "host lb linux 6.1 2026-01-31T12:03:11.123Z\nconn LISTEN *:80\n");
    snapshot_init(&joined);
    assert_int_equal(hosts_join(parts, files, HOSTS, &joined, &err), 0);
    assert_int_equal(joined.host_count, 3);
    assert_string_equal(joined.host_name, "web-3, db-1 and lb");
    assert_int_equal(hosts_number(&joined, &joined.conns[0]), 0);
    assert_int_equal(hosts_number(&joined, &joined.conns[joined.conn_count - 2]), 1);
    assert_int_equal(hosts_number(&joined, &joined.conns[joined.conn_count - 1]), 2);
    assert_int_equal(joined.gap_count, 1);
    assert_string_equal(joined.gaps[0].text, "web-3: hidden");
    assert_ptr_equal(joined.gaps[0].host, &joined.hosts[0]);
    snapshot_deinit(&joined);
}

static void a_host_without_a_name_is_called_by_its_file(void **state)
{
    (void)state;
    struct snapshot parts[HOSTS], joined;
    struct error err;
    fixture_must(&parts[0], WEB);
    fixture_must(&parts[1], DB);
    parts[1].host_name = NULL;
    parts[1].taken_at_ms += 90000;
    snapshot_init(&joined);
    assert_int_equal(hosts_join(parts, files, HOSTS, &joined, &err), 0);
    assert_string_equal(joined.hosts[1].name, "b.txt");
    assert_int_equal(joined.gap_count, 1);
    assert_string_equal(joined.gaps[0].id, "hosts-apart");
    snapshot_deinit(&joined);
}

static void files_of_one_name_are_told_by_their_folders(void **state)
{
    (void)state;
    static const char *const named_alike[HOSTS] = { "web/ss.txt", "db/ss.txt" };
    struct snapshot parts[HOSTS], joined;
    struct error err;
    fixture_must(&parts[0], WEB);
    fixture_must(&parts[1], DB);
    parts[0].host_name = NULL;
    parts[1].host_name = "localhost";
    snapshot_init(&joined);
    assert_int_equal(hosts_join(parts, named_alike, HOSTS, &joined, &err), 0);
    assert_string_equal(joined.hosts[0].name, "web/ss.txt");
    assert_string_equal(joined.hosts[1].name, "db/ss.txt");
    snapshot_deinit(&joined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_are_one_finding_where_it_must_be_mended),
        cmocka_unit_test(hosts_stay_apart),
        cmocka_unit_test(addresses_that_both_have_pair_nothing),
        cmocka_unit_test(what_translates_the_server_is_a_gap),
        cmocka_unit_test(what_translates_the_client_is_a_gap),
        cmocka_unit_test(churn_is_no_translation),
        cmocka_unit_test(a_host_that_masquerades_its_containers_is_a_gap),
        cmocka_unit_test(a_port_that_is_kept_tells),
        cmocka_unit_test(a_published_port_is_a_gap),
        cmocka_unit_test(ends_that_went_their_way_are_no_translation),
        cmocka_unit_test(a_host_that_was_seen_in_part_hides_nothing),
        cmocka_unit_test(a_host_that_forgot_its_end_is_evidence),
        cmocka_unit_test(limits_of_hosts_are_not_added_up),
        cmocka_unit_test(one_host_twice_is_refused),
        cmocka_unit_test(one_host_without_its_name_is_refused),
        cmocka_unit_test(snapshots_far_apart_pair_nothing),
        cmocka_unit_test(hosts_redacted_one_by_one_are_a_gap),
        cmocka_unit_test(joined_hosts_are_joined_again),
        cmocka_unit_test(a_host_without_a_name_is_called_by_its_file),
        cmocka_unit_test(files_of_one_name_are_told_by_their_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
