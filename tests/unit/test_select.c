#include "model/select.h"

#include <errno.h>

#include "small_host.h"

/* --- parsing -------------------------------------------------------------------------------------------------- */

static void every_spelling_of_a_state_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t states;
    } rows[] = {
        { "CLOSE_WAIT", STATE_BIT(STATE_CLOSE_WAIT) },
        { "close-wait", STATE_BIT(STATE_CLOSE_WAIT) },
        { "CloseWait", STATE_BIT(STATE_CLOSE_WAIT) },
        { "Schliessen_Warten", STATE_BIT(STATE_CLOSE_WAIT) },
        { "8", STATE_BIT(STATE_CLOSE_WAIT) },
        { "ESTAB,LastAck", STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_LAST_ACK) },
        { " fin-wait-1 , FIN WAIT 2 ", STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_FIN_WAIT_2) },
        { "syn_recv", STATE_BIT(STATE_SYN_RECEIVED) },
        { "listening", STATE_BIT(STATE_LISTEN) },
        { "all", STATE_BIT(STATE_COUNT) - 1 },
        { "close-wait,ALL", STATE_BIT(STATE_COUNT) - 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct selection selection = { 0 };
        assert_int_equal(selection_add_states(&selection, rows[i].text, NULL), 0);
        assert_int_equal(selection.states, rows[i].states);
    }
}

static void expect_state_error(const char *text, const char *subject, const char *word)
{
    struct selection selection = { 0 };
    struct error err = { 0 };
    assert_int_equal(selection_add_states(&selection, text, &err), -EINVAL);
    assert_string_equal(err.subject, subject);
    assert_non_null(strstr(err.message, word));
}

static void a_misspelt_state_is_named_and_corrected(void **state)
{
    (void)state;
    expect_state_error("CLOSE_WIAT", "CLOSE_WIAT", "did you mean CLOSE_WAIT?");
    expect_state_error("established,lastakc", "lastakc", "did you mean LAST_ACK?");
    expect_state_error("stuck", "stuck", "is not a TCP state; CLOSE_WAIT");
    expect_state_error("close-wait,", "", "empty term");
    expect_state_error("", "", "empty term");
    expect_state_error("99", "99", "is not a TCP state");
}

struct end_row {
    const char *text;
    const char *net; /* NULL: any address */
    int port;        /* 0: any */
};

static const struct end_row good_ends[] = {
    { "10.0.0.5", "10.0.0.5/32", 0 },
    { "10.0.0.5:80", "10.0.0.5/32", 80 },
    { "10.0.0.5:*", "10.0.0.5/32", 0 },
    { "10.0.0.0/8", "10.0.0.0/8", 0 },
    { "10.9.8.7/8", "10.0.0.0/8", 0 },
    { "10.0.0.0/8:80", "10.0.0.0/8", 80 },
    { "0.0.0.0/0", "0.0.0.0/0", 0 },
    { ":443", NULL, 443 },
    { "*:80", NULL, 80 },
    { "*", NULL, 0 },
    { "*:*", NULL, 0 },
    { "::1", "::1/128", 0 },
    { "[::1]", "::1/128", 0 },
    { "[::1]:80", "::1/128", 80 },
    { "::", "::/128", 0 },
    { "::/0", "::/0", 0 },
    { "2001:db8::/32", "2001:db8::/32", 0 },
    { "[2001:db8::/32]:443", "2001:db8::/32", 443 },
    { "[2001:db8::]/32:443", "2001:db8::/32", 443 },
    { "[2001:db8::]/32", "2001:db8::/32", 0 },
    { "2001:db8::/32:443", "2001:db8::/32", 443 },
    { "fe80::1:80", "fe80::1:80/128", 0 }, /* no port: an address may end in this way */
    { "::ffff:10.0.0.5", "10.0.0.5/32", 0 },
};

static void ends_are_parsed_in_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_ends / sizeof *good_ends; i++) {
        const struct end_row *row = &good_ends[i];
        struct selection selection = { 0 };
        struct error err = { 0 };
        if (selection_add_local(&selection, row->text, &err) != 0)
            fail_msg("%s: %s", row->text, err.message);
        const struct select_endpoint *end = &selection.locals[0];
        assert_int_equal(selection.local_count, 1);
        if (end->has_net != (row->net != NULL) || end->has_port != (row->port != 0) ||
            (end->has_port && end->ports.first != row->port))
            fail_msg("%s: taken for something else", row->text);
        if (row->net != NULL) {
            struct buf net = { 0 };
            ip_net_format(&net, &end->net);
            assert_string_equal(buf_text(&net), row->net);
            buf_deinit(&net);
        }
    }
}

