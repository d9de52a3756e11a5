#include "report/count.h"

#include "small_host.h"

static const struct count_options plain = { .tool_version = "0.1.0" };

static void make_host(struct host *host)
{
    host_init(host);
    host_netns(host, "host", 1, true);
    host_netns(host, "blue", 2, false);
    uint32_t spool = host_process(host, 812, "spoolsvc");
    uint32_t evil = host_process(host, 7, "\033[31m\"a,b\"\n");

    host_hold(host, host_conn(host, STATE_LISTEN, "0.0.0.0", 9100, "0.0.0.0", 0), spool, 3);
    host_hold(host, host_conn(host, STATE_LISTEN, "10.0.0.5", 22, "0.0.0.0", 0), evil, 3);
    static const struct {
        const char *remote;
        uint32_t idle_ms;
    } clients[] = { { "10.1.2.3", 10000 }, { "10.1.2.3", 90000 }, { "10.1.2.4", 50000 }, { "10.1.3.1", 20000 } };
    for (size_t i = 0; i < 4; i++) {
        struct conn *conn = host_conn(
            host, STATE_CLOSE_WAIT, "10.0.0.5", 9100, clients[i].remote, (uint16_t)(50000 + i));
        host_idle_for(conn, clients[i].idle_ms);
        host_hold(host, conn, spool, (uint32_t)(10 + i));
        host->causes[host->snapshot.conn_count - 1] = 1;
    }
    /*
     * An outgoing connection. And two remote ends whose port has a listener here, but in the other namespace or on
     * another address.
     */
    host_hold(host, host_conn(host, STATE_ESTABLISHED, "10.0.0.5", 40000, "10.0.0.9", 5432), evil, 4);
    host_conn(host, STATE_LAST_ACK, "10.0.0.5", 9100, "10.0.0.9", 9100)->netns = 1;
    host_conn(host, STATE_LAST_ACK, "10.0.0.6", 22, "2001:db8::1:2", 40022);
}

static void groups_by(struct host *host, const char *first, const char *second, struct groups *ret_groups)
{
    struct key_use keys[2];
    assert_true(key_find(first, &keys[0]));
    if (second != NULL)
        assert_true(key_find(second, &keys[1]));
    struct group_options options = {
        .keys = keys, .key_count = second != NULL ? 2 : 1, .v4_prefix = 24, .v6_prefix = 64
    };
    groups_init(ret_groups, &host->diagnosis, NULL, &options);
}

static void expect_text(
    const char *first, const char *second, const struct count_options *options, const char *expected)
{
    struct host host;
    make_host(&host);
    struct groups groups;
    groups_by(&host, first, second, &groups);
    char *text = NULL;
    HOST_WRITTEN(text, count_text(&groups, options, out));
    assert_string_equal(text, expected);
    free(text);
    groups_deinit(&groups);
    host_deinit(&host);
}

static void states_are_ranked_with_share_and_ages(void **state)
{
    (void)state;
    expect_text("state", NULL, &plain,
        "COUNT  SHARE  OLDEST  MEDIAN  STATE\n"
        "    4  44.4%   1m30s     20s  CLOSE_WAIT\n"
        "    2  22.2%       -       -  LISTEN\n"
        "    2  22.2%       -       -  LAST_ACK\n"
        "    1  11.1%       -       -  ESTABLISHED\n");
}

static void keys_combine_and_ties_go_by_key(void **state)
{
    (void)state;
    const struct count_options options = { .no_header = true };
    expect_text("state", "peer", &options,
        "2  22.2%      -    -  LISTEN       -\n"
        "2  22.2%  1m30s  10s  CLOSE_WAIT   10.1.2.3\n"
        "1  11.1%      -    -  ESTABLISHED  10.0.0.9\n"
        "1  11.1%    50s  50s  CLOSE_WAIT   10.1.2.4\n"
        "1  11.1%    20s  20s  CLOSE_WAIT   10.1.3.1\n"
        "1  11.1%      -    -  LAST_ACK     10.0.0.9\n"
        "1  11.1%      -    -  LAST_ACK     2001:db8::1:2\n");
}

