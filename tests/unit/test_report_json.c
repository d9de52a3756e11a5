#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sick_host.h"
#include "unit.h"

static char *json_of(const struct diagnosis *diagnosis, bool all, bool compact)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct report_options options = { .tool_version = "0.1.0", .all_connections = all, .compact = compact };
    assert_int_equal(report_json(diagnosis, &options, out), 0);
    fclose(out);
    return text;
}

static void expect_contains(const char *text, const char *wanted)
{
    if (text == NULL)
        fail_msg("no text to hold: %s", wanted);
    else if (strstr(text, wanted) == NULL)
        fail_msg("not there: %s\n%s", wanted, text);
}

static size_t occurrences(const char *text, const char *wanted)
{
    size_t count = 0;
    for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted))
        count++;
    return count;
}

static void the_contract_is_kept(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *text = json_of(&host.diagnosis, false, true);
    static const char *const wanted[] = {
        "{\"schema\":\"tcpwhy.diagnosis/1\",\"tool\":{\"name\":\"tcpwhy\",\"version\":\"0.1.0\"},",
        "\"host\":{\"name\":\"web-3\",\"os\":\"linux\",\"kernel\":\"6.18.44\"}",
        "\"taken_at\":\"2026-01-31T12:03:11.123Z\"",
        "\"source\":{\"kind\":\"linux-sock-diag\",\"elapsed_ms\":12.300}",
        "\"by_state\":{\"LISTEN\":1,\"ESTABLISHED\":9210,\"CLOSE_WAIT\":1204,\"LAST_ACK\":2}",
        "\"verdict\":\"critical\"",
        ("\"id\":\"close-wait-leak\",\"severity\":\"critical\",\"confidence\":\"certain\","
         "\"fault\":\"local-application\""),
        "\"unit\":\"spool.service\",\"container\":\"4f0c1ab2cd3e\",\"fds_open\":1267,\"fds_limit\":4096",
        "\"local\":{\"address\":\"10.0.0.5\",\"port\":9100},\"remote\":null",
        "\"peers\":[{\"address\":\"10.1.2.3\",\"count\":1200}",
        "\"age_s\":{\"oldest\":15120.000,\"median\":840.000,\"at_least\":true},\"give_up_s\":null",
        "{\"text\":\"Or do nothing until tonight\",\"command\":null}",
        "\"remote\":\"10.1.2.3:50122\",\"recv_q\":0,\"send_q\":0,\"inode\":20002,\"age_s\":15120.000",
        "\"inferred\":true",
        "\"fds_open\":9,\"fds_limit\":null,\"fds_unlimited\":true",
        "\"local\":{\"address\":\"*\",\"port\":null},\"remote\":{\"address\":\"10.1.2.3\",\"port\":443}",
        "\"give_up_s\":{\"first\":95.700,\"last\":100.200}",
        "\"owner\":null",
        "\"age_s\":{\"oldest\":null,\"median\":null,\"at_least\":false}",
        "\"gaps\":[{\"id\":\"owners-hidden\"",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        expect_contains(text, wanted[i]);
    free(text);
    sick_host_deinit(&host);
}

static void hostile_names_are_escaped(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *text = json_of(&host.diagnosis, true, false);
    expect_contains(text, "\"name\": \"e\\u001b[31mvil\\u000a\\\\xff\\u202ecod\"");
    expect_contains(text, "\"netns\": \"web\\u001b[5m\"");
    size_t left = strlen(text);
    for (const char *rest = text; left > 0;) {
        uint32_t code_point;
        size_t size = text_utf8_decode(rest, left, &code_point);
        assert_int_not_equal(size, 0);
        assert_true(code_point == '\n' || (code_point >= 0x20 && code_point != 0x7f));
        assert_false(code_point >= 0x80 && text_is_invisible(code_point));
        rest += size;
        left -= size;
    }
    free(text);
    sick_host_deinit(&host);
}

static void connections_are_a_sample_unless_all_are_asked_for(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *some = json_of(&host.diagnosis, false, true);
    char *all = json_of(&host.diagnosis, true, true);
    assert_int_equal(occurrences(some, "{\"state\":\"CLOSE_WAIT\""), REPORT_SAMPLE);
    assert_int_equal(occurrences(all, "{\"state\":\"CLOSE_WAIT\""), 1204);
    assert_int_equal(occurrences(some, "{\"state\":\"LAST_ACK\""), 2);
    free(some);
    free(all);
    sick_host_deinit(&host);
}

static void unknown_is_null(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    struct conn *conn = &host.snapshot.conns[host.diagnosis.findings[1].conns[0]];
    conn->present = 0;
    host.snapshot.kernel = NULL;
    char *text = json_of(&host.diagnosis, false, true);
    expect_contains(text, "\"kernel\":null");
    expect_contains(text,
        "\"recv_q\":null,\"send_q\":null,\"inode\":null,\"age_s\":null,\"age_at_least\":false,"
        "\"give_up_s\":null,\"timer\":null,\"timer_s\":null,\"retransmits\":null,\"pid\":null,"
        "\"uid\":null");
    free(text);
    sick_host_deinit(&host);
}

static void write_errors_are_reported(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    struct report_options options = { .tool_version = "0" };
    assert_int_equal(report_json(&host.diagnosis, &options, full), -ENOSPC);
    fclose(full);
    sick_host_deinit(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_is_kept),
        cmocka_unit_test(hostile_names_are_escaped),
        cmocka_unit_test(connections_are_a_sample_unless_all_are_asked_for),
        cmocka_unit_test(unknown_is_null),
        cmocka_unit_test(write_errors_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