static void ports_are_numbers_ranges_and_names(void **state)
{
    (void)state;
    struct select_ports ports;
    static const struct {
        const char *text;
        unsigned first, last;
    } good[] = { { "80", 80, 80 }, { "80-90", 80, 90 }, { "80-80", 80, 80 }, { "https", 443, 443 },
        { "1-65535", 1, 65535 }, { "afs3-callback", 7001, 7001 } };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (select_parse_ports(good[i].text, &ports) != 0 || ports.first != good[i].first || ports.last != good[i].last)
            fail_msg("%s", good[i].text);
    }
    static const char *const bad[] = { "", "0", "65536", "0-5", "90-80", "80-", "-80", "80-90-100", "80x", "htttps",
        "80-https" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (select_parse_ports(bad[i], &ports) == 0)
            fail_msg("%s: taken for a port", bad[i]);
    }
}

static void what_is_no_end_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", ":", "10.0.0.5:", "10.0.0.5:0", "10.0.0.5:65536", "10.0.0.5:htttp",
        "10.0.0.256", "10.0.0.0/33", "10.0.0.0/", "/8", "[::1", "::1]", "[::1]80", "[::1]:", "2001:db8::/129",
        "example.org", "10.0.0.5:80:90", "[10.0.0.5", "::1%lo", "[]", "[]:80", "[/]:80", "-1", "10.0.0.5,", ",10.0.0.5",
        "**" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct selection selection = { 0 };
        struct error err = { 0 };
        if (selection_add_peer(&selection, bad[i], &err) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_true(err.message[0] != '\0');
    }
}

static void lists_have_an_end(void **state)
{
    (void)state;
    struct selection selection = { 0 };
    struct error err;
    for (int i = 0; i < SELECT_TERMS_MAX; i++)
        assert_int_equal(selection_add_ports(&selection, "80", NULL), 0);
    assert_int_equal(selection_add_ports(&selection, "81", &err), -E2BIG);
    assert_string_equal(err.subject, "81");
    assert_int_equal(selection_add_ports(&selection, "0", NULL), -EINVAL);
    assert_int_equal(selection_add_pids(&selection, "4294967296", NULL), -EINVAL);
    assert_int_equal(selection_add_pids(&selection, "12a", NULL), -EINVAL);
    assert_int_equal(selection_set_older(&selection, "soon", NULL), -EINVAL);
    char longest[SELECT_WORD_MAX + 1];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(selection_add_names(&selection, longest, NULL), -EINVAL);
    assert_int_equal(selection_add_names(&selection, longest + 1, NULL), 0);
}

/* --- matching ------------------------------------------------------------------------------------------------- */

enum { NGINX_80, JAVA_OUT, SHARED, V6, MAPPED, OTHER_NS, ORPHAN, CONN_KINDS };

/* One connection of each kind; bit N in a test's expectation stands for connection N. */
static void make_host(struct host *host)
{
    host_init(host);
    host_netns(host, "host", 4026531840, true);
    host_netns(host, "blue", 4026532281, false);
    uint32_t nginx = host_process(host, 10, "nginx");
    uint32_t java = host_process(host, 20, "java");
    uint32_t child = host_process(host, 21, "logrotate-agent"); /* 15 bytes: the kernel may have cut it */
    host->snapshot.processes[nginx].netns = 0;
    host->snapshot.processes[java].netns = 1;

    host_hold(host, host_conn(host, STATE_LISTEN, "0.0.0.0", 80, "0.0.0.0", 0), nginx, 3);
    struct conn *conn = host_conn(host, STATE_CLOSE_WAIT, "10.0.0.5", 40000, "10.0.0.9", 5432);
    host_idle_for(conn, 300000);
    host_hold(host, conn, java, 5);
    conn = host_conn(host, STATE_ESTABLISHED, "10.0.0.5", 80, "192.0.2.7", 50000);
    host_hold(host, conn, nginx, 7);
    host_hold(host, conn, child, 7);
    host_conn(host, STATE_ESTABLISHED, "2001:db8::5", 443, "2001:db8:9::1", 50001);
    host_conn(host, STATE_TIME_WAIT, "::ffff:10.0.0.5", 443, "::ffff:198.51.100.1", 50002)->ipv6 = true;
    host_conn(host, STATE_ESTABLISHED, "127.0.0.1", 80, "127.0.0.1", 50003)->netns = 1;
    host_conn(host, STATE_LAST_ACK, "10.0.0.5", 80, "192.0.2.8", 443);
}

