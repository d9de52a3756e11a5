/* What a report says about the previous one. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "report/text/change.h"
#include "unit.h"

#define BEFORE "host web-3 linux 6.18.44 2026-01-31T12:03:11.000Z\n"
#define AFTER "host web-3 linux 6.18.44 2026-01-31T12:03:13.000Z\n"
#define SERVICE(pid, port)                                                                                             \
    "process " pid " spoolsvc parent=1 fds=400/20000 running=2d\nconn LISTEN *:" port                                  \
    " recv_q=0 send_q=128 holders=" pid ":3\n"
#define LEAK(pid, port, count)                                                                                         \
    "conn CLOSE_WAIT 10.0.0.5:" port " 10.1.2.3:40000 x" count                                                         \
    " recv_q=0 send_q=0 timer=none last_ack_recv=10m last_data_sent=10m last_data_recv=10m holders=" pid ":20\n"

struct reports {
    struct snapshot before_host, after_host;
    struct diagnosis before, after;
};

static void reports_init(struct reports *reports, const char *before, const char *after)
{
    fixture_must(&reports->before_host, before);
    fixture_must(&reports->after_host, after);
    diagnose(&reports->before_host, NULL, NULL, &reports->before);
    diagnose(&reports->after_host, NULL, NULL, &reports->after);
}

static void reports_deinit(struct reports *reports)
{
    diagnosis_deinit(&reports->before);
    diagnosis_deinit(&reports->after);
    snapshot_deinit(&reports->before_host);
    snapshot_deinit(&reports->after_host);
}

static char *text_of(const struct reports *reports, bool utf8)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct report_options options = {
        .tool_version = "0.1.0", .style = { .width = 100, .utf8 = utf8 }, .previous = &reports->before
    };
    assert_int_equal(report_text(&reports->after, &options, out), 0);
    fclose(out);
    return text;
}

static void expect(const char *before, const char *after, const char *const *wanted)
{
    struct reports reports;
    reports_init(&reports, before, after);
    char *text = text_of(&reports, true);
    for (; *wanted != NULL; wanted++) {
        bool absent = **wanted == '!';
        if ((strstr(text, *wanted + absent) == NULL) != absent)
            fail_msg("%s: %s\n%s", absent ? "is there" : "not there", *wanted + absent, text);
    }
    free(text);
    reports_deinit(&reports);
}

#define EXPECT(before, after, ...) expect(before, after, (const char *const[]){ __VA_ARGS__, NULL })

static void numbers_that_rise_and_fall(void **state)
{
    (void)state;
    EXPECT(BEFORE SERVICE("812", "9100") LEAK("812", "9100", "30"),
        AFTER SERVICE("812", "9100") LEAK("812", "9100", "1300"),
        "since 12:03:11: connections ▲1,270 · the same findings", "local application · ▲1,270", "was warning",
        "the verdict was warning", "!new", "!Gone", "!▼");
    EXPECT(BEFORE SERVICE("812", "9100") LEAK("812", "9100", "30"),
        AFTER SERVICE("812", "9100") LEAK("812", "9100", "28"), "connections ▼2", "local application · ▼2", "!▲",
        "!was info");
    EXPECT(BEFORE SERVICE("812", "9100") LEAK("812", "9100", "30"),
        AFTER SERVICE("812", "9100") LEAK("812", "9100", "30"), "as many connections · the same findings", "!▲", "!▼",
        "!was info", "!new");
}

static void findings_that_come_and_go(void **state)
{
    (void)state;
    EXPECT(BEFORE SERVICE("812", "9100"), AFTER SERVICE("812", "9100") LEAK("812", "9100", "30"), "1 new finding",
        "local application · new", "the verdict was healthy", "!Gone");
    EXPECT(BEFORE SERVICE("812", "9100") LEAK("812", "9100", "30"), AFTER SERVICE("812", "9100"), "1 finding gone",
        "Gone since 12:03:11", "close-wait-leak: spoolsvc (pid 812)", "CLOSE_WAIT  0    0 %     ▼30", "HEALTHY",
        "!new");
}

static void a_finding_is_known_again_by_id_service_and_owner(void **state)
{
    (void)state;
    /* The process was restarted and leaks again: it is the same finding. */
    EXPECT(BEFORE SERVICE("812", "9100") LEAK("812", "9100", "30"),
        AFTER SERVICE("990", "9100") LEAK("990", "9100", "12"), "the same findings", "▼18", "!new");
    /* Another service of the same program is another finding. */
    EXPECT(BEFORE SERVICE("812", "9100") LEAK("812", "9100", "30"),
        AFTER SERVICE("812", "9200") LEAK("812", "9200", "30"), "1 new finding", "1 finding gone");
    /* Of two processes with one name, each is compared with itself. */
    struct reports reports;
    reports_init(&reports,
        BEFORE SERVICE("812", "9100") SERVICE("813", "9200") LEAK("812", "9100", "30") LEAK("813", "9200", "20"),
        AFTER SERVICE("812", "9100") SERVICE("813", "9200") LEAK("812", "9100", "10") LEAK("813", "9200", "40"));
    assert_int_equal(reports.after.finding_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct finding *before = change_find(&reports.before, &reports.after.findings[i]);
        assert_non_null(before);
        assert_int_equal(before->owner->pid, reports.after.findings[i].owner->pid);
        assert_int_equal(before->local.port, reports.after.findings[i].local.port);
    }
    reports_deinit(&reports);
}

static void ascii_means_ascii(void **state)
{
    (void)state;
    struct reports reports;
    reports_init(&reports, BEFORE SERVICE("812", "9100") LEAK("812", "9100", "30"),
        AFTER SERVICE("812", "9100") LEAK("812", "9100", "31"));
    char *text = text_of(&reports, false);
    assert_non_null(strstr(text, "connections +1"));
    for (const char *c = text; *c != '\0'; c++)
        assert_true((unsigned char)*c < 0x80);
    free(text);
    reports_deinit(&reports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_rise_and_fall),
        cmocka_unit_test(findings_that_come_and_go),
        cmocka_unit_test(a_finding_is_known_again_by_id_service_and_owner),
        cmocka_unit_test(ascii_means_ascii),
    };
    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
