#include "knowledge/knowledge.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "diagnose/rule.h"
#include "model/diagnosis.h"
#include "model/diff.h"
#include "model/gap.h"
#include "model/setting.h"
#include "model/state.h"
#include "query/column.h"
#include "unit.h"

static void expect_page(const char *word, const char *name)
{
    const struct page *page = knowledge_find(word);
    if (page == NULL) {
        fail_msg("'%s' has no page; expected %s", word, name);
        return;
    }
    assert_string_equal(page->name, name);
}

/* True if the page contains the words, wherever its lines are broken. */
static bool says(const char *name, const char *words)
{
    struct buf text = { 0 };
    for (const char *c = knowledge_find(name)->text; *c != '\0'; c++) {
        bool space = *c == ' ' || *c == '\n';
        if (!space)
            buf_char(&text, *c);
        else if (text.length > 0 && text.data[text.length - 1] != ' ')
            buf_char(&text, ' ');
    }
    bool found = strstr(buf_text(&text), words) != NULL;
    buf_deinit(&text);
    return found;
}

static void every_state_has_a_page(void **state)
{
    (void)state;
    for (int each = STATE_CLOSED; each < STATE_COUNT; each++) {
        const char *name = state_name((enum conn_state)each);
        const struct page *page = knowledge_find(name);
        if (page == NULL) {
            fail_msg("%s has no page", name);
            return;
        }
        assert_int_equal(strncmp(page->title, name, strlen(name)), 0);
        assert_int_equal(page->title[strlen(name)], ':');
    }
}

static void every_finding_has_a_page(void **state)
{
    (void)state;
    static const char *const sections[] = { "What it means", "How tcpwhy decides", "What was ruled out", "Fix now",
        "Fix for good", "What will not help", "Look-alikes", "Sources" };
    assert_true(rule_count > 27);
    for (unsigned i = 1; i < rule_count; i++) { /* 0 is "normal" */
        const struct page *page = knowledge_find(rules[i].id);
        if (page == NULL) {
            fail_msg("%s has no page", rules[i].id);
            return;
        }
        assert_string_equal(page->name, rules[i].id);
        for (size_t j = 0; j < sizeof sections / sizeof *sections; j++) {
            struct buf text = { 0 };
            if (knowledge_section(page, sections[j], &text) != 0)
                fail_msg("%s lacks '%s'", page->name, sections[j]);
            buf_deinit(&text);
        }
    }
}

static void every_page_sums_up_and_names_its_sources(void **state)
{
    (void)state;
    size_t count;
    const struct page *pages = knowledge_pages(&count);
    assert_true(count >= 20);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(pages[i].title) > 10);
        assert_true(strlen(pages[i].summary) > 80);
        assert_null(strpbrk(pages[i].summary, "\n`"));
        assert_non_null(strstr(pages[i].text, "\n## Sources\n"));
        assert_non_null(strstr(pages[i].text, "RFC 9293"));
        assert_non_null(strstr(pages[i].text, "\n## What will not help\n"));
        if (i > 0)
            assert_true(strcmp(pages[i - 1].name, pages[i].name) < 0);
    }
}

static void any_spelling_finds_the_state(void **state)
{
    (void)state;
    static const char *const last_ack[] = { "LAST_ACK", "LastAck", "last-ack", "last ack", "Last_Ack", "lastack",
        "10" };
    for (size_t i = 0; i < sizeof last_ack / sizeof *last_ack; i++)
        expect_page(last_ack[i], "last-ack");
    expect_page("CloseWait", "close-wait");
    expect_page("SCHLIESSEN_WARTEN", "close-wait");
    expect_page("WARTEND", "time-wait");
    expect_page("ABHÖREN", "listen");
    expect_page("estab", "established");
    expect_page("SYN-RECV", "syn-received");
    expect_page("FIN_WAIT1", "fin-wait-1");
    expect_page("UNCONN", "closed");
    expect_page("100", "bound");
    expect_page("CLOSE-WAIT-LEAK", "close-wait-leak");
    expect_page("close wait leak", "close-wait-leak");
    assert_null(knowledge_find("lsat_ack"));
    assert_null(knowledge_find(""));
    assert_null(knowledge_find("13"));
}

static void closing_is_the_recipe_and_CLOSING_the_state(void **state)
{
    (void)state;
    expect_page("closing", "closing");
    expect_page("CLOSING", "closing-state");
    expect_page("Closing", "closing-state");
    expect_page("9", "closing-state");
    expect_page("closing state", "closing-state");
    assert_true(says("closing", "tcpwhy explain closing-state`"));
    assert_true(says("CLOSING", "tcpwhy explain closing`"));
}

