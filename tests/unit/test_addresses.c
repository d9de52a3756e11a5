#include "model/ip.h"
#include "model/state.h"

#include <string.h>

#include "unit.h"

static void every_spelling_of_a_state(void **state)
{
    (void)state;
    static const struct {
        const char *spelling;
        enum conn_state state;
    } cases[] = {
        { "LISTENING", STATE_LISTEN },
        { "SYN_RECEIVED", STATE_SYN_RECEIVED },
        { "FIN_WAIT_1", STATE_FIN_WAIT_1 },
        { "CLOSE_WAIT", STATE_CLOSE_WAIT },
        { "LAST_ACK", STATE_LAST_ACK },
        { "TIME_WAIT", STATE_TIME_WAIT },
        { "Listen", STATE_LISTEN },
        { "SynReceived", STATE_SYN_RECEIVED },
        { "FinWait1", STATE_FIN_WAIT_1 },
        { "CloseWait", STATE_CLOSE_WAIT },
        { "LastAck", STATE_LAST_ACK },
        { "TimeWait", STATE_TIME_WAIT },
        { "DeleteTCB", STATE_CLOSED },
        { "Bound", STATE_BOUND },
        { "SYN_RECV", STATE_SYN_RECEIVED },
        { "FIN_WAIT1", STATE_FIN_WAIT_1 },
        { "CLOSE", STATE_CLOSED },
        { "ESTAB", STATE_ESTABLISHED },
        { "UNCONN", STATE_CLOSED },
        { "SYN-RECV", STATE_SYN_RECEIVED },
        { "FIN-WAIT-1", STATE_FIN_WAIT_1 },
        { "close-wait", STATE_CLOSE_WAIT },
        { "last-ack", STATE_LAST_ACK },
        { "SYN_RCVD", STATE_SYN_RECEIVED },
        { "IDLE", STATE_CLOSED },
        { "ABHÖREN", STATE_LISTEN },
        { "HERGESTELLT", STATE_ESTABLISHED },
        { "WARTEND", STATE_TIME_WAIT },
        { "SCHLIESSEN_WARTEN", STATE_CLOSE_WAIT },
        { "SYN_GESENDET", STATE_SYN_SENT },
        { "FIN_WARTEN_2", STATE_FIN_WAIT_2 },
        { "ZULETZT_ACK", STATE_LAST_ACK },
        { "VERBUNDEN", STATE_ESTABLISHED },
        { "ESPERANDO_FECHAR", STATE_CLOSE_WAIT },
        { "ÚLTIMO_ACK", STATE_LAST_ACK },
        { "\xdaLTIMO_ACK", STATE_LAST_ACK },
        { "ESPERA_FIN2", STATE_FIN_WAIT_2 },
        { "ZAVÍRÁ", STATE_CLOSING },
        { "10", STATE_LAST_ACK },
        { "8", STATE_CLOSE_WAIT },
        { "12", STATE_CLOSED },
        { "100", STATE_BOUND },
        { "13", STATE_UNKNOWN },
        { "0", STATE_UNKNOWN },
        { "", STATE_UNKNOWN },
        { "LAST_NAK", STATE_UNKNOWN },
        { "99999999999999999999999999", STATE_UNKNOWN },
        { "an endless word that fits into no table of states whatever", STATE_UNKNOWN },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (state_parse(cases[i].spelling) != cases[i].state)
            fail_msg("%s is taken for %s", cases[i].spelling, state_name(state_parse(cases[i].spelling)));
    }
    for (int i = STATE_CLOSED; i < STATE_COUNT; i++)
        assert_int_equal(state_parse(state_name((enum conn_state)i)), i);
}

static void expect_net(const char *text, const char *expected)
{
    struct ip_net net;
    struct buf out = { 0 };
    assert_int_equal(ip_net_parse(text, &net), 0);
    ip_net_format(&out, &net);
    assert_string_equal(buf_text(&out), expected);
    buf_deinit(&out);
}

static void networks(void **state)
{
    (void)state;
    expect_net("10.1.2.3", "10.1.2.3/32");
    expect_net("10.1.2.3/8", "10.0.0.0/8");
    expect_net("10.1.2.255/27", "10.1.2.224/27");
    expect_net("0.0.0.0/0", "0.0.0.0/0");
    expect_net("2001:db8::1/33", "2001:db8::/33");
    expect_net("[::1]", "::1/128");
    expect_net("::ffff:10.0.0.1", "10.0.0.1/32");
    static const char *const bad[] = { "", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "localhost",
        "10.0.0.0/8x" };
    struct ip_net net;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(ip_net_parse(bad[i], &net) < 0);

    struct ip_net ten;
    assert_int_equal(ip_net_parse("10.0.0.0/8", &ten), 0);
    assert_int_equal(ip_net_parse("10.255.0.1", &net), 0);
    assert_true(ip_in_net(&net.address, &ten));
    assert_int_equal(ip_net_parse("11.0.0.1", &net), 0);
    assert_false(ip_in_net(&net.address, &ten));
}

static void an_ipv6_socket_that_talks_ipv4(void **state)
{
    (void)state;
    const uint8_t v4[4] = { 192, 0, 2, 1 };
    const uint8_t v6[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1 };
    struct ip one = ip_from_v4(v4), other = ip_from_v6(v6);
    assert_true(ip_equal(&one, &other));
    assert_true(ip_is_v4(&other));
    struct buf out = { 0 };
    ip_port_format(&out, &other, 443);
    assert_string_equal(buf_text(&out), "192.0.2.1:443");
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_a_state),
        cmocka_unit_test(networks),
        cmocka_unit_test(an_ipv6_socket_that_talks_ipv4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
