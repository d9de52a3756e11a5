/* Snapshots saved and read back: nothing is lost, and nothing is trusted. */
#include "source/capture/saved/saved.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/buf.h"
#include "fixture.h"
#include "model/previous.h"
#include "hosts/join.h"
#include "hosts/nat.h"
#include "model/host.h"
#include "source/capture/saved/redact.h"
#include "saved.h"
#include "two_hosts.h"
#include "source/capture/saved/fields.h"

#include "model/holders.h"

/* --- the tables ------------------------------------------------------------------------------------------------- */

/* The number of bytes of a struct that no field of its table covers. */
static size_t not_covered(const struct record *record, size_t size)
{
    bool *covered = calloc(size, sizeof *covered);
    for (const struct record_field *field = record->fields; field->key != NULL; field++) {
        for (size_t i = 0; i < field->size; i++) {
            assert_false(covered[field->offset + i]); /* covered by two fields */
            covered[field->offset + i] = true;
        }
    }
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += !covered[i];
    free(covered);
    return count;
}

#define SIZE_OF(of, member) sizeof(((struct of *)NULL)->member)

/* A new member of one of these structs must be added to its table; otherwise it would be lost silently. */
static void every_member_is_saved(void **state)
{
    (void)state;
    enum {
        CONN_PADDING = 1,
        PROCESS_PADDING = 22,
        CGROUP_PADDING = 7,
        NETNS_PADDING = 6,
        GAP_PADDING = 7,
        TOTAL_PADDING = 3
    };
    assert_int_equal(not_covered(&saved_conn, sizeof(struct conn)),
        SIZE_OF(conn, present) + SIZE_OF(conn, holder) + SIZE_OF(conn, previous) + CONN_PADDING);
    assert_int_equal(not_covered(&saved_process, sizeof(struct process)),
        SIZE_OF(process, waits) + SIZE_OF(process, wait_count) + SIZE_OF(process, host) + PROCESS_PADDING);
    assert_int_equal(not_covered(&saved_cgroup, sizeof(struct cgroup)), SIZE_OF(cgroup, host) + CGROUP_PADDING);
    assert_int_equal(not_covered(&saved_netns, sizeof(struct netns)),
        SIZE_OF(netns, by_descriptor) + SIZE_OF(netns, fd) + SIZE_OF(netns, host) + NETNS_PADDING);
    assert_int_equal(
        not_covered(&saved_gap, sizeof(struct gap)), SIZE_OF(gap, host) + SIZE_OF(gap, is_read) + GAP_PADDING);
    assert_int_equal(not_covered(&saved_total, sizeof(struct total)), TOTAL_PADDING);
}

/* --- written and read back -------------------------------------------------------------------------------------- */

static struct snapshot read_well(const char *text)
{
    struct snapshot snapshot, previous;
    struct error err = { 0 };
    snapshot_init(&snapshot);
    snapshot_init(&previous);
    assert_int_equal(saved_read_bytes(text, strlen(text), &snapshot, &previous, &err), 0);
    snapshot_deinit(&previous);
    return snapshot;
}

/* All numbers are different, so that no two can be exchanged. */
static void connections_come_back_bit_by_bit(void **state)
{
    (void)state;
    struct snapshot snapshot;
    fixture_must(&snapshot, "process 812 nginx\nconn LISTEN *:80 holders=812:3\n");
    struct conn *conn = &snapshot.conns[0];
    uint32_t holder = conn->holder;
    for (const struct record_field *field = saved_conn.fields; field->key != NULL; field++) {
        for (size_t i = 0; i < field->size; i++)
            ((uint8_t *)conn)[field->offset + i] = (uint8_t)(field->offset + i + 1);
    }
    conn->state = STATE_CLOSE_WAIT;
    conn->timer = TIMER_PERSIST;
    conn->shutdown = SHUTDOWN_SEND;
    conn->ipv6 = true;
    conn->netns = 0;
    conn->previous = 0;
    conn->holder = holder;
    conn->present = (1 << 15) - 1; /* all presence bits that exist */
    char *text = saved_to_text(&snapshot);
    struct snapshot back = read_well(text);
    assert_int_equal(back.conn_count, 1);
    assert_int_equal(back.conns[0].present, conn->present);
    assert_memory_equal(&back.conns[0], conn, sizeof *conn);
    snapshot_deinit(&back);
    free(text);
    snapshot_deinit(&snapshot);
}

