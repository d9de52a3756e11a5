#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "cmd/inspect.h"

enum { FINDINGS_MAX = 100 };

static int parse_bytes(const char *bytes, size_t length, const char *file, struct policy *policy, struct error *err)
{
    struct config_finding known[FINDINGS_MAX];
    struct config_findings findings = { .items = known };
    while (findings.count < FINDINGS_MAX && cmd_config_finding((unsigned)findings.count, &known[findings.count]))
        findings.count++;
    return config_parse(bytes, length, file, &findings, policy, err);
}

static int parse(const char *text, const char *file, struct policy *policy, struct error *err)
{
    return parse_bytes(text, strlen(text), file, policy, err);
}

static void must(const char *text, const char *file, struct policy *policy)
{
    struct error err = { 0 };
    if (parse(text, file, policy, &err) != 0)
        fail_msg("%s: %s", err.subject, err.message);
}

/* --- valid files ------------------------------------------------------------------------------------------------ */

static void limits_are_set_with_their_origin(void **state)
{
    (void)state;
    struct policy policy;
    policy_init(&policy);
    must("\xef\xbb\xbf; of the monitoring\n"
         "[close-wait-leak]\r\n"
         "warning_count = 20 ; more than usual\n"
         "   critical_age: 10m\n"
         "\n# comment\n[descriptor-exhaustion]\nwarning_percent=90 %\nseverity_at_most = warning",
        "a.conf", &policy);
    assert_int_equal(policy.settings.count, 4);
    struct limits limits = cmd_limits(&policy, "close-wait-leak");
    assert_int_equal(limits.warning_count, 20);
    assert_int_equal(limits.critical_age_ms, 600000);
    assert_int_equal(limits.critical_count, 100); /* unchanged */
    assert_int_equal(limits.severity_at_most, SEVERITY_CRITICAL);
    limits = cmd_limits(&policy, "descriptor-exhaustion");
    assert_int_equal(limits.warning_percent, 90);
    assert_int_equal(limits.severity_at_most, SEVERITY_WARNING);
    assert_string_equal(policy.settings.items[0].origin.file, "a.conf");
    assert_int_equal(policy.settings.items[0].origin.line, 3);
    assert_int_equal(policy.settings.items[3].origin.line, 9);
    policy_deinit(&policy);
}

static void a_later_file_has_the_last_word(void **state)
{
    (void)state;
    struct policy policy;
    policy_init(&policy);
    must("[close-wait-leak]\nwarning_count=20\nsettle=1m\n"
         "[ignore x]\nport=80\nreason=one\nuntil=2026-01-01\n[service s]\nport=80\nclose-wait-leak.settle=9\n",
        "a", &policy);
    must("[close-wait-leak]\nwarning_count=30\n"
         "[ignore x]\nprocess=java\nreason=other\n[ignore y]\nport=81\nreason=third\n[service s]\nprocess=java\n",
        "b", &policy);
    struct limits limits = cmd_limits(&policy, "close-wait-leak");
    assert_int_equal(limits.warning_count, 30);
    assert_int_equal(limits.settle_ms, 60000);
    assert_int_equal(policy.ignore_count, 2);
    assert_string_equal(policy.ignores[0].reason, "other");
    assert_null(policy.ignores[0].until);
    assert_int_equal(policy.ignores[0].selection.port_count, 0);
    assert_int_equal(policy.service_count, 1);
    assert_int_equal(policy.services[0].settings.count, 0);
    assert_string_equal(policy.services[0].origin.file, "b");
    policy_deinit(&policy);
}

static void lists_may_go_on_in_another_line(void **state)
{
    (void)state;
    struct policy policy;
    policy_init(&policy);
    must("[ignore x]\nprocess=a,b*\nprocess = c\nport=1,2\npeer=10.0.0.0/8\nfinding=close-wait-*\nstate=close-wait\n"
         "netns=web\nlocal=:80\nreason = r\nuntil = 2024-02-29\n",
        "a", &policy);
    const struct selection *selection = &policy.ignores[0].selection;
    assert_int_equal(selection->name_count, 3);
    assert_int_equal(selection->port_count, 2);
    assert_int_equal(selection->peer_count, 1);
    assert_int_equal(selection->cause_count, 1);
    assert_int_equal(selection->local_count, 1);
    assert_string_equal(selection->netns, "web");
    assert_int_equal(policy.ignores[0].until_ms, 1709251200000); /* 2024-03-01T00:00Z */
    assert_false(ignore_is_over(&policy.ignores[0], 1709251199999));
    assert_true(ignore_is_over(&policy.ignores[0], 1709251200000));
    policy_deinit(&policy);
}