typedef int (*parser)(struct selection *selection, const char *text, struct error *err);

static void expect_taken(
    const struct host *host, const struct selection *selection, unsigned expected, const char *what)
{
    unsigned taken = 0;
    for (size_t i = 0; i < host->snapshot.conn_count; i++) {
        if (selection_matches(selection, &host->snapshot, &host->snapshot.conns[i]))
            taken |= 1U << i;
    }
    if (taken != expected)
        fail_msg("%s: took in 0x%x, not 0x%x", what, taken, expected);
}

#define BIT(kind) (1U << (kind))
enum { ALL_KINDS = BIT(CONN_KINDS) - 1 };

static const struct {
    parser parse;
    const char *text;
    unsigned expected;
} matches[] = {
    { selection_add_states, "all", ALL_KINDS },
    { selection_add_states, "close-wait,LAST_ACK", BIT(JAVA_OUT) | BIT(ORPHAN) },
    { selection_add_states, "bound", 0 },
    { selection_add_pids, "10", BIT(NGINX_80) | BIT(SHARED) },
    { selection_add_pids, "21", BIT(SHARED) }, /* not the first holder */
    { selection_add_pids, "20,21", BIT(JAVA_OUT) | BIT(SHARED) },
    { selection_add_pids, "99", 0 },
    { selection_add_names, "java", BIT(JAVA_OUT) },
    { selection_add_names, "JAVA", 0 },
    { selection_add_names, "*n*", BIT(NGINX_80) | BIT(SHARED) },
    { selection_add_names, "logrotate-agentd", BIT(SHARED) },
    { selection_add_names, "logrotate", 0 },
    { selection_add_names, "[jx]av?, nosuch ", BIT(JAVA_OUT) },
    { selection_add_ports, "443", BIT(V6) | BIT(MAPPED) | BIT(ORPHAN) },
    { selection_add_ports, "5432,50000", BIT(JAVA_OUT) | BIT(SHARED) },
    { selection_add_local, ":80", BIT(NGINX_80) | BIT(SHARED) | BIT(OTHER_NS) | BIT(ORPHAN) },
    { selection_add_local, "10.0.0.0/8:80", BIT(SHARED) | BIT(ORPHAN) },
    { selection_add_local, "10.0.0.5", BIT(JAVA_OUT) | BIT(SHARED) | BIT(MAPPED) | BIT(ORPHAN) },
    { selection_add_local, "::/0", BIT(V6) },
    { selection_add_local, "0.0.0.0/0", ALL_KINDS & ~BIT(V6) },
    { selection_add_local, "0.0.0.0", BIT(NGINX_80) },
    { selection_add_local, "*", ALL_KINDS },
    { selection_add_peer, "192.0.2.0/24", BIT(SHARED) | BIT(ORPHAN) },
    { selection_add_peer, "192.0.2.0/24:443,[2001:db8::]/32", BIT(ORPHAN) | BIT(V6) },
    { selection_add_peer, "2001:db9::/32", 0 },
    { selection_set_older, "5m", BIT(JAVA_OUT) },
    { selection_set_older, "301", 0 },
    { selection_set_older, "0", ALL_KINDS },
};

static void each_term_takes_in_what_it_should(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        struct selection selection = { 0 };
        assert_int_equal(matches[i].parse(&selection, matches[i].text, NULL), 0);
        expect_taken(&host, &selection, matches[i].expected, matches[i].text);
    }
    host_deinit(&host);
}

static void families_go_by_what_is_on_the_wire(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    expect_taken(&host, &(struct selection){ .ipv6 = true }, BIT(V6), "-6");
    expect_taken(&host, &(struct selection){ .ipv4 = true }, ALL_KINDS & ~BIT(V6), "-4");
    expect_taken(&host, &(struct selection){ .ipv4 = true, .ipv6 = true }, ALL_KINDS, "-46");
    host_deinit(&host);
}