static void a_misspelt_word_gets_the_nearest(void **state)
{
    (void)state;
    const char *nearest[3];
    assert_true(knowledge_suggest("lsat_ack", nearest, 3) >= 1);
    assert_string_equal(nearest[0], "last-ack");
    assert_true(knowledge_suggest("CLOSEWIAT", nearest, 3) >= 1);
    assert_string_equal(nearest[0], "close-wait");
    assert_int_equal(knowledge_suggest("not accepted", nearest, 3), 2);
    assert_string_equal(nearest[0], "close-wait-not-accepted");
    assert_int_equal(knowledge_suggest("close-wait", nearest, 1), 1);
    assert_string_equal(nearest[0], "close-wait");
    assert_int_equal(knowledge_suggest("xyzzyplugh", nearest, 3), 0);
    assert_int_equal(knowledge_suggest("", nearest, 0), 0);
    char endless[5000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(knowledge_suggest(endless, nearest, 3), 0);
    assert_null(knowledge_find(endless));
}

static void expect_section(const char *wanted, const char *contains, const char *lacks)
{
    struct buf text = { 0 };
    assert_int_equal(knowledge_section(knowledge_find("closing"), wanted, &text), 0);
    assert_non_null(strstr(buf_text(&text), "# How to close a connection properly\n"));
    assert_non_null(strstr(buf_text(&text), contains));
    assert_null(strstr(buf_text(&text), lacks));
    assert_int_equal(buf_text(&text)[text.length - 1], '\n');
    buf_deinit(&text);
}

static void one_language_of_the_recipes(void **state)
{
    (void)state;
    expect_section("c", "\n## C\n", "\n## C#");
    expect_section("C#", "```csharp\n", "```c\n");
    expect_section("csharp", "```csharp\n", "```java\n");
    expect_section("java", "\n## Java\n", "\n## JavaScript");
    expect_section("js", "\n## JavaScript\n", "```java\n");
    expect_section("PYTHON", "```python\n", "```go\n");
    expect_section("golang", "```go\n", "```python\n");
    expect_section("help", "\n## What will not help\n", "```");

    struct buf text = { 0 };
    assert_int_equal(knowledge_section(knowledge_find("closing"), "cobol", &text), -ENOENT);
    assert_int_equal(knowledge_section(knowledge_find("closing"), "", &text), -ENOENT);
    assert_int_equal(text.length, 0);
    knowledge_headings(knowledge_find("closing"), &text);
    assert_string_equal(buf_text(&text),
        "C, C++, C#, Java, Python, JavaScript, Go, Rust, PHP, Ruby, epoll, TLS, Pools of HTTP clients, "
        "What will not help, Sources");
    buf_deinit(&text);
}

static void expect_name(const char *name, const char *page, const char *heading)
{
    const struct page_name *found = knowledge_find_name(name);
    if (found == NULL)
        found = knowledge_find_in_message(name);
    if (found == NULL) {
        fail_msg("'%s' is nowhere explained", name);
        return;
    }
    assert_string_equal(found->page->name, page);
    struct buf text = { 0 };
    if (found->section != NULL)
        assert_int_equal(knowledge_section(found->page, found->section, &text), 0);
    if (heading != NULL && (found->section == NULL || strstr(found->section, heading) == NULL))
        fail_msg("'%s' is not in the heading of its section", name);
    buf_deinit(&text);
}

static void what_people_have_in_hand_is_explained(void **state)
{
    (void)state;
    static const char *const errors[] = { "EADDRNOTAVAIL", "EADDRINUSE", "ECONNRESET", "EPIPE", "ETIMEDOUT",
        "ECONNREFUSED", "EMFILE", "ENOBUFS", "10048", "10053", "10054", "10055", "10060", "10061" };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        expect_name(errors[i], "errors", errors[i]);
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        if (knowledge_find_name(counter_infos[i].name) == NULL)
            fail_msg("the counter %s is nowhere explained", counter_infos[i].name);
    }
    static const char *const events[] = { "4226", "4227", "4231", "4266", "event 4231" };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        expect_name(events[i], "log-messages", NULL);
    static const char *const options[] = { "keepalive", "TCP_USER_TIMEOUT", "resets", "SO_REUSEPORT", "SO_LINGER",
        "listen-backlog" };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        expect_name(options[i], "socket-options", NULL);
    static const char *const path[] = { "idle-timeouts", "snat-exhaustion", "conntrack", "path-mtu", "service-mesh" };
    for (size_t i = 0; i < sizeof path / sizeof *path; i++)
        expect_name(path[i], "network-path", NULL);
    static const char *const words[] = { "certain", "likely", "possible", "info", "warning", "critical", "normal",
        "leaks", "piles-up", "grows", "local-application", "peer-application", "peer-or-path", "host-settings" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        expect_name(words[i], "words", words[i]);
    for (int setting = 0; setting < SETTING_COUNT; setting++)
        expect_name(setting_infos[setting].name, "sysctls", NULL);
}

static void expect_known(const char *word)
{
    if (knowledge_find(word) == NULL && knowledge_find_name(word) == NULL)
        fail_msg("a report prints '%s', and explain does not know it", word);
}

static void what_a_report_prints_is_explained(void **state)
{
    (void)state;
    for (unsigned i = 0; i < rule_count; i++)
        expect_known(rules[i].id);
    for (unsigned i = 0; i < GAP_KIND_COUNT; i++)
        expect_name(gap_infos[i].id, "gaps", gap_infos[i].id);
    expect_name("ends-hidden-0-12", "gaps", NULL);
    assert_null(knowledge_find_name("ends-hidden-0"));
    assert_null(knowledge_find_name("-0-1"));
    for (size_t i = 0; field_at(i) != NULL; i++)
        expect_known(field_at(i)->name);
    for (int i = 0; i < DIFF_KINDS; i++)
        expect_known(diff_kind_name((enum diff_kind)i));
    for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++)
        expect_known(severity_name((enum severity)i));
    for (int i = CONFIDENCE_POSSIBLE; i <= CONFIDENCE_CERTAIN; i++)
        expect_known(confidence_name((enum confidence)i));
    static const enum fault faults[] = { FAULT_LOCAL_APPLICATION, FAULT_PEER_APPLICATION, FAULT_PEER_OR_PATH,
        FAULT_HOST_SETTINGS };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        expect_known(fault_name(faults[i]));
}

