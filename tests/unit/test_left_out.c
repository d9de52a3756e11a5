/* Signs that a text was shortened, and lines that only look like them. */
#include "source/capture/left_out.h"

#include <string.h>

#include "unit.h"

static struct left_out noted(const char *text)
{
    char copy[256];
    struct left_out left_out = { 0 };
    size_t length = strlen(text);
    memcpy(copy, text, length + 1);
    left_out_note(&left_out, &(struct line){ .text = copy, .length = length, .number = 7 });
    return left_out;
}

static void marks(void **state)
{
    (void)state;
    static const char *const texts[] = { "...", "  ......", "\u2026", "[...]", ". . .", "<snip>", "---snip---",
        "[very long list]", "and so on", "etc.", "(truncated)", "... 4000 more lines ...", "[output truncated]",
        "# many more", "*** lines omitted ***" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct left_out left_out = noted(texts[i]);
        if (left_out.marks != 1 || left_out.line != 7)
            fail_msg("no mark: %s", texts[i]);
    }
}

static void no_marks(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "   ", ".", "..", "---------", "=====", "$ ss -tan", "--More--",
        "Active connections", "\u0410\u043a\u0442\u0438\u0432\u043d\u044b\u0435", "tcp  0  0 10.0.0.5:80", "(-)",
        "It hangs and so on the next day I looked again, and then the whole machine did not answer any more." };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (noted(texts[i]).marks != 0)
            fail_msg("a mark: %s", texts[i]);
    }
}

static void commands(void **state)
{
    (void)state;
    assert_int_equal(noted("# netstat -tan | head -20").rows_max, 20);
    assert_int_equal(noted("$ ss -tan|head -n 5").rows_max, 5);
    assert_int_equal(noted("$ ss -tan | tail").rows_max, 10);
    assert_int_equal(noted("PS> Get-NetTCPConnection | Select-Object -First 30").rows_max, 30);
    assert_int_equal(noted("$ netstat -tan | grep CLOSE_WAIT").rows_max, 0);
    assert_int_equal(noted("the head of the table").rows_max, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks),
        cmocka_unit_test(no_marks),
        cmocka_unit_test(commands),
    };
    return cmocka_run_group_tests_name("left_out", tests, NULL, NULL);
}