static void namespaces_go_by_name_inode_or_process(void **state)
{
    (void)state;
    static const struct {
        const char *netns;
        unsigned expected;
        bool exists;
    } rows[] = {
        { "all", ALL_KINDS, true },
        { "self", ALL_KINDS & ~BIT(OTHER_NS), true },
        { "host", ALL_KINDS & ~BIT(OTHER_NS), true },
        { "blue", BIT(OTHER_NS), true },
        { "4026532281", BIT(OTHER_NS), true },
        { "20", BIT(OTHER_NS), true },              /* java's */
        { "10", ALL_KINDS & ~BIT(OTHER_NS), true }, /* nginx's */
        { "21", 0, false },                         /* the namespace of this process is not known */
        { "green", 0, false },
        { "", 0, false },
    };
    struct host host;
    make_host(&host);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct selection selection = { .netns = rows[i].netns };
        expect_taken(&host, &selection, rows[i].expected, rows[i].netns);
        assert_int_equal(selection_netns_exists(&selection, &host.snapshot), rows[i].exists);
    }
    host_deinit(&host);
}

static void kinds_of_terms_must_all_hold(void **state)
{
    (void)state;
    struct host host;
    make_host(&host);
    struct selection selection = { 0 };
    assert_true(selection_is_empty(&selection));
    expect_taken(&host, &selection, ALL_KINDS, "nothing");
    assert_int_equal(selection_add_names(&selection, "nginx", NULL), 0);
    assert_int_equal(selection_add_states(&selection, "established", NULL), 0);
    expect_taken(&host, &selection, BIT(SHARED), "name and state");
    assert_int_equal(selection_add_names(&selection, "java", NULL), 0); /* an alternative to the first name */
    expect_taken(&host, &selection, BIT(SHARED), "two names and state");
    assert_int_equal(selection_add_states(&selection, "close-wait", NULL), 0);
    expect_taken(&host, &selection, BIT(SHARED) | BIT(JAVA_OUT), "two names and two states");
    assert_false(selection_is_empty(&selection));
    host_deinit(&host);
}

static void causes_match_by_id_and_wildcard(void **state)
{
    (void)state;
    struct selection selection = { 0 };
    assert_true(selection_matches_cause(&selection, "normal"));
    assert_int_equal(selection_add_causes(&selection, "close-wait-*, last-ack-unanswered", NULL), 0);
    assert_true(selection_matches_cause(&selection, "close-wait-leak"));
    assert_true(selection_matches_cause(&selection, "last-ack-unanswered"));
    assert_false(selection_matches_cause(&selection, "last-ack-zero-window"));
    assert_false(selection_matches_cause(&selection, "normal"));
    assert_false(selection_is_empty(&selection));
}

static void every_member_counts_as_a_selection(void **state)
{
    (void)state;
    static const struct {
        parser parse;
        const char *text;
    } rows[] = {
        { selection_add_states, "listen" },
        { selection_add_pids, "1" },
        { selection_add_names, "x" },
        { selection_add_ports, "1" },
        { selection_add_local, "*" },
        { selection_add_peer, "*" },
        { selection_add_causes, "normal" },
        { selection_set_older, "1" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct selection selection = { 0 };
        assert_int_equal(rows[i].parse(&selection, rows[i].text, NULL), 0);
        assert_false(selection_is_empty(&selection));
    }
    assert_false(selection_is_empty(&(struct selection){ .ipv4 = true }));
    assert_false(selection_is_empty(&(struct selection){ .netns = "self" }));
    assert_true(selection_is_empty(&(struct selection){ .netns = "all" }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_a_state_is_taken),
        cmocka_unit_test(a_misspelt_state_is_named_and_corrected),
        cmocka_unit_test(ends_are_parsed_in_every_form),
        cmocka_unit_test(ports_are_numbers_ranges_and_names),
        cmocka_unit_test(what_is_no_end_is_refused),
        cmocka_unit_test(lists_have_an_end),
        cmocka_unit_test(each_term_takes_in_what_it_should),
        cmocka_unit_test(families_go_by_what_is_on_the_wire),
        cmocka_unit_test(namespaces_go_by_name_inode_or_process),
        cmocka_unit_test(kinds_of_terms_must_all_hold),
        cmocka_unit_test(causes_match_by_id_and_wildcard),
        cmocka_unit_test(every_member_counts_as_a_selection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