static void settings_of_windows_are_explained(void **state)
{
    (void)state;
    static const char *const names[] = { "TcpTimedWaitDelay", "TcpFinWait2Delay", "MaxUserPort", "TcpNumConnections",
        "dynamicport", "excludedportrange", "Set-NetTCPSetting", "netsh int tcp", "netsh int ip reset",
        "performance counters" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect_name(names[i], "windows-settings", names[i]);
    expect_name("KeepAliveTime", "socket-options", NULL);
}

static void a_pasted_message_finds_its_section(void **state)
{
    (void)state;
    expect_name(
        "TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.", "log-messages", "SYN flooding");
    expect_name("connect: Cannot assign requested address", "errors", "EADDRNOTAVAIL");
    expect_name("dial tcp 192.0.2.1:80: connect: connection refused", "errors", "ECONNREFUSED");
    assert_null(knowledge_find_in_message("all is normal, and likely to stay"));
    assert_null(knowledge_find_in_message(""));
}

static void widespread_errors_are_put_right(void **state)
{
    (void)state;
    static const char *const said[][2] = {
        { "last-ack", "That is FIN_WAIT_2" },
        { "last-ack", "closing is how LAST_ACK is entered" },
        { "last-ack", "both govern the SYN" },
        { "last-ack", "global rto=1000" },
        { "last-ack", "netsh int ip reset" },
        { "last-ack", "grep -c LAST_ACK" },
        { "last-ack", "No performance counter shows the state" },
        { "time-wait", "It concerns TIME_WAIT only" },
        { "time-wait", "MaxUserPort" },
        { "time-wait", "*shrinks* 16384 ports to 1000" },
        { "time-wait", "TcpNumConnections" },
        { "close-wait", "ESTABLISHED *and* CLOSE_WAIT" },
        { "close-wait", "Only together with age" },
        { "established", "No, that is SYN_RECEIVED" },
        { "fin-wait-1", "active but not currently used" },
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (!says(said[i][0], said[i][1]))
            fail_msg("%s does not say: %s", said[i][0], said[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_page),
        cmocka_unit_test(every_finding_has_a_page),
        cmocka_unit_test(every_page_sums_up_and_names_its_sources),
        cmocka_unit_test(any_spelling_finds_the_state),
        cmocka_unit_test(closing_is_the_recipe_and_CLOSING_the_state),
        cmocka_unit_test(a_misspelt_word_gets_the_nearest),
        cmocka_unit_test(one_language_of_the_recipes),
        cmocka_unit_test(what_people_have_in_hand_is_explained),
        cmocka_unit_test(what_a_report_prints_is_explained),
        cmocka_unit_test(settings_of_windows_are_explained),
        cmocka_unit_test(a_pasted_message_finds_its_section),
        cmocka_unit_test(widespread_errors_are_put_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
