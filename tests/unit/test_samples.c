#include "cmd/check/samples.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, WINDOW = 5 * MINUTE };
static const uint64_t NOON = 1800000000000;

static void add(struct samples *samples, const char *name, uint64_t at, uint64_t count)
{
    struct series *series = samples_series(samples, name);
    assert_non_null(series);
    series_add(series, at, count, WINDOW);
}

static bool growth(struct samples *samples, uint64_t now, uint64_t count, double *ret_rate, uint64_t *ret_over)
{
    return series_growth(samples_series(samples, "leak"), now, count, WINDOW, ret_rate, ret_over);
}

static void growth_is_that_of_the_window(void **state)
{
    (void)state;
    struct samples samples = { 0 };
    double rate;
    uint64_t over;
    assert_false(growth(&samples, NOON, 10, &rate, &over));
    for (unsigned minute = 0; minute < 20; minute++)
        add(&samples, "leak", NOON + minute * MINUTE, minute < 10 ? 100 : 100 + (minute - 10) * 7);
    assert_true(growth(&samples, NOON + 20 * MINUTE, 170, &rate, &over));
    assert_true(rate == 7);
    assert_int_equal(over, WINDOW);
    assert_true(growth(&samples, NOON + 20 * MINUTE, 0, &rate, &over));
    assert_true(rate < 0);
    samples_deinit(&samples);
}

static void what_comes_and_goes_has_not_grown(void **state)
{
    (void)state;
    struct samples samples = { 0 };
    for (unsigned i = 0; i <= 30; i++)
        add(&samples, "leak", NOON + i * 10 * SECOND, i % 2 ? 900 : 100);
    double rate;
    uint64_t over;
    assert_true(growth(&samples, NOON + 310 * SECOND, 900, &rate, &over));
    assert_true(rate < 1);
    samples_deinit(&samples);
}

static void too_short_a_time_tells_nothing(void **state)
{
    (void)state;
    struct samples samples = { 0 };
    double rate;
    uint64_t over;
    add(&samples, "leak", NOON, 0);
    assert_false(growth(&samples, NOON + 59 * SECOND, 1000, &rate, &over));
    assert_true(growth(&samples, NOON + 60 * SECOND, 1000, &rate, &over));
    assert_true(rate == 1000);
    samples_deinit(&samples);
}

static void a_long_pause_is_the_window(void **state)
{
    (void)state;
    struct samples samples = { 0 };
    double rate;
    uint64_t over;
    add(&samples, "leak", NOON, 10);
    add(&samples, "leak", NOON + MINUTE, 10);
    assert_true(growth(&samples, NOON + 61 * MINUTE, 70, &rate, &over));
    assert_int_equal(over, 60 * MINUTE);
    assert_true(rate == 1);
    samples_deinit(&samples);
}

static void samples_stay_few(void **state)
{
    (void)state;
    struct samples samples = { 0 };
    for (unsigned i = 0; i < 100000; i++)
        add(&samples, "leak", NOON + i * 100, i);
    struct series *series = samples_series(&samples, "leak");
    assert_true(series->count <= SAMPLES_MAX);
    double rate;
    uint64_t over;
    assert_true(growth(&samples, NOON + 100000 * 100, 100000, &rate, &over));
    assert_true(over >= WINDOW && over < WINDOW + 20 * SECOND);
    samples_deinit(&samples);
}

static void a_clock_that_was_set_back_begins_anew(void **state)
{
    (void)state;
    struct samples samples = { 0 };
    double rate;
    uint64_t over;
    add(&samples, "leak", NOON, 10);
    assert_false(growth(&samples, NOON - MINUTE, 10, &rate, &over));
    add(&samples, "leak", NOON - MINUTE, 10);
    assert_true(growth(&samples, NOON, 20, &rate, &over));
    assert_true(rate == 10);
    samples_deinit(&samples);
}

static void only_so_many_series(void **state)
{
    (void)state;
    struct samples samples = { 0 };
    char name[16];
    for (unsigned i = 0; i < SERIES_MAX; i++) {
        snprintf(name, sizeof name, "%u", i);
        assert_non_null(samples_series(&samples, name));
    }
    assert_non_null(samples_series(&samples, "0"));
    assert_null(samples_series(&samples, "one more"));
    assert_null(samples_series(&(struct samples){ 0 }, ""));
    samples_deinit(&samples);
}

/* --- the file --------------------------------------------------------------------------------------------------- */

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct samples samples = { 0 }, read;
    add(&samples, "leak", NOON, 10);
    add(&samples, "evil\nname\x1b", NOON, 1);
    add(&samples, "leak", NOON + MINUTE, 12);
    struct buf text = { 0 };
    samples_format(&samples, "what\nfor", &text);
    assert_int_equal(samples_parse(text.data, text.length, "what\nfor", &read), 0);
    assert_int_equal(read.count, 2);
    assert_int_equal(read.items[0].count, 2);
    assert_int_equal(read.items[0].items[1].count, 12);
    assert_string_equal(read.items[1].name, "evil\\nname\\x1b");
    assert_true(samples_series(&read, "evil\nname\x1b") == &read.items[1]);
    /* A series that is not used in a run is not written. */
    buf_clear(&text);
    samples_format(&read, "what\nfor", &text);
    assert_null(strstr(text.data, "leak"));
    samples_deinit(&samples);
    samples_deinit(&read);
    buf_deinit(&text);
}

static void expect_parse(const char *text, int result)
{
    struct samples samples;
    if (samples_parse(text, strlen(text), "x", &samples) != result)
        fail_msg("%s", text);
    if (result < 0)
        assert_null(samples.items);
    samples_deinit(&samples);
}

static void what_is_broken_or_foreign_is_told_apart(void **state)
{
    (void)state;
    expect_parse("tcpwhy.samples/1\nof x\n", 0);
    expect_parse("tcpwhy.samples/1\nof x\nseries a\n1 2\n3 4\n", 0);
    expect_parse("tcpwhy.samples/1\nof y\n", -EPERM);
    expect_parse("", -EBADMSG);
    expect_parse("tcpwhy.samples/2\nof x\n", -EBADMSG);
    expect_parse("tcpwhy.samples/1\n", -EBADMSG);
    expect_parse("tcpwhy.samples/1\nof x\nseries a\n1 2", -EBADMSG);
    expect_parse("tcpwhy.samples/1\nof x\n1 2\n", -EBADMSG);
    expect_parse("tcpwhy.samples/1\nof x\nseries a\n3 2\n3 4\n", -EBADMSG);
    expect_parse("tcpwhy.samples/1\nof x\nseries a\n3 -2\n", -EBADMSG);
    expect_parse("tcpwhy.samples/1\nof x\nseries a\n3\n", -EBADMSG);
    expect_parse("tcpwhy.samples/1\nof x\nseries a\n99999999999999999999 2\n", -EBADMSG);
    expect_parse("tcpwhy.samples/1\nof x\nseries \n", -EBADMSG);
    struct samples samples;
    static const char nul[] = "tcpwhy.samples/1\nof x\nseries a\0b\n";
    assert_int_equal(samples_parse(nul, sizeof nul - 1, "x", &samples), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_is_that_of_the_window),
        cmocka_unit_test(what_comes_and_goes_has_not_grown),
        cmocka_unit_test(too_short_a_time_tells_nothing),
        cmocka_unit_test(a_long_pause_is_the_window),
        cmocka_unit_test(samples_stay_few),
        cmocka_unit_test(a_clock_that_was_set_back_begins_anew),
        cmocka_unit_test(only_so_many_series),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(what_is_broken_or_foreign_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
