#include "base/csv.h"

#include "unit.h"

static void cells_are_quoted_escaped_and_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
    } rows[] = {
        { "", "" },
        { "nginx", "nginx" },
        { "a,b", "\"a,b\"" },
        { "say \"no\"", "\"say \"\"no\"\"\"" },
        { "two\nlines\r", "two\\nlines\\r" },
        { "\tx", "\\tx" },
        { " x", "\" x\"" },
        { "x ", "\"x \"" },
        { "Grüße", "Grüße" },
        { "\xff", "\\xff" },
        { "\033[31m", "\\x1b[31m" },
        { "=1+1", "'=1+1" },
        { "+1", "'+1" },
        { "-1", "'-1" },
        { "@SUM(A1)", "'@SUM(A1)" },
        { "  =1,2", "\"'  =1,2\"" },
        { "a=1", "a=1" },
        { "   ", "\"   \"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = { 0 };
        csv_text(&out, rows[i].text);
        assert_string_equal(buf_text(&out), rows[i].cell);
        buf_deinit(&out);
    }
}

static void records_end_with_return_and_newline(void **state)
{
    (void)state;
    struct buf out = { 0 };
    csv_end_record(&out);
    assert_string_equal(buf_text(&out), "\r\n");
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_quoted_escaped_and_harmless),
        cmocka_unit_test(records_end_with_return_and_newline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