/* An unknown field stays unknown, and zero stays zero. */
static void unknown_is_not_zero(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 15; bit++) {
        struct snapshot snapshot;
        fixture_must(&snapshot, "conn CLOSE_WAIT 10.0.0.5:80 10.0.0.6:1024\n");
        snapshot.conns[0].present = (uint16_t)(1U << bit);
        char *text = saved_to_text(&snapshot);
        struct snapshot back = read_well(text);
        assert_int_equal(back.conns[0].present, 1 << bit);
        snapshot_deinit(&back);
        free(text);
        snapshot_deinit(&snapshot);
    }
}

static void all_else_comes_back_too(void **state)
{
    (void)state;
    struct snapshot snapshot;
    fixture_must(&snapshot,
        "host web-3 linux 6.18.44 2026-01-31T12:03:11.123Z\n"
        "source linux-sock-diag elapsed_us=12300 page_bytes=4096\n"
        "netns host own inode=4026531840\n"
        "setting net.ipv4.tcp_orphan_retries 0\n"
        "setting net.ipv4.ip_local_port_range 32768 60999\n"
        "counter TcpExt.ListenDrops 12\n"
        "netns blue inode=9\n"
        "cgroup 4711 /system.slice/spool.service unit=spool.service\n"
        "process 812 \"sp\\xffool\" user=lp uid=7 unit=spool.service cgroup=4711 fds=12/none state=S threads=3 "
        "running=1d command=\"/usr/sbin/spoolsvc -f\"\n"
        "wait 812 S channel=futex_wait_queue call=futex fd=7 target=\"a pipe\" threads=3\n"
        "process 813 other netns=host\n"
        "conn CLOSE_WAIT [::1]:9100 [::1]:50122 holders=812:17,812:18e,813:4 netns=host\n"
        "gap owners-hidden text=\"not \\e[31m seen\" remedy=\"be root\"\n");
    char *text = saved_to_text(&snapshot);
    struct snapshot back = read_well(text);
    assert_string_equal(back.host_name, "web-3");
    assert_string_equal(back.source, "linux-sock-diag");
    assert_true(back.taken_at_ms == snapshot.taken_at_ms);
    assert_int_equal(back.elapsed_us, 12300);
    assert_int_equal(back.page_bytes, 4096);
    assert_int_equal(back.netns_count, 2);
    assert_true(back.netns[0].inode == 4026531840 && back.netns[0].is_own && !back.netns[1].is_own);
    assert_memory_equal(&back.net_values[0], &snapshot.net_values[0], sizeof *back.net_values);
    assert_string_equal(back.cgroups[0].unit, "spool.service");
    const struct process *process = &back.processes[0];
    assert_string_equal(process->name, "sp\xffool");
    assert_int_equal(process->fds_limit, UINT32_MAX);
    assert_int_equal(process->cgroup, 0);
    assert_int_equal(process->running_ms, 86400000);
    assert_int_equal(process->tcp_sockets, snapshot.processes[0].tcp_sockets);
    assert_int_equal(process->wait_count, 1);
    assert_string_equal(process->waits[0].target, "a pipe");
    assert_int_equal(process->waits[0].fd, 7);
    assert_int_equal(back.processes[1].cgroup, NO_INDEX);
    assert_int_equal(holders_count_processes(&back, &back.conns[0]), 2);
    const struct holder *second = &back.holders[back.holders[back.conns[0].holder].next];
    assert_int_equal(second->fd, 18);
    assert_true(second->close_on_exec);
    assert_string_equal(back.gaps[0].text, "not \x1b[31m seen");
    char *again = saved_to_text(&back);
    assert_string_equal(again, text);
    free(again);
    snapshot_deinit(&back);
    free(text);
    snapshot_deinit(&snapshot);
}