/* --- invalid files ---------------------------------------------------------------------------------------------- */

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line;
        const char *words;
    } rows[] = {
        { "x = 1\n", 1, "'x' stands before the first section" },
        { "[close-wiat-leak]\n", 1, "did you mean '[close-wait-leak]'?" },
        { "[servcie spool]\n", 1, "did you mean '[service NAME]'?" },
        { "[ignore ]\n", 1, "is no section" },
        { "[]\n", 1, "is no section" },
        { "\n\n[close-wait-leak]\nwarning_cuont = 5\n", 4, "did you mean 'warning_count'?" },
        { "[close-wait-leak]\nwarning_percent = 5\n", 2, "has no meaning for close-wait-leak" },
        { "[port-exhaustion]\nwarning_count = 5\n", 2, "has no meaning for port-exhaustion" },
        { "[close-wait-leak]\nwarning_count = many\n", 2, "warning_count: 'many' is not a number" },
        { "[close-wait-leak]\nwarning_count = -1\n", 2, "is not a number" },
        { "[close-wait-leak]\nwarning_count = 99999999999\n", 2, "is not a number" },
        { "[close-wait-leak]\nwarning_count =\n", 2, "is not a number" },
        { "[close-wait-leak]\nsettle = soon\n", 2, "settle: 'soon' is not a time" },
        { "[port-exhaustion]\nwarning_percent = 101\n", 2, "is not a share" },
        { "[port-exhaustion]\nwarning_percent = 0\n", 2, "is not a share" },
        { "[close-wait-leak]\nseverity_at_most = loud\n", 2, "is not a severity" },
        { "[close-wait-leak]\nsettle = 1\nsettle = 1\n", 3, "is set twice, first in line 2" },
        { "[close-wait-leak]\nnonsense\n", 2, "neither '[section]' nor 'name = value'" },
        { "[close-wait-leak\n", 1, "neither" },
        { "[close-wait-leak] x = 5\n", 1, "more than a comment" },
        { "[ignore a]\nreason = x\n[close-wait-leak]\n", 1, "ignores nothing in particular" },
        { "[ignore a]\nport = 1\n", 1, "needs a reason" },
        { "[ignore a]\nport = 0\nreason = x\n", 2, "port: '0' is not a port" },
        { "[ignore a]\nport = 1\nreason =\n", 3, "reason: is empty" },
        { "[ignore a]\nport = 1\nreason = x\nuntil = 2026-02-30\n", 4, "is no day" },
        { "[ignore a]\nport = 1\nreason = x\nuntil = 2026-1-1\n", 4, "is no day" },
        { "[ignore a]\nport = 1\nreason = x\nuntil = 26-12-31ab\n", 4, "is no day" },
        { "[ignore a]\nport = 1\nreason = x\nuntil = 2026-12-31\nuntil = 2026-12-31\n", 5, "set twice" },
        { "[ignore a]\nfinding = close-wait-leek\n", 2, "did you mean 'close-wait-leak'?" },
        { "[ignore a]\nresaon = x\n", 2, "did you mean 'reason'?" },
        { "[ignore a]\nnetns = a\nnetns = b\n", 3, "second one" },
        { "[ignore a]\nport=1\nreason=x\n[ignore a]\n", 4, "second ignore of that name; the first is in line 1" },
        { "[service a]\nport=1\n[service a]\n", 3, "second service of that name; the first is in line 1" },
        { "[service a]\nclose-wait-leak.settle = 1\n", 1, "names no service" },
        { "[service a]\nport = 1\nclose-wait-leek.settle = 1\n", 3, "did you mean 'close-wait-leak.settle'?" },
        { "[service a]\nport = 1\nclose-wait-leak.settel = 1\n", 3, "did you mean 'settle'?" },
        { "[service a]\nport = 1\nsettle = 1\n", 3, "or FINDING.SETTING?" },
        { "[service a]\nstate = close-wait\n", 2, "is no setting of a service" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy policy;
        struct error err = { 0 };
        char where[32];
        snprintf(where, sizeof where, "file:%u", rows[i].line);
        policy_init(&policy);
        if (parse(rows[i].text, "file", &policy, &err) != -EINVAL)
            fail_msg("taken: %s", rows[i].text);
        if (strcmp(err.subject, where) != 0 || strstr(err.message, rows[i].words) == NULL)
            fail_msg("%s: %s: %s", rows[i].text, err.subject, err.message);
        policy_deinit(&policy);
    }
}

