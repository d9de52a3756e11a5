#include "report/list.h"

#include "small_host.h"

static const struct list_options plain = { .tool_version = "0.1.0" };

/* Begins as a formula; then "\033[31m", a newline, a quotation mark, a comma, and a byte that is not UTF-8. */
#define HOSTILE "=\033[31m\n\",\xff"

static void make_host(struct host *host)
{
    host_init(host);
    host_netns(host, "host", 1, true);
    uint32_t spool = host_process(host, 812, "spoolsvc");
    uint32_t child = host_process(host, 813, "spoolsvc");
    uint32_t evil = host_process(host, 7, HOSTILE);

    host_hold(host, host_conn(host, STATE_LISTEN, "0.0.0.0", 9100, "0.0.0.0", 0), spool, 3);
    struct conn *conn = host_conn(host, STATE_ESTABLISHED, "10.0.0.5", 40000, "10.0.0.9", 5432);
    host_idle_for(conn, 2000);
    host_hold(host, conn, evil, 4);
    conn = host_conn(host, STATE_CLOSE_WAIT, "10.0.0.5", 9100, "10.1.2.3", 50122);
    host_idle_for(conn, 840000);
    host_hold(host, conn, spool, 5);
    host_hold(host, conn, child, 5);
    host->causes[2] = 1;
    conn = host_conn(host, STATE_LAST_ACK, "10.0.0.5", 9100, "10.1.2.4", 50123);
    conn->present = CONN_QUEUES | CONN_TIMER;
    conn->send_q_bytes = 1;
    conn->timer = TIMER_RETRANSMIT;
    conn->timer_ms = 12000;
    conn->retransmits = 6; /* timeouts of 0.2 to 12.8 s, of which the last has 12 s left: 13.4 s */
    conn = host_conn(host, STATE_CLOSE_WAIT, "2001:db8::5", 9100, "2001:db8::9", 50124);
    host_idle_for(conn, 15120000);
    conn->recv_q_bytes = 1;
    host_hold(host, conn, spool, 6);
    host->causes[4] = 1;
}

static void expect_text(const struct host *host, const struct list_options *options, const char *expected)
{
    char *text = NULL;
    HOST_WRITTEN(text, list_text(&host->diagnosis, NULL, options, out));
    assert_string_equal(text, expected);
    free(text);
}

static void the_default_shows_trouble_first(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    expect_text(&host, &plain,
        "STATE        RECV-Q  SEND-Q  LOCAL               REMOTE                 AGE  CAUSE            PID  PROCESS\n"
        "CLOSE_WAIT        1       0  [2001:db8::5]:9100  [2001:db8::9]:50124  4h12m  close-wait-leak  812  spoolsvc\n"
        "CLOSE_WAIT        0       0  10.0.0.5:9100       10.1.2.3:50122       14m0s  close-wait-leak  812  spoolsvc "
        "+1\n"
        "LAST_ACK          0       1  10.0.0.5:9100       10.1.2.4:50123         13s  normal             -  -\n"
        "ESTABLISHED       0       0  10.0.0.5:40000      10.0.0.9:5432           2s  normal             7  "
        "=\\x1b[31m\\n\",\\xff\n"
        "LISTEN            -       -  0.0.0.0:9100        0.0.0.0:*                -  normal           812  "
        "spoolsvc\n");
    host_deinit(&host);
}

static struct list_options with_columns(const char *first, const char *second)
{
    struct list_options options = plain;
    options.no_header = true;
    options.columns[options.column_count++] = field_find(first);
    if (second != NULL)
        options.columns[options.column_count++] = field_find(second);
    return options;
}

static void columns_are_those_asked_for(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    struct list_options options = with_columns("timer", "held-by");
    expect_text(&host, &options,
        "none                812/spoolsvc:6\n"
        "none                812/spoolsvc:5 813/spoolsvc:5\n"
        "retransmit 12s (6)  -\n"
        "none                7/=\\x1b[31m\\n\",\\xff:4\n"
        "-                   812/spoolsvc:3\n");
    host_deinit(&host);
}

static void sorting_puts_the_unknown_last_either_way(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    struct list_options options = with_columns("age", NULL);
    options.sort[options.sort_count++] = (struct list_sort_key){ .field = field_find("age") };
    expect_text(&host, &options, "   2s\n  13s\n14m0s\n4h12m\n    -\n");
    options.sort[0].descending = true;
    expect_text(&host, &options, "4h12m\n14m0s\n  13s\n   2s\n    -\n");
    host_deinit(&host);
}