static void an_earlier_look_comes_along(void **state)
{
    (void)state;
    static const char look[] = "counter TcpExt.ListenDrops 12\nconn LAST_ACK 10.0.0.5:80 10.0.0.6:1024 cookie=7\n";
    struct snapshot snapshot, before, back, previous;
    struct error err;
    fixture_must(&snapshot, look);
    fixture_must(&before, look);
    before.taken_at_ms -= 10000;
    before.net_values[0].counters[COUNTER_LISTEN_DROPS] = 2;
    snapshot_confirm(&snapshot, &before);
    char *text = saved_to_text(&snapshot);
    snapshot_init(&back);
    snapshot_init(&previous);
    assert_int_equal(saved_read_bytes(text, strlen(text), &back, &previous, &err), 0);
    assert_ptr_equal(back.previous, &previous);
    assert_true(back.confirms);
    assert_int_equal(back.conns[0].previous, 0);
    int64_t rise;
    uint64_t ms;
    assert_true(snapshot_counter_rise(&back, 0, COUNTER_LISTEN_DROPS, &rise, &ms));
    assert_int_equal(rise, 10);
    assert_int_equal(ms, 10000);
    snapshot_deinit(&back);
    snapshot_deinit(&previous);
    free(text);
    snapshot_deinit(&snapshot);
    snapshot_deinit(&before);
}

/* --- files from outside ----------------------------------------------------------------------------------------- */

#define HEAD "{\"type\":\"snapshot\",\"schema\":\"tcpwhy.snapshot/1\"}\n"
#define EARLIER "{\"type\":\"snapshot\",\"schema\":\"tcpwhy.snapshot/1\",\"is_earlier\":true}\n"
#define NETNS "{\"type\":\"netns\",\"name\":\"host\"}\n"
#define PROCESS "{\"type\":\"process\",\"pid\":812,\"name\":\"nginx\"}\n"
#define CONN "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\"}\n"
#define END "{\"type\":\"end\",\"connections\":1}\n"

static void what_a_later_version_adds_is_passed_over(void **state)
{
    (void)state;
    struct snapshot back = read_well(
        "{\"type\":\"snapshot\",\"later\":{\"a\":[1,2]},\"schema\":\"tcpwhy.snapshot/1\"}\n"
        "{\"type\":\"netns\",\"name\":\"host\",\"settings\":{\"net.later\":[1,null,3],"
        "\"net.ipv4.tcp_mem\":[1,null,3,4]},\"counters\":{\"X.Y\":1}}\n"
        "{\"type\":\"of-later\",\"x\":1}\n" PROCESS "\n"
        "{\"type\":\"connection\",\"later\":null,\"remote_port\":7,\"local\":\"::1\","
        "\"remote\":\"::1\",\"state\":\"LISTEN\",\"uid\":null}\n" END);
    assert_int_equal(back.conn_count, 1);
    assert_int_equal(back.conns[0].remote_port, 7);
    assert_int_equal(back.conns[0].present, 0);
    assert_true(back.net_values[0].has_setting[SETTING_MEM_LIMIT]);
    assert_false(back.net_values[0].has_setting[SETTING_MEM_PRESSURE]);
    assert_int_equal(back.gap_count, 0);
    snapshot_deinit(&back);
}

/* A presence bit covers all of its fields. If one of them is missing, the others would become zero. */
static void a_part_of_what_is_known_together_is_unknown(void **state)
{
    (void)state;
    struct snapshot back = read_well(HEAD NETNS
        "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\",\"recv_q_bytes\":4}\n" END);
    assert_int_equal(back.conns[0].present, 0);
    snapshot_deinit(&back);
}

