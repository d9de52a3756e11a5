#include "report/plugin.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* The printed text. The caller frees it. */
static char *printed(const struct plugin *plugin, enum plugin_status status)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    assert_int_equal(plugin_write(plugin, status, out), 0);
    fclose(out);
    return text;
}

static void expect(struct plugin *plugin, enum plugin_status status, const char *expected)
{
    char *text = printed(plugin, status);
    assert_string_equal(text, expected);
    free(text);
    plugin_deinit(plugin);
}

static void the_line_has_its_form(void **state)
{
    (void)state;
    struct plugin plugin = { 0 };
    plugin_say(&plugin, "%d leaks", 2);
    plugin_say(&plugin, " and more");
    expect(&plugin, PLUGIN_CRITICAL, "TCPWHY CRITICAL - 2 leaks and more\n");

    plugin = (struct plugin){ 0 };
    plugin_say(&plugin, "well");
    plugin_add_line(&plugin, "first");
    plugin_add_line(&plugin, "second");
    plugin_measure(&plugin, &(struct plugin_measure){ .label = "n", .unit = "", .value = 3, .least = "0" });
    expect(&plugin, PLUGIN_OK, "TCPWHY OK - well | n=3;;;0\nfirst\nsecond\n");
    expect(&(struct plugin){ 0 }, PLUGIN_UNKNOWN, "TCPWHY UNKNOWN - \n");
}

static void nothing_breaks_the_form(void **state)
{
    (void)state;
    struct plugin plugin = { 0 };
    plugin_say(&plugin, "%s", "a|b\nc\x1b[31m\td\xff");
    plugin_add_line(&plugin, "%s", "e|f\ng");
    expect(&plugin, PLUGIN_WARNING, "TCPWHY WARNING - a\\x7cb\\nc\\x1b[31m\\td\\xff\ne\\x7cf\\ng\n");
}

static void measures_are_quoted_and_short(void **state)
{
    (void)state;
    static const struct {
        const char *label, *unit, *warning, *critical, *least, *most;
        double value;
        const char *expected;
    } rows[] = {
        { "plain", "", NULL, NULL, NULL, NULL, 7, "plain=7" },
        { "two words", "", NULL, NULL, NULL, NULL, 7, "'two words'=7" },
        { "it's", "", NULL, NULL, NULL, NULL, 7, "'it''s'=7" },
        { "a=b|c;d", "", NULL, NULL, NULL, NULL, 7, "'a_b_c_d'=7" },
        { "a\nb", "", NULL, NULL, NULL, NULL, 7, "'a\\nb'=7" },
        { "", "", NULL, NULL, NULL, NULL, 7, "''=7" },
        { "h\xc3\xa4nger", "", NULL, NULL, NULL, NULL, 7, "'h\xc3\xa4nger'=7" },
        { "all", "s", "10:20", "@5", "0", "60", 1.5, "all=1.5s;10:20;@5;0;60" },
        { "crit", "%", NULL, "~:10", NULL, NULL, 0, "crit=0%;;~:10" },
        { "min", "", NULL, NULL, "0", NULL, 1e15, "min=1000000000000000;;;0" },
        { "max", "B", NULL, NULL, NULL, "5", -2, "max=-2B;;;;5" },
        { "third", "", NULL, NULL, NULL, NULL, 1.0 / 3, "third=0.3333" },
        { "tiny", "", NULL, NULL, NULL, NULL, 1e-9, "tiny=0" },
        { "loss", "", NULL, NULL, NULL, NULL, -1e-9, "loss=0" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct range warning, critical;
        if (rows[i].warning != NULL)
            assert_int_equal(range_parse(rows[i].warning, &warning, NULL), 0);
        if (rows[i].critical != NULL)
            assert_int_equal(range_parse(rows[i].critical, &critical, NULL), 0);
        struct plugin plugin = { 0 };
        plugin_measure(&plugin,
            &(struct plugin_measure){ .label = rows[i].label,
                .unit = rows[i].unit,
                .value = rows[i].value,
                .warning = rows[i].warning ? &warning : NULL,
                .critical = rows[i].critical ? &critical : NULL,
                .least = rows[i].least,
                .most = rows[i].most });
        assert_string_equal(buf_text(&plugin.measures), rows[i].expected);
        plugin_deinit(&plugin);
    }
}

/* Nagios stops reading at some length. The text is cut between lines before that, and the performance data stays. */
static void it_is_never_too_long(void **state)
{
    (void)state;
    struct plugin plugin = { 0 };
    for (int i = 0; i < 500; i++) {
        plugin_say(&plugin, "\xc3\xa4");
        plugin_add_line(&plugin, "line %d with some words in it", i);
    }
    plugin_measure(&plugin, &(struct plugin_measure){ .label = "n", .unit = "", .value = 3 });
    char *text = printed(&plugin, PLUGIN_OK);
    assert_true(strlen(text) <= 8192 - 100);
    assert_non_null(strstr(text, "\xc3\xa4... | n=3\nline 0 with some words in it\n"));
    assert_string_equal(text + strlen(text) - 4 - strlen(" in it\n"), " in it\n...\n");
    free(text);
    plugin_deinit(&plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_has_its_form),
        cmocka_unit_test(nothing_breaks_the_form),
        cmocka_unit_test(measures_are_quoted_and_short),
        cmocka_unit_test(it_is_never_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
