#include "base/range.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* The table of the Monitoring Plugins Development Guidelines, with values at and near the ends. */
static void ranges_alert_as_the_guidelines_say(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *alerts; /* at these values */
        const char *quiet;
    } rows[] = {
        { "10", "-1 -0.001 10.001 11 1000000000000", "0 0.5 9 10" },
        { "10:", "-5 0 9 9.999", "10 10.001 11 1e300" },
        { "~:10", "10.001 11", "-1e300 -1 0 10" },
        { "10:20", "9 9.999 20.001 21 -15", "10 15 20" },
        { "@10:20", "10 15 20", "9.999 20.001 -15 0" },
        { "@10", "0 5 10", "-0.001 10.001" },
        { "@10:", "10 11 1e300", "9.999 -1" },
        { "@~:10", "-1e300 0 10", "10.001" },
        { ":10", "-1 11", "0 10" },
        { "~:", "", "-1e300 0 1e300" },
        { "@~:", "-1e300 0 1e300", "" },
        { "0", "1 -1 0.001", "0" },
        { "@0", "0", "1 -1" },
        { "0:", "-1 -0.001", "0 1" },
        { "5:5", "4 6 5.001", "5" },
        { "-10:10", "-10.5 10.5", "-10 0 10" },
        { "-20:-10", "0 -9 -21", "-20 -15 -10" },
        { "~:-1", "0 -0.5", "-1 -2" },
        { "1.5:2.5", "1.49 2.51", "1.5 2 2.5" },
        { ".5", "0.6", "0.5 0" },
        { "5.", "6", "5" },
        { "+3", "4", "3" },
        { "007", "8", "7" },
        { "18446744073709551616", "-1", "18446744073709551615" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct range range;
        struct error err = { 0 };
        if (range_parse(rows[i].text, &range, &err) != 0)
            fail_msg("%s: %s", rows[i].text, err.message);
        assert_string_equal(range.text, rows[i].text);
        for (int alert = 0; alert < 2; alert++) {
            const char *at = alert ? rows[i].alerts : rows[i].quiet;
            while (*at != '\0') {
                char *end;
                double value = strtod(at, &end);
                if (range_alerts(&range, value) != (bool)alert)
                    fail_msg("%s at %g", rows[i].text, value);
                at = end;
            }
        }
    }
}

static void what_is_no_range_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "@", "~", "@~", ":", "@:", "10:20:30", "10::", "~10", "10~", "~:~", "a",
        "10a", "a:10", "10:b", " 10", "10 ", "1e3", "0x10", "inf", "nan", "-", "+", ".", "--1", "1,5", "10%", "@@10",
        "10@", "20:10", "0:-1", "-5", "~:-", "1:2.3.4",
        "1234567890123456789012345678901234567890123456789012345678901234" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct range range;
        struct error err = { 0 };
        if (range_parse(texts[i], &range, &err) != -EINVAL)
            fail_msg("'%s' was taken", texts[i]);
        assert_true(err.message[0] != '\0');
    }
    struct error err = { 0 };
    struct range range;
    range_parse("20:10", &range, &err);
    assert_string_equal(err.subject, "20:10");
    assert_non_null(strstr(err.message, "ends before it begins"));
}

static void a_refused_range_leaves_the_old_one(void **state)
{
    (void)state;
    struct range range;
    assert_int_equal(range_parse("1:2", &range, NULL), 0);
    assert_int_equal(range_parse("2:1", &range, NULL), -EINVAL);
    assert_true(range.start == 1 && range.end == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_alert_as_the_guidelines_say),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(a_refused_range_leaves_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