static void networks_gather_peers(void **state)
{
    (void)state;
    const struct count_options options = { .no_header = true };
    expect_text("peer-net", NULL, &options,
        "3  33.3%  1m30s  50s  10.1.2.0/24\n"
        "2  22.2%      -    -  10.0.0.0/24\n"
        "2  22.2%      -    -  -\n"
        "1  11.1%    20s  20s  10.1.3.0/24\n"
        "1  11.1%      -    -  2001:db8::/64\n");
}

static void services_tell_incoming_from_outgoing(void **state)
{
    (void)state;
    const struct count_options options = { .no_header = true };
    expect_text("service", NULL, &options,
        "5  55.6%  1m30s  20s  *:9100 (in)\n"
        "1  11.1%      -    -  *:22 (in)\n"
        "1  11.1%      -    -  10.0.0.9:5432 (out)\n"
        "1  11.1%      -    -  10.0.0.9:9100 (out)\n"
        "1  11.1%      -    -  [2001:db8::1:2]:40022 (out)\n");
}

static void the_rest_is_one_row(void **state)
{
    (void)state;
    const struct count_options options = { .top = 1 };
    expect_text("service", "netns", &options,
        "COUNT  SHARE  OLDEST  MEDIAN  SERVICE          NETNS\n"
        "    5  55.6%   1m30s     20s  *:9100 (in)      host\n"
        "    4  44.4%       -       -  other: 4 groups\n");
    const struct count_options enough = { .top = 3, .no_header = true };
    expect_text("netns", NULL, &enough,
        "8  88.9%  1m30s  20s  host\n"
        "1  11.1%      -    -  blue\n");
}

static void names_from_outside_are_escaped(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    struct groups groups;
    groups_by(&host, "process", "pid", &groups);
    char *text = NULL;
    HOST_WRITTEN(text, count_text(&groups, &plain, out));
    assert_non_null(strstr(text, "  \\x1b[31m\"a,b\"\\n  7\n"));
    assert_null(strchr(text, '\033'));
    free(text);
    HOST_WRITTEN(text, count_csv(&groups, &plain, out));
    assert_string_equal(text,
        "process,pid,count,share,oldest_s,median_s\r\n"
        "spoolsvc,812,5,0.556,90.000,20.000\r\n"
        "\"\\x1b[31m\"\"a,b\"\"\\n\",7,2,0.222,,\r\n"
        ",,2,0.222,,\r\n");
    free(text);
    HOST_WRITTEN(text, count_json(&groups, &plain, out));
    assert_non_null(strstr(text, "\"schema\": \"tcpwhy.count/1\""));
    assert_non_null(strstr(text, "\"total\": 9"));
    assert_non_null(strstr(text,
        "\n    {\"process\":\"spoolsvc\",\"pid\":812,\"count\":5,\"share\":0.556,"
        "\"age_s\":{\"oldest\":90.000,\"median\":20.000}},\n"));
    assert_non_null(strstr(text, "{\"process\":\"\\u001b[31m\\\"a,b\\\"\\u000a\",\"pid\":7,"));
    assert_non_null(strstr(text, "{\"process\":null,\"pid\":null,\"count\":2,"));
    assert_non_null(strstr(text, "\"other\": null"));
    free(text);
    groups_deinit(&groups);
    host_deinit(&host);
}

static void selections_and_causes_hold(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    struct key_use key;
    assert_true(key_find("CAUSE", &key));
    struct group_options options = { .keys = &key, .key_count = 1 };
    struct selection selection = { .causes = { "close-wait-leak" }, .cause_count = 1, .older_ms = 15000 };
    struct groups groups;
    groups_init(&groups, &host.diagnosis, &selection, &options);
    assert_int_equal(groups.count, 1);
    assert_int_equal(groups.total, 3);
    assert_int_equal(groups.items[0].median_ms, 50000);
    groups_deinit(&groups);
    selection.older_ms = 1000000;
    groups_init(&groups, &host.diagnosis, &selection, &options);
    assert_int_equal(groups.count, 0);
    char *text = NULL;
    HOST_WRITTEN(text, count_text(&groups, &plain, out));
    assert_string_equal(text, "COUNT  SHARE  OLDEST  MEDIAN  CAUSE\n");
    free(text);
    groups_deinit(&groups);
    host_deinit(&host);
}

