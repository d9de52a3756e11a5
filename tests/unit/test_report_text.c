#include "report/report.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "diagnose/diagnose.h"
#include "diagnose/rule.h"
#include "sick_host.h"
#include "unit.h"

static char *text_of(const struct diagnosis *diagnosis, struct report_options options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    options.tool_version = "0.1.0";
    assert_int_equal(report_text(diagnosis, &options, out), 0);
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

static void expect_order(const char *text, const char *const *wanted, size_t count)
{
    const char *at = text;
    for (size_t i = 0; i < count; i++) {
        at = strstr(at, wanted[i]);
        if (at == NULL) {
            fail_msg("not there, or too early: %s\n%s", wanted[i], text);
            return; /* for the analyser, which does not know that fail_msg() does not return */
        }
    }
}

/* Only printable characters, spaces and newlines. */
static void expect_harmless(const char *text, bool ascii)
{
    for (size_t left = strlen(text), size; left > 0; text += size, left -= size) {
        uint32_t code_point;
        size = text_utf8_decode(text, left, &code_point);
        assert_int_not_equal(size, 0);
        assert_true(code_point == '\n' || code_point >= 0x20);
        assert_false(code_point == 0x7f || text_is_invisible(code_point));
        if (ascii)
            assert_true(code_point < 0x80);
    }
}

static void worst_comes_first_with_its_blocks_in_order(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *text = text_of(
        &host.diagnosis, (struct report_options){ .style = { .width = 80, .utf8 = true }, .detail = REPORT_WHOLE });
    static const char *const wanted[] = { "tcpwhy 0.1.0 · web-3 · Linux 6.18.44 · 2026-01-31 12:03:11 UTC\n",
        "10,417 connections looked at in 12.3 ms", "CRITICAL  e\\x1b[31mvil\\n\\xff\\u{202e}cod has not closed",
        "3 findings: 1 critical, 1 warning, 1 info\n", "ESTABLISHED", "9,210", "88 %", "CLOSE_WAIT", "1,204",
        "close-wait-leak · certain · fault: local application · 1 of 3\n", "has not closed 1,204 connections",
        "  Why  ", "  Age         the oldest at least 4 h 12 min, half of them at least 14 min\n", "  Proof       • ",
        "  Ruled out   Not the network", "  Who         process", "(pid 812)", "unit         spool.service",
        "4f0c1ab2cd3e", "/usr/sbin/spoolsvc", "1,267 open of 4,096 (30 %)", "stopped (T)", "3 waiting in futex\n",
        "1 uninterruptible in read, descriptor 7: a pipe\\n\n", "service      10.0.0.5:9100\n",
        "namespace    web\\x1b[5m\n", "held by", "worker (pid 813): 1,204\n", "other ends   client (pid 900): 3\n",
        "10.1.2.3 (1,200), 10.1.2.3 (4) and 338 more addresses", "  Now         • Restart",
        "                $ systemctl restart", "  For good    Close the socket",
        "  Won't help  net.ipv4.tcp_fin_timeout", "tcpwhy explain close-wait-leak",
        "WARNING  last-ack-unanswered · likely · fault: peer or network path",
        "the kernel gives up the\n              first in 1 min 35 s, the last in 1 min 40 s",
        "worker (pid 813), user root; inferred", "goes to      10.1.2.3:443\n", "from         any address\n",
        "INFO  established-idle", "tcpwhy list --cause established-idle", "Also seen", "9,210 ESTABLISHED are",
        "Not seen", "The processes of other users", "To see it: run as root" };
    expect_order(text, wanted, sizeof wanted / sizeof *wanted);
    expect_harmless(text, false);
    free(text);
    sick_host_deinit(&host);
}

static void nothing_but_commands_and_long_words_exceeds_the_width(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    for (unsigned width = 60; width <= 200; width++) {
        /* Printing every connection takes long, so only at some widths. */
        for (int form = 0; form < (width % 20 == 0 ? 4 : 2); form++) {
            char *text = text_of(&host.diagnosis,
                (struct report_options){ .style = { .width = width, .utf8 = form % 2 == 0 },
                    .detail = form % 2 == 0 ? REPORT_WHOLE : REPORT_SHORT,
                    .all_connections = form / 2 == 1 });
            for (char *rest, *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
                bool command = strncmp(line + strspn(line, " "), "$ ", 2) == 0;
                if (!command && text_width(line) > width)
                    fail_msg("width %u: %s", width, line);
                size_t length = strlen(line);
                if (!command && length > 0 && line[length - 1] == ' ')
                    fail_msg("trailing space: %s|", line);
            }
            free(text);
        }
    }
    sick_host_deinit(&host);
}

static void commands_are_never_broken(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *text = text_of(&host.diagnosis, (struct report_options){ .style = { .width = 60, .utf8 = true } });
    expect_contains(text,
        "\n                $ systemctl restart spool.service "
        "--and-an-argument-that-makes-this-command-longer-than-any-line-should-be\n");
    free(text);
    sick_host_deinit(&host);
}

static void colours_only_when_asked_for(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *plain = text_of(&host.diagnosis, (struct report_options){ .style = { .width = 80, .utf8 = true } });
    char *coloured = text_of(
        &host.diagnosis, (struct report_options){ .style = { .width = 80, .utf8 = true, .colour = true } });
    assert_null(strchr(plain, '\033'));
    expect_contains(coloured, "\033[1;31mCRITICAL\033[0m");
    expect_contains(coloured, "\033[1mclose-wait-leak\033[0m");
    /* Without its colours the report is the same. */
    char *to = coloured;
    for (const char *from = coloured; *from != '\0';) {
        if (*from == '\033')
            from += strcspn(from, "m") + 1;
        else
            *to++ = *from++;
    }
    *to = '\0';
    assert_string_equal(coloured, plain);
    free(plain);
    free(coloured);
    sick_host_deinit(&host);
}

static void ascii_means_ascii(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *text = text_of(
        &host.diagnosis, (struct report_options){ .style = { .width = 100 }, .all_connections = true });
    expect_harmless(text, true);
    expect_contains(text, "RFC 9293 section 3.6.");
    expect_contains(text, "####");
    expect_contains(text, "- Recv-Q is 0");
    expect_contains(text, ">= 4 h 12 min");
    free(text);
    sick_host_deinit(&host);
}

static void single_connections_are_shown_when_few_or_asked_for(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    struct report_options options = { .style = { .width = 110, .utf8 = true }, .detail = REPORT_WHOLE };
    char *few = text_of(&host.diagnosis, options);
    options.all_connections = true;
    char *all = text_of(&host.diagnosis, options);
    /* Two in LAST_ACK, whose addresses do not fit into a table even at this width. */
    expect_contains(few, "LAST_ACK [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:9100");
    expect_contains(few, "Recv-Q 1, Send-Q 1, age ≥ ");
    assert_null(strstr(few, "10.1.2.3:50122"));
    expect_contains(all, "CLOSE_WAIT  10.0.0.5:9100  10.1.2.3:50122       0       0  ≥ 4 h 12 min\n");
    expect_contains(all, "10.1.2.3:51325");
    free(few);
    free(all);
    sick_host_deinit(&host);
}

static void nobody_is_not_the_same_as_unseen(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    struct finding *last_ack = &host.diagnosis.findings[1];
    struct report_options options = { .style = { .width = 80, .utf8 = true } };
    host.diagnosis.findings = last_ack;
    host.diagnosis.finding_count = 1;
    last_ack->owner = NULL;
    char *orphans = text_of(&host.diagnosis, options);
    expect_contains(orphans, "none: only the kernel still holds them");
    host.snapshot.conns[last_ack->conns[0]].inode = 4711;
    char *hidden = text_of(&host.diagnosis, options);
    expect_contains(hidden, "not visible from here");
    free(orphans);
    free(hidden);
    sick_host_deinit(&host);
}

static void a_healthy_host_gets_a_short_report(void **state)
{
    (void)state;
    struct sick_host host;
    healthy_host_init(&host);
    char *text = text_of(&host.diagnosis, (struct report_options){ .style = { .width = 80, .utf8 = true } });
    expect_contains(text, "HEALTHY  No connection is stuck.");
    expect_contains(text, "8,120 TIME_WAIT: normal");
    assert_null(strstr(text, "Not seen"));
    size_t lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    assert_in_range(lines, 6, 12);
    free(text);
    sick_host_deinit(&host);
}

static void healthy_is_not_claimed_of_what_was_not_seen(void **state)
{
    (void)state;
    struct sick_host host;
    healthy_host_init(&host);
    snapshot_add_gap(&host.snapshot, "no-info", "Timers are unknown", "a newer kernel");
    struct report_options options = { .style = { .width = 80, .utf8 = true } };
    char *text = text_of(&host.diagnosis, options);
    assert_null(strstr(text, "No connection is stuck."));
    expect_contains(text, "No connection that could be judged is stuck");
    free(text);
    host.diagnosis.selected_count = 0;
    memset(host.diagnosis.by_state, 0, sizeof host.diagnosis.by_state);
    text = text_of(&host.diagnosis, options);
    expect_contains(text, "No connection was looked at");
    free(text);
    sick_host_deinit(&host);
}

/* The index, and cards with what is needed first. */
static void by_default_it_is_short(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *text = text_of(&host.diagnosis,
        (struct report_options){
            .style = { .width = 110, .utf8 = true }, .arguments = " --netns web", .list_arguments = " --netns web" });
    static const char *const wanted[] = { "3 findings: 1 critical, 1 warning, 1 info\n", "ESTABLISHED",
        "FINDING              PROCESS", "COUNT", "AGE  WHAT TO DO\n", "1  CRITICAL  close-wait-leak", "1,204",
        "2  WARNING   last-ack-unanswered", "3  INFO      established-idle", "CRITICAL  close-wait-leak · certain",
        "  Why  ", "  Proof       • ", "  Who         process", "stopped (T)", "  Now         ", "  For good    ",
        "  More        $ tcpwhy 1 --netns web\n", "tcpwhy list --cause close-wait-leak --netns web\n",
        "WARNING  last-ack-unanswered", "tcpwhy 2 --netns web\n", "Not seen" };
    expect_order(text, wanted, sizeof wanted / sizeof *wanted);
    assert_null(strstr(text, "Ruled out"));
    assert_null(strstr(text, "Won't help"));
    free(text);
    sick_host_deinit(&host);
}

static void brief_is_the_verdict_and_the_index(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *text = text_of(
        &host.diagnosis, (struct report_options){ .style = { .width = 100, .utf8 = true }, .detail = REPORT_BRIEF });
    static const char *const wanted[] = { "CRITICAL  e\\x1b[31mvil", "1  CRIT  close-wait-leak",
        "3  INFO  established-idle", "also seen: 1, not seen: 1. tcpwhy tells more\n" };
    expect_order(text, wanted, sizeof wanted / sizeof *wanted);
    assert_null(strstr(text, "Proof"));
    free(text);
    sick_host_deinit(&host);
}

static void one_finding_is_shown_whole(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    char *text = text_of(
        &host.diagnosis, (struct report_options){ .style = { .width = 100, .utf8 = true }, .only = 1 });
    expect_contains(text, "CRITICAL  close-wait-leak");
    expect_contains(text, "Ruled out");
    assert_null(strstr(text, "last-ack-unanswered"));
    free(text);
    sick_host_deinit(&host);
}

/* The lines of the index are the last ones that begin with a number. */
static void expect_a_line_each(char *text, const struct finding *findings, unsigned count)
{
    unsigned number = 0;
    for (char *rest, *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char wanted[16];
        snprintf(wanted, sizeof wanted, "1,%03u", number);
        if (number < count && strtoul(line, NULL, 10) == number + 1 && strstr(line, findings[number].id) != NULL) {
            expect_contains(line, wanted);
            number++;
        }
    }
    assert_int_equal(number, count);
}

/* Twenty findings, each of them on one line of a terminal, and the count never cut. */
static void each_finding_has_one_line_in_the_index(void **state)
{
    (void)state;
    enum { FINDINGS = 20 };
    struct sick_host host;
    sick_host_init(&host);
    struct finding *findings = calloc(FINDINGS, sizeof *findings);
    assert_non_null(findings);
    for (unsigned i = 0; i < FINDINGS; i++) {
        findings[i] = host.diagnosis.findings[0];
        findings[i].id = diagnose_finding_id(i);
        findings[i].count = 1000 + i;
    }
    struct finding *own = host.diagnosis.findings;
    size_t own_count = host.diagnosis.finding_count;
    host.diagnosis.findings = findings;
    host.diagnosis.finding_count = FINDINGS;
    for (unsigned width = 60; width <= 120; width++) {
        char *text = text_of(
            &host.diagnosis, (struct report_options){ .style = { .width = width }, .detail = REPORT_BRIEF });
        expect_a_line_each(text, findings, FINDINGS);
        free(text);
    }
    host.diagnosis.findings = own;
    host.diagnosis.finding_count = own_count;
    free(findings);
    sick_host_deinit(&host);
}

static void every_finding_says_shortly_what_to_do(void **state)
{
    (void)state;
    for (unsigned i = 1; i < rule_count; i++) {
        if (rules[i].action == NULL || *rules[i].action == '\0' || strlen(rules[i].action) > ACTION_MAX)
            fail_msg("%s: what to do, in at most %d columns: %s", rules[i].id, ACTION_MAX, rules[i].action);
    }
}

static void write_errors_are_reported(void **state)
{
    (void)state;
    struct sick_host host;
    sick_host_init(&host);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    struct report_options options = { .tool_version = "0", .style = { .width = 80 }, .all_connections = true };
    assert_int_equal(report_text(&host.diagnosis, &options, full), -ENOSPC);
    fclose(full);
    sick_host_deinit(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst_comes_first_with_its_blocks_in_order),
        cmocka_unit_test(by_default_it_is_short),
        cmocka_unit_test(brief_is_the_verdict_and_the_index),
        cmocka_unit_test(one_finding_is_shown_whole),
        cmocka_unit_test(each_finding_has_one_line_in_the_index),
        cmocka_unit_test(every_finding_says_shortly_what_to_do),
        cmocka_unit_test(nothing_but_commands_and_long_words_exceeds_the_width),
        cmocka_unit_test(commands_are_never_broken),
        cmocka_unit_test(colours_only_when_asked_for),
        cmocka_unit_test(ascii_means_ascii),
        cmocka_unit_test(single_connections_are_shown_when_few_or_asked_for),
        cmocka_unit_test(nobody_is_not_the_same_as_unseen),
        cmocka_unit_test(a_healthy_host_gets_a_short_report),
        cmocka_unit_test(healthy_is_not_claimed_of_what_was_not_seen),
        cmocka_unit_test(write_errors_are_reported),
    };
    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