static void lines_that_are_wrong_are_counted_and_left_out(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "[]",
        "nonsense",
        "{\"pid\":1}",
        "{\"type\":\"connection\"}",
        "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\"}",
        "{\"type\":\"connection\",\"state\":\"SLEEPING\",\"local\":\"::\",\"remote\":\"::\"}",
        "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"1.2.3\",\"remote\":\"::\"}",
        "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\",\"local_port\":65536}",
        "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\",\"local_port\":-1}",
        "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\",\"netns\":1}",
        "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\",\"timer\":\"late\"}",
        ("{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\",\"holders\":[{\"process\":1,"
         "\"fd\":1}]}"),
        ("{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\",\"holders\":[{\"process\":0,"
         "\"fd\":-1}]}"),
        "{\"type\":\"connection\",\"state\":\"LISTEN\",\"local\":\"::\",\"remote\":\"::\"} {}",
        "{\"type\":\"process\",\"pid\":\"1\"}",
        "{\"type\":\"process\",\"pid\":1,\"name\":\"x\",\"cgroup\":0}",
        "{\"type\":\"process\",\"pid\":1,\"name\":\"x\",\"netns\":7}",
        "{\"type\":\"process\",\"pid\":1,\"name\":\"x\",\"waits\":[1]}",
        "{\"type\":\"process\",\"pid\":1,\"name\":\"x\\u0000y\"}",
        "{\"type\":\"netns\",\"name\":\"x\",\"settings\":[]}",
        "{\"type\":\"netns\",\"name\":\"x\",\"counters\":{\"TCP.orphan\":18446744073709551615}}",
        "{\"type\":\"gap\",\"id\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buf text = { 0 };
        buf_printf(&text, "%s%s\n%s", HEAD NETNS PROCESS CONN, wrong[i], END);
        struct snapshot snapshot, previous;
        struct error err;
        snapshot_init(&snapshot);
        snapshot_init(&previous);
        int malformed = saved_read_bytes(buf_text(&text), text.length, &snapshot, &previous, &err);
        if (malformed != 1)
            print_error("%s\n", wrong[i]);
        assert_int_equal(malformed, 1);
        assert_int_equal(snapshot.conn_count, 1);
        assert_int_equal(snapshot.process_count, 1);
        assert_int_equal(snapshot.netns_count, 1);
        snapshot_deinit(&snapshot);
        snapshot_deinit(&previous);
        buf_deinit(&text);
    }
}

static void a_snapshot_that_was_cut_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *text, *gap;
    } cut[] = {
        { HEAD NETNS CONN, "was cut short after 1" },
        { HEAD NETNS CONN "{\"type\":\"end\",\"connections\":2}\n", "of 2 in the snapshot 1 could be read" },
        { HEAD NETNS CONN CONN END, "was changed after it was saved, it holds 2 and says 1" },
        { EARLIER NETNS CONN END, "the second of two looks" },
        { EARLIER NETNS CONN HEAD NETNS CONN END, "the earlier look" },
    };
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        struct snapshot back = read_well(cut[i].text);
        assert_int_equal(back.gap_count, 1);
        assert_string_equal(back.gaps[0].id, "snapshot-incomplete");
        if (strstr(back.gaps[0].text, cut[i].gap) == NULL)
            print_error("%s\n", back.gaps[0].text);
        assert_non_null(strstr(back.gaps[0].text, cut[i].gap));
        snapshot_deinit(&back);
    }
}

static void refuses(const char *text, int expected, const char *word)
{
    struct snapshot snapshot, previous;
    struct error err = { 0 };
    snapshot_init(&snapshot);
    snapshot_init(&previous);
    assert_int_equal(saved_read_bytes(text, strlen(text), &snapshot, &previous, &err), expected);
    if (strstr(err.message, word) == NULL)
        print_error("%s\n", err.message);
    assert_non_null(strstr(err.message, word));
    snapshot_deinit(&snapshot);
    snapshot_deinit(&previous);
}

static void what_cannot_be_read_is_refused_with_the_reason(void **state)
{
    (void)state;
    refuses("{\"type\":\"snapshot\",\"tool\":{\"name\":\"tcpwhy\",\"version\":\"9.0\\u001b[m\"},"
            "\"schema\":\"tcpwhy.snapshot/2\"}\n",
        -EPROTONOSUPPORT, "version 2, made by tcpwhy 9.0\\x1b[m");
    refuses("{\"type\":\"snapshot\",\"schema\":\"tcpwhy.diagnosis/1\"}\n", -EBADMSG, "no schema");
    refuses("{\"type\":\"snapshot\"}\n", -EBADMSG, "no schema");
    refuses("{\"type\":\"end\"}\n", -EBADMSG, "first line");
    refuses(EARLIER NETNS EARLIER NETNS HEAD NETNS CONN END, -EBADMSG, "before its first connection");
    refuses(EARLIER NETNS CONN END EARLIER NETNS CONN END HEAD NETNS CONN END, -EBADMSG, "more than two looks");
}