static void what_cannot_be_text_is_refused(void **state)
{
    (void)state;
    struct policy policy;
    struct error err = { 0 };
    policy_init(&policy);
    static const char nul[] = "[close-wait-leak]\nsettle\0 = 5\n";
    assert_int_equal(parse_bytes(nul, sizeof nul - 1, "file", &policy, &err), -EINVAL);
    assert_string_equal(err.subject, "file:2");
    assert_non_null(strstr(err.message, "NUL"));

    struct buf line = { 0 };
    buf_str(&line, "[ignore a]\nreason = ");
    buf_repeat(&line, "a", 400);
    assert_int_equal(parse(buf_text(&line), "file", &policy, &err), -EINVAL);
    buf_deinit(&line);
    assert_string_equal(err.subject, "file:2");
    assert_non_null(strstr(err.message, "longer than"));
    policy_deinit(&policy);
}

static void a_file_is_bounded(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct policy policy;
    struct error err = { 0 };
    policy_init(&policy);
    for (int i = 0; i <= POLICY_IGNORES_MAX; i++)
        buf_printf(&text, "[ignore %d]\nport=1\nreason=x\n", i);
    assert_int_equal(parse(buf_text(&text), "file", &policy, &err), -EINVAL);
    assert_non_null(strstr(err.message, "too many"));
    policy_deinit(&policy);
    buf_clear(&text);
    policy_init(&policy);
    for (int i = 0; i <= POLICY_SERVICES_MAX; i++)
        buf_printf(&text, "[service %d]\nport=1\n", i);
    assert_int_equal(parse(buf_text(&text), "file", &policy, &err), -EINVAL);
    assert_non_null(strstr(err.message, "too many"));
    policy_deinit(&policy);
    buf_deinit(&text);
}

/* Each limit can be written into a file with its default value, and this changes nothing. */
static void defaults_can_be_written_down(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct config_finding finding;
    struct policy none, policy;
    policy_init(&none);
    policy_init(&policy);
    unsigned count = 0;
    for (unsigned i = 0; cmd_config_finding(i, &finding); i++) {
        struct limits limits = cmd_limits(&none, finding.id);
        buf_printf(&text, "[%s]\n", finding.id);
        for (unsigned k = 0; k < LIMIT_COUNT; k++) {
            if ((finding.limits & 1U << k) == 0)
                continue;
            count++;
            buf_printf(&text, "%s = ", limit_infos[k].name);
            limit_format(k, limit_value(&limits, k), &text);
            buf_char(&text, '\n');
        }
    }
    must(buf_text(&text), "defaults", &policy);
    assert_int_equal(policy.settings.count, count);
    for (unsigned i = 0; cmd_config_finding(i, &finding); i++) {
        struct limits before = cmd_limits(&none, finding.id), after = cmd_limits(&policy, finding.id);
        for (unsigned k = 0; k < LIMIT_COUNT; k++)
            assert_int_equal(limit_value(&before, k), limit_value(&after, k));
    }
    buf_deinit(&text);
    policy_deinit(&none);
    policy_deinit(&policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_set_with_their_origin),
        cmocka_unit_test(a_later_file_has_the_last_word),
        cmocka_unit_test(lists_may_go_on_in_another_line),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(what_cannot_be_text_is_refused),
        cmocka_unit_test(a_file_is_bounded),
        cmocka_unit_test(defaults_can_be_written_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
