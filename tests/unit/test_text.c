#include "base/suggest.h"
#include "base/text.h"

#include <string.h>

#include "unit.h"

static void expect_escaped(const char *text, const char *expected)
{
    struct buf out = { 0 };
    text_escape(&out, text);
    assert_string_equal(buf_text(&out), expected);
    buf_deinit(&out);
}

static void escape_makes_terminal_controls_visible(void **state)
{
    (void)state;
    expect_escaped("nginx", "nginx");
    expect_escaped("\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m");
    expect_escaped("a\nb\tc\rd", "a\\nb\\tc\\rd");
    expect_escaped("bad\xff\xc3", "bad\\xff\\xc3");
    expect_escaped("\xc2\x9b"
                   "31m",
        "\\u{9b}31m"); /* C1 CSI */
    expect_escaped("\xe2\x80\xae"
                   "txt.exe",
        "\\u{202e}txt.exe"); /* right-to-left override */
    expect_escaped("Grüße 日本", "Grüße 日本");
    expect_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate is not UTF-8 */
    expect_escaped("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
}

static void expect_duration(uint64_t ms, const char *expected)
{
    struct buf out = { 0 };
    text_duration(&out, ms);
    assert_string_equal(buf_text(&out), expected);
    buf_deinit(&out);
}

static void durations_show_two_units(void **state)
{
    (void)state;
    expect_duration(0, "0 ms");
    expect_duration(840, "840 ms");
    expect_duration(6500, "6.5 s");
    expect_duration(14000, "14 s");
    expect_duration(242000, "4 min 2 s");
    expect_duration(15120000, "4 h 12 min");
    expect_duration(14400000, "4 h");
    expect_duration(183600000, "2 d 3 h");
    expect_duration(172800000, "2 d");
}

static void durations_parse_with_units(void **state)
{
    (void)state;
    uint64_t ms;
    assert_int_equal(text_parse_duration("90", &ms), 0);
    assert_int_equal(ms, 90000);
    assert_int_equal(text_parse_duration("5m", &ms), 0);
    assert_int_equal(ms, 300000);
    assert_int_equal(text_parse_duration("250ms", &ms), 0);
    assert_int_equal(ms, 250);
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = { { "0.3", 300 }, { "1.5m", 90000 }, { "0.25h", 900000 }, { "1m11s", 71000 }, { "1h30m", 5400000 },
        { "2d3h4m5s6ms", 183845006 }, { "0.0001", 0 }, { "0.3333333333333", 333 }, { "1.5ms", 1 }, { "2min", 120000 } };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (text_parse_duration(good[i].text, &ms) != 0 || ms != good[i].ms)
            fail_msg("%s: %llu ms", good[i].text, (unsigned long long)ms);
    }
    static const char *const bad[] = { "1.", ".5", "1.m", "1..5", "1.5.5", "30m1h", "1m1m", "1h 30m", "5x", "m",
        "0x10" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (text_parse_duration(bad[i], &ms) == 0)
            fail_msg("%s: taken for %llu ms", bad[i], (unsigned long long)ms);
    }
    assert_true(text_parse_duration("", &ms) < 0);
    assert_true(text_parse_duration("5 m", &ms) < 0);
    assert_true(text_parse_duration("-5", &ms) < 0);
    assert_true(text_parse_duration("99999999999", &ms) < 0);
}

static void counts_and_bytes_read_easily(void **state)
{
    (void)state;
    struct buf out = { 0 };
    text_count(&out, 1234567);
    buf_char(&out, ' ');
    text_count(&out, 999);
    buf_char(&out, ' ');
    text_bytes(&out, 1);
    buf_char(&out, ' ');
    text_bytes(&out, 1234);
    buf_char(&out, ' ');
    text_bytes(&out, 999960);
    assert_string_equal(buf_text(&out), "1,234,567 999 1 byte 1.2 kB 1.0 MB");
    buf_deinit(&out);
}

static void wrapping_keeps_to_the_width(void **state)
{
    (void)state;
    struct buf out = { 0 };
    text_wrap(&out, "the quick brown fox jumps", 4, 14);
    assert_string_equal(buf_text(&out), "the quick\n    brown fox\n    jumps");
    buf_deinit(&out);
}

static void distance_counts_swaps_as_one(void **state)
{
    (void)state;
    assert_int_equal(text_distance("last_ack", "LAST_ACK"), 0);
    assert_int_equal(text_distance("lsat_ack", "last_ack"), 1);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
}

static void the_nearest_name_is_suggested(void **state)
{
    (void)state;
    struct suggestion any = { .wanted = "clsoe-wait" };
    suggest(&any, "time-wait");
    assert_string_equal(any.nearest, "time-wait"); /* any name is better than none */
    suggest(&any, "close-wait");
    suggest(&any, "close_wait"); /* no nearer than the one before */
    suggest(&any, "last-ack");
    assert_string_equal(any.nearest, "close-wait");
    assert_int_equal(any.distance, 1);
}

static void a_name_that_is_too_far_is_not_suggested(void **state)
{
    (void)state;
    struct suggestion near = { .wanted = "cuont", .within = 3 };
    suggest(&near, "explain");
    assert_null(near.nearest);
    suggest(&near, "mount"); /* two letters */
    assert_string_equal(near.nearest, "mount");
    suggest(&near, "count");
    assert_string_equal(near.nearest, "count");
}

static void words_are_the_same_in_any_dress(void **state)
{
    (void)state;
    assert_true(text_same_word("recv_q", "Recv-Q"));
    assert_true(text_same_word("", ""));
    assert_false(text_same_word("recv_q", "recvq"));
    assert_false(text_same_word("recv", "recv_q"));
    assert_false(text_same_word("recv_q", "recv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escape_makes_terminal_controls_visible),
        cmocka_unit_test(durations_show_two_units),
        cmocka_unit_test(durations_parse_with_units),
        cmocka_unit_test(counts_and_bytes_read_easily),
        cmocka_unit_test(wrapping_keeps_to_the_width),
        cmocka_unit_test(distance_counts_swaps_as_one),
        cmocka_unit_test(the_nearest_name_is_suggested),
        cmocka_unit_test(a_name_that_is_too_far_is_not_suggested),
        cmocka_unit_test(words_are_the_same_in_any_dress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