/* A file of another major version is refused, whatever else its first line contains, and in any order. */
static void the_schema_comes_before_all_else(void **state)
{
    (void)state;
    refuses("{\"type\":\"snapshot\",\"taken_at_ms\":\"now\",\"schema\":\"tcpwhy.snapshot/2\"}\n" NETNS CONN END,
        -EPROTONOSUPPORT, "version 2");
    refuses("{\"type\":\"snapshot\",\"schema\":\"tcpwhy.snapshot/2\",\"os\":7,nonsense\n" NETNS CONN END,
        -EPROTONOSUPPORT, "version 2");
    refuses(
        "{\"type\":\"snapshot\",\"schema\":\"tcpwhy.snapshot/2\",\"schema\":\"tcpwhy.snapshot/1\"}\n" NETNS CONN END,
        -EBADMSG, "names its schema 2 times");
}

/* A file without any data is not the same as a host without connections. */
static void what_holds_nothing_is_refused(void **state)
{
    (void)state;
    refuses(HEAD NETNS "{\"type\":\"end\",\"connections\":7}\n", -EBADMSG, "of its 7 connections not one can be read");
    refuses(HEAD NETNS, -EBADMSG, "cut short before its first connection");
    refuses(EARLIER NETNS "{\"type\":\"end\",\"connections\":0}\n", -EBADMSG, "cut short");
    /* a host without connections */
    struct snapshot back = read_well(HEAD NETNS "{\"type\":\"end\",\"connections\":0}\n");
    assert_int_equal(back.gap_count, 0);
    snapshot_deinit(&back);
}

/* --- several hosts ---------------------------------------------------------------------------------------------- */

static struct snapshot join_two(void)
{
    return two_hosts_join(
        "host web-3 linux 6.18.44 2026-01-31T12:03:11.123Z\nnetns host own inode=7\ncgroup 5 /web\n"
        "process 100 client netns=host cgroup=5\nconn FIN_WAIT_2 10.0.0.5:40000 10.0.0.9:5432 holders=100:9\n"
        "gap owners-hidden text=\"not seen\" remedy=root\n",
        "host db-1 linux 6.18.45 2026-01-31T12:04:31.123Z\nnetns host own inode=7\nnetns blue inode=8\ncgroup 5 /db\n"
        "process 100 postgres netns=blue cgroup=5\n"
        "conn CLOSE_WAIT 10.0.0.9:5432 10.0.0.5:40000 netns=blue holders=100:9\n");
}

static void hosts_that_were_joined_stay_apart(void **state)
{
    (void)state;
    struct snapshot joined = join_two();
    char *text = saved_to_text(&joined);
    struct snapshot back = read_well(text);
    assert_int_equal(back.host_count, 2);
    assert_string_equal(back.hosts[1].name, "db-1");
    assert_string_equal(back.hosts[1].kernel, "6.18.45");
    assert_int_equal(back.gap_count, joined.gap_count);
    for (size_t i = 0; i < back.gap_count; i++)
        assert_string_equal(back.gaps[i].text, joined.gaps[i].text);
    assert_string_equal(back.gaps[0].text, "web-3: not seen");
    assert_ptr_equal(hosts_of_conn(&back, &back.conns[1]), &back.hosts[1]);
    assert_string_equal(snapshot_netns(&back, &back.conns[1])->name, "blue");
    assert_string_equal(snapshot_owner(&back, &back.conns[1])->name, "postgres");
    assert_string_equal(back.cgroups[snapshot_owner(&back, &back.conns[1])->cgroup].path, "/db");
    assert_true(hosts_may_pair(&back, &back.conns[0], &back.conns[1]));
    char *again = saved_to_text(&back);
    assert_string_equal(again, text);
    free(again);
    free(text);
    snapshot_deinit(&back);
    snapshot_deinit(&joined);
}

/* The file ends after a complete host. */
static void a_host_that_is_missing_is_a_gap(void **state)
{
    (void)state;
    struct snapshot joined = join_two();
    char *text = saved_to_text(&joined);
    char *second = strstr(text + 1, "{\"type\":\"snapshot\"");
    assert_non_null(second);
    *second = '\0';
    struct snapshot back = read_well(text);
    assert_int_equal(back.host_count, 0);
    assert_int_equal(back.gap_count, 2);
    assert_string_equal(back.gaps[1].id, "hosts-incomplete");
    assert_non_null(strstr(back.gaps[1].text, "of 2 that the snapshot was made of it holds 1"));
    free(text);
    snapshot_deinit(&back);
    snapshot_deinit(&joined);
}