static void listeners_take_in_what_the_kernel_would(void **state)
{
    (void)state;
    static const struct {
        const char *listens, *local;
        bool takes_in;
    } rows[] = {
        { "0.0.0.0", "10.0.0.5", true },
        { "0.0.0.0", "2001:db8::5", false },
        { "::", "10.0.0.5", true },
        { "::", "2001:db8::5", true },
        { "10.0.0.5", "10.0.0.5", true },
        { "10.0.0.5", "10.0.0.6", false },
        { "::ffff:0.0.0.0", "10.0.0.6", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct host host;
        host_init(&host);
        host_conn(&host, STATE_LISTEN, rows[i].listens, 80, "0.0.0.0", 0);
        host_conn(&host, STATE_LISTEN, rows[i].listens, 80, "0.0.0.0", 0); /* SO_REUSEPORT */
        struct conn *conn = host_conn(&host, STATE_ESTABLISHED, rows[i].local, 80, "10.0.0.9", 4000);
        struct listeners listeners;
        listeners_init(&listeners, &host.snapshot);
        if ((listeners_find(&listeners, conn) != NULL) != rows[i].takes_in)
            fail_msg("listening on %s, connection to %s", rows[i].listens, rows[i].local);
        conn->local_port = 81;
        assert_null(listeners_find(&listeners, conn));
        listeners_deinit(&listeners);
        host_deinit(&host);
    }
}

/* As many groups as connections, and one group of all: nothing is lost or counted twice while the hash table grows. */
static void many_groups_stay_apart(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    struct host host;
    host_init(&host);
    uint8_t *causes = calloc(MANY, 1);
    assert_non_null(causes);
    host.diagnosis.causes = causes;
    for (unsigned i = 0; i < MANY; i++) {
        struct conn *conn = snapshot_add_conn(&host.snapshot);
        conn->state = STATE_CLOSE_WAIT;
        conn->local = host_ip("10.0.0.5");
        conn->local_port = 9100;
        const uint8_t remote[4] = { 10, 1, (uint8_t)(i >> 8), (uint8_t)i };
        conn->remote = ip_from_v4(remote);
        conn->remote_port = (uint16_t)(i % 2 ? 1000 : 2000);
        host_idle_for(conn, (MANY - i) * 10);
    }
    static const struct {
        const char *key;
        size_t groups;
        uint64_t largest;
    } rows[] = { { "peer", MANY, 1 }, { "peer-net", MANY / 256 + 1, 256 }, { "peer_port", 2, MANY / 2 },
        { "local-port", 1, MANY } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct groups groups;
        groups_by(&host, rows[i].key, NULL, &groups);
        uint64_t sum = 0;
        for (size_t at = 0; at < groups.count; at++)
            sum += groups.items[at].count;
        assert_int_equal(groups.count, rows[i].groups);
        assert_int_equal(groups.items[0].count, rows[i].largest);
        assert_int_equal(sum, MANY);
        if (groups.count == 1) {
            assert_int_equal(groups.items[0].oldest_ms, MANY * 10);
            assert_int_equal(groups.items[0].median_ms, MANY / 2 * 10);
        }
        groups_deinit(&groups);
    }
    free(causes);
    host_deinit(&host);
}

static void every_key_is_found_and_works(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    const struct key *key;
    for (size_t i = 0; (key = key_at(i)) != NULL; i++) {
        struct groups groups;
        groups_by(&host, key->name, NULL, &groups);
        assert_int_equal(groups.total, host.snapshot.conn_count);
        groups_deinit(&groups);
    }
    struct key_use use;
    assert_false(key_find("", &use));
    assert_false(key_find("stat", &use));
    assert_string_equal(key_nearest("proces"), "process");
    host_deinit(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_ranked_with_share_and_ages),
        cmocka_unit_test(keys_combine_and_ties_go_by_key),
        cmocka_unit_test(networks_gather_peers),
        cmocka_unit_test(services_tell_incoming_from_outgoing),
        cmocka_unit_test(the_rest_is_one_row),
        cmocka_unit_test(names_from_outside_are_escaped),
        cmocka_unit_test(selections_and_causes_hold),
        cmocka_unit_test(listeners_take_in_what_the_kernel_would),
        cmocka_unit_test(many_groups_stay_apart),
        cmocka_unit_test(every_key_is_found_and_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