static void sorting_goes_by_number_not_by_text(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    struct list_options options = with_columns("remote", NULL);
    options.sort[options.sort_count++] = (struct list_sort_key){ .field = field_find("state") };
    options.sort[options.sort_count++] = (struct list_sort_key){ .field = field_find("remote"), .descending = true };
    expect_text(&host, &options, "0.0.0.0:*\n10.0.0.9:5432\n[2001:db8::9]:50124\n10.1.2.3:50122\n10.1.2.4:50123\n");
    options.limit = 2;
    expect_text(&host, &options, "0.0.0.0:*\n10.0.0.9:5432\n");
    options.limit = 0;
    options.unsorted = true;
    options.columns[0] = field_find("state");
    expect_text(&host, &options, "LISTEN\nESTABLISHED\nCLOSE_WAIT\nLAST_ACK\nCLOSE_WAIT\n");
    host_deinit(&host);
}

static void only_a_terminal_cuts_and_only_the_last_column(void **state)
{
    (void)state;
    struct host host;
    host_init(&host);
    host_netns(&host, "host", 1, true);
    uint32_t process = host_process(&host, 1, "a-very-long-näme-of-it");
    host_hold(&host, host_conn(&host, STATE_ESTABLISHED, "10.0.0.5", 1, "10.0.0.9", 2), process, 3);
    struct list_options options = with_columns("state", "process");
    expect_text(&host, &options, "ESTABLISHED  a-very-long-näme-of-it\n");
    options.terminal_width = 30;
    options.utf8 = true;
    expect_text(&host, &options, "ESTABLISHED  a-very-long-näme…\n");
    options.utf8 = false;
    expect_text(&host, &options, "ESTABLISHED  a-very-long-nä...\n");
    options.terminal_width = 35;
    expect_text(&host, &options, "ESTABLISHED  a-very-long-näme-of-it\n");
    options.terminal_width = 5; /* too narrow: the last column keeps a few characters */
    expect_text(&host, &options, "ESTABLISHED  a-ver...\n");
    host_deinit(&host);
}

static void several_namespaces_are_told_apart(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    host_netns(&host, "bl\033ue", 2, false);
    host.snapshot.conns[1].netns = 1;
    char *text = NULL;
    HOST_WRITTEN(text, list_text(&host.diagnosis, NULL, &plain, out));
    assert_non_null(strstr(text, "  NETNS    "));
    assert_non_null(strstr(text, "  bl\\x1bue  "));
    free(text);

    struct selection one = { .netns = "host" };
    HOST_WRITTEN(text, list_text(&host.diagnosis, &one, &plain, out));
    assert_null(strstr(text, "NETNS"));
    assert_null(strstr(text, "ESTABLISHED"));
    free(text);
    host_deinit(&host);
}

static void the_selection_holds_for_causes_too(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    struct selection selection = { .causes = { "close-*" }, .cause_count = 1, .older_ms = 1000000 };
    struct list_options options = with_columns("state", "age");
    char *text = NULL;
    HOST_WRITTEN(text, list_text(&host.diagnosis, &selection, &options, out));
    assert_string_equal(text, "CLOSE_WAIT  4h12m\n");
    free(text);
    selection.causes[0] = "normal";
    HOST_WRITTEN(text, list_text(&host.diagnosis, &selection, &options, out));
    assert_string_equal(text, "");
    free(text);
    host_deinit(&host);
}

static void json_is_one_document_with_a_line_a_connection(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    snapshot_add_gap(&host.snapshot, "owners-hidden", "who holds them", "CAP_SYS_PTRACE");
    struct list_options options = with_columns("process", "age");
    options.columns[options.column_count++] = field_find("pid");
    options.columns[options.column_count++] = field_find("held_by");
    char *text = NULL;
    HOST_WRITTEN(text, list_json(&host.diagnosis, NULL, &options, out));
    assert_non_null(strstr(text, "\"schema\": \"tcpwhy.list/1\""));
    assert_non_null(strstr(text, "\"taken_at\": \"2026-01-31T12:03:11.123Z\""));
    assert_non_null(strstr(text, "\"elapsed_ms\": 12.300"));
    assert_non_null(strstr(text,
        "\n    {\"process\":\"spoolsvc\",\"age_s\":840.000,\"pid\":812,\"held_by\":"
        "[{\"pid\":812,\"process\":\"spoolsvc\",\"fd\":5},"
        "{\"pid\":813,\"process\":\"spoolsvc\",\"fd\":5}]},\n"));
    assert_non_null(strstr(text, "\n    {\"process\":null,\"age_s\":13.400,\"pid\":null,\"held_by\":null},\n"));
    assert_non_null(strstr(text, "{\"process\":\"=\\u001b[31m\\u000a\\\",\\\\xff\","));
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "\"id\": \"owners-hidden\""));
    free(text);
    host_deinit(&host);
}