/* With one key for all hosts, the ends still match. */
static void hosts_that_were_joined_are_redacted_together(void **state)
{
    (void)state;
    struct snapshot joined = join_two();
    static const struct redact_key key = { { { 1, 2 } } };
    snapshot_redact(&joined, &key);
    char *text = saved_to_text(&joined);
    assert_null(strstr(text, "web-3"));
    assert_null(strstr(text, "db-1"));
    struct snapshot back = read_well(text);
    assert_true(back.redacted);
    assert_true(back.hosts[0].redacted && back.hosts[1].redacted);
    assert_true(ip_equal(&back.conns[0].local, &back.conns[1].remote));
    for (size_t i = 0; i < back.gap_count; i++)
        assert_string_not_equal(back.gaps[i].id, "hosts-redacted");
    free(text);
    snapshot_deinit(&back);
    snapshot_deinit(&joined);
}

/* More namespaces than 16 bits can count. The connection is in the last one, also after saving and joining. */
static void connections_stay_in_their_namespace_among_many(void **state)
{
    (void)state;
    enum { MANY = 70000 };
    struct snapshot parts[2];
    for (size_t i = 0; i < 2; i++) {
        struct snapshot many;
        snapshot_init(&many);
        many.host_name = i == 0 ? "web-1" : "web-2";
        for (size_t j = 0; j < MANY; j++)
            snapshot_add_netns(&many)->name = j + 1 == MANY ? "the last" : "another";
        struct conn *conn = snapshot_add_conn(&many);
        *conn = (struct conn){ .state = STATE_CLOSE_WAIT, .netns = MANY - 1, .holder = NO_INDEX, .previous = NO_INDEX };
        char *text = saved_to_text(&many);
        snapshot_deinit(&many);
        parts[i] = read_well(text);
        free(text);
        assert_int_equal(parts[i].conns[0].netns, MANY - 1);
    }
    struct snapshot joined;
    snapshot_init(&joined);
    struct error err = { 0 };
    assert_int_equal(hosts_join(parts, NULL, 2, &joined, &err), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(joined.conns[i].netns, (i + 1) * MANY - 1);
        assert_string_equal(joined.netns[joined.conns[i].netns].name, "the last");
    }
    snapshot_deinit(&joined);
}

/* Who compares or joins files must know that names were replaced. */
static void that_names_are_made_up_stays_known(void **state)
{
    (void)state;
    static const char text[] = "{\"type\":\"snapshot\",\"schema\":\"tcpwhy.snapshot/1\",\"redacted\":true}\n" NETNS CONN
        END;
    struct snapshot back = read_well(text);
    assert_true(back.redacted);
    char *again = saved_to_text(&back);
    assert_non_null(strstr(again, "\"redacted\":true"));
    free(again);
    snapshot_deinit(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_saved),
        cmocka_unit_test(connections_come_back_bit_by_bit),
        cmocka_unit_test(unknown_is_not_zero),
        cmocka_unit_test(all_else_comes_back_too),
        cmocka_unit_test(an_earlier_look_comes_along),
        cmocka_unit_test(what_a_later_version_adds_is_passed_over),
        cmocka_unit_test(a_part_of_what_is_known_together_is_unknown),
        cmocka_unit_test(lines_that_are_wrong_are_counted_and_left_out),
        cmocka_unit_test(a_snapshot_that_was_cut_says_so),
        cmocka_unit_test(what_cannot_be_read_is_refused_with_the_reason),
        cmocka_unit_test(the_schema_comes_before_all_else),
        cmocka_unit_test(what_holds_nothing_is_refused),
        cmocka_unit_test(hosts_that_were_joined_stay_apart),
        cmocka_unit_test(a_host_that_is_missing_is_a_gap),
        cmocka_unit_test(hosts_that_were_joined_are_redacted_together),
        cmocka_unit_test(connections_stay_in_their_namespace_among_many),
        cmocka_unit_test(that_names_are_made_up_stays_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