static void csv_is_safe_to_open(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    struct list_options options = with_columns("process", "age");
    options.no_header = false;
    options.columns[options.column_count++] = field_find("local");
    char *text = NULL;
    HOST_WRITTEN(text, list_csv(&host.diagnosis, NULL, &options, out));
    assert_string_equal(text,
        "process,age_s,local\r\n"
        "spoolsvc,15120.000,[2001:db8::5]:9100\r\n"
        "spoolsvc,840.000,10.0.0.5:9100\r\n"
        ",13.400,10.0.0.5:9100\r\n"
        "\"'=\\x1b[31m\\n\"\",\\xff\",2.000,10.0.0.5:40000\r\n"
        "spoolsvc,,0.0.0.0:9100\r\n");
    free(text);
    host_deinit(&host);
}

static void every_format_has_every_column(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    char *csv = NULL, *json = NULL;
    HOST_WRITTEN(csv, list_csv(&host.diagnosis, NULL, &plain, out));
    HOST_WRITTEN(json, list_json(&host.diagnosis, NULL, &plain, out));
    const struct field *field;
    size_t count = 0;
    for (; (field = field_at(count)) != NULL; count++) {
        char key[64];
        snprintf(key, sizeof key, "\"%s\":", field_key(field));
        assert_non_null(strstr(json, key));
        assert_ptr_equal(field_find(field->name), field);
        assert_ptr_equal(field_find(field_key(field)), field);
    }
    size_t cells = 1;
    for (const char *c = csv; *c != '\r'; c++)
        cells += *c == ',';
    assert_int_equal(cells, count);
    free(csv);
    free(json);
    host_deinit(&host);
}

static void what_is_not_known_is_never_zero(void **state)
{
    (void)state;
    struct host host;
    host_init(&host);
    host_conn(&host, STATE_TIME_WAIT, "10.0.0.5", 80, "10.0.0.9", 2);
    static const char *const unknown[] = { "recv_q", "send_q", "age", "pid", "process", "user", "uid", "unit",
        "container", "cgroup", "netns", "timer", "retransmits", "give_up", "rto", "rtt", "snd_wnd", "last_ack", "skmem",
        "drops", "shutdown", "inode", "cookie", "fd", "held_by" };
    struct field_source source = { .snapshot = &host.snapshot, .diagnosis = &host.diagnosis };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        if (field_value(field_find(unknown[i]), &source, 0).kind != VALUE_UNKNOWN)
            fail_msg("%s is known", unknown[i]);
    }
    host_deinit(&host);
}

static void the_empty_list_is_a_line_of_titles(void **state)
{
    (void)state;
    struct host host;
    host_init(&host);
    expect_text(&host, &plain, "STATE  RECV-Q  SEND-Q  LOCAL  REMOTE  AGE  CAUSE  PID  PROCESS\n");
    host_deinit(&host);
}

static void a_full_disk_is_reported(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL) {
        host_deinit(&host);
        skip();
    }
    assert_true(list_text(&host.diagnosis, NULL, &plain, full) < 0);
    fclose(full);
    full = fopen("/dev/full", "w");
    assert_true(list_csv(&host.diagnosis, NULL, &plain, full) < 0);
    fclose(full);
    host_deinit(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_shows_trouble_first),
        cmocka_unit_test(columns_are_those_asked_for),
        cmocka_unit_test(sorting_puts_the_unknown_last_either_way),
        cmocka_unit_test(sorting_goes_by_number_not_by_text),
        cmocka_unit_test(only_a_terminal_cuts_and_only_the_last_column),
        cmocka_unit_test(several_namespaces_are_told_apart),
        cmocka_unit_test(the_selection_holds_for_causes_too),
        cmocka_unit_test(json_is_one_document_with_a_line_a_connection),
        cmocka_unit_test(csv_is_safe_to_open),
        cmocka_unit_test(every_format_has_every_column),
        cmocka_unit_test(what_is_not_known_is_never_zero),
        cmocka_unit_test(the_empty_list_is_a_line_of_titles),
        cmocka_unit_test(a_full_disk_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
