/* The writer of metrics and the table of families. */
#include "report/metrics/openmetrics.h"

#include <errno.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "report/metrics/metrics.h"
#include "unit.h"
#include "report/metrics/families.h"

static const struct metric_family gauge = { "t_things", METRIC_GAUGE, NULL, { "kind", "name" }, "Things." };
static const struct metric_family other_gauge = { "t_age_seconds", METRIC_GAUGE, "seconds", { 0 }, "Age." };
static const struct metric_family counter = { "t_events", METRIC_COUNTER, NULL, { "kind" }, "Events." };
static const struct metric_family same_name = { "t_things", METRIC_GAUGE, NULL, { 0 }, "Others." };

static void write_some(struct openmetrics *metrics)
{
    openmetrics_family(metrics, &gauge);
    openmetrics_uint(metrics, (const char *const[]){ "a", "b" }, 3);
    openmetrics_uint(metrics, (const char *const[]){ "a", NULL }, UINT64_MAX);
    openmetrics_family(metrics, &other_gauge);
    openmetrics_ms(metrics, NULL, 61005);
    openmetrics_family(metrics, &counter);
    openmetrics_uint(metrics, (const char *const[]){ "x" }, 0);
}

static void expect(enum metrics_dialect dialect, const char *expected)
{
    struct buf text = { 0 };
    struct openmetrics metrics;
    openmetrics_begin(&metrics, dialect, &text);
    write_some(&metrics);
    assert_int_equal(openmetrics_end(&metrics, NULL), 0);
    assert_string_equal(buf_text(&text), expected);
    buf_deinit(&text);
}

static void the_dialects_name_counters_differently(void **state)
{
    (void)state;
    expect(METRICS_OPENMETRICS,
        "# TYPE t_things gauge\n# HELP t_things Things.\n"
        "t_things{kind=\"a\",name=\"b\"} 3\nt_things{kind=\"a\",name=\"\"} 18446744073709551615\n"
        "# TYPE t_age_seconds gauge\n# UNIT t_age_seconds seconds\n# HELP t_age_seconds Age.\nt_age_seconds 61.005\n"
        "# TYPE t_events counter\n# HELP t_events Events.\nt_events_total{kind=\"x\"} 0\n"
        "# EOF\n");
    expect(METRICS_PROMETHEUS,
        "# TYPE t_things gauge\n# HELP t_things Things.\n"
        "t_things{kind=\"a\",name=\"b\"} 3\nt_things{kind=\"a\",name=\"\"} 18446744073709551615\n"
        "# TYPE t_age_seconds gauge\n# HELP t_age_seconds Age.\nt_age_seconds 61.005\n"
        "# TYPE t_events_total counter\n# HELP t_events_total Events.\nt_events_total{kind=\"x\"} 0\n");
}

static void a_family_without_samples_has_its_head(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct openmetrics metrics;
    openmetrics_begin(&metrics, METRICS_OPENMETRICS, &text);
    openmetrics_family(&metrics, &gauge);
    openmetrics_family(&metrics, &other_gauge);
    openmetrics_ratio(&metrics, NULL, 1, 0);
    assert_int_equal(openmetrics_end(&metrics, NULL), 0);
    assert_string_equal(buf_text(&text),
        "# TYPE t_things gauge\n# HELP t_things Things.\n"
        "# TYPE t_age_seconds gauge\n# UNIT t_age_seconds seconds\n# HELP t_age_seconds Age.\n# EOF\n");
    buf_deinit(&text);
}

static void numbers(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct openmetrics metrics;
    openmetrics_begin(&metrics, METRICS_PROMETHEUS, &text);
    openmetrics_family(&metrics, &gauge);
    openmetrics_ratio(&metrics, (const char *const[]){ "1", "" }, 1, 3);
    openmetrics_ratio(&metrics, (const char *const[]){ "2", "" }, 28232, 28232);
    openmetrics_ratio(&metrics, (const char *const[]){ "3", "" }, 5, 2);
    openmetrics_us(&metrics, (const char *const[]){ "4", "" }, 1000001);
    assert_int_equal(openmetrics_end(&metrics, NULL), 0);
    assert_non_null(strstr(buf_text(&text), "{kind=\"1\",name=\"\"} 0.333333\n"));
    assert_non_null(strstr(buf_text(&text), "{kind=\"2\",name=\"\"} 1.000000\n"));
    assert_non_null(strstr(buf_text(&text), "{kind=\"3\",name=\"\"} 2.500000\n"));
    assert_non_null(strstr(buf_text(&text), "{kind=\"4\",name=\"\"} 1.000001\n"));
    buf_deinit(&text);
}

/* A label that contains parts of the format must not change it. */
static void label_values_are_escaped(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct openmetrics metrics;
    openmetrics_begin(&metrics, METRICS_OPENMETRICS, &text);
    openmetrics_family(&metrics, &gauge);
    openmetrics_uint(&metrics, (const char *const[]){ "a\"} 1\nt_x 2", "\\" }, 1);
    openmetrics_uint(&metrics, (const char *const[]){ "a\"} 1\nt_x 2", "\\ " }, 1);
    assert_int_equal(openmetrics_end(&metrics, NULL), 0);
    assert_non_null(strstr(buf_text(&text), "\nt_things{kind=\"a\\\"} 1\\nt_x 2\",name=\"\\\\\"} 1\n"));
    assert_non_null(strstr(buf_text(&text), "\nt_things{kind=\"a\\\"} 1\\nt_x 2\",name=\"\\\\ \"} 1\n"));
    buf_deinit(&text);
}

static void labels_from_outside(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_string_equal(openmetrics_label(&arena, "nginx: worker"), "nginx: worker");
    assert_string_equal(openmetrics_label(&arena, "\033[31m\n\xff\xe2\x80\xae"), "\\x1b[31m\\n\\xff\\u{202e}");
    char text[200];
    memset(text, 'x', sizeof text);
    text[64] = '\0';
    assert_string_equal(openmetrics_label(&arena, text), text);
    text[64] = 'x';
    text[65] = '\0';
    const char *cut = openmetrics_label(&arena, text);
    assert_int_equal(strlen(cut), LABEL_BYTES_MAX);
    assert_string_equal(cut + LABEL_BYTES_MAX - 3, "…");
    for (size_t i = 0; i + 1 < sizeof text; i += 2) /* two bytes each: the 61st byte is in the middle of a character */
        memcpy(text + i, "ü", 2);
    text[sizeof text - 2] = '\0';
    cut = openmetrics_label(&arena, text);
    assert_int_equal(strlen(cut), 60 + 3);
    assert_string_equal(cut + 58, "ü…");
    arena_deinit(&arena);
}

static void a_series_is_written_once(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    struct buf text = { 0 };
    struct openmetrics metrics;
    struct error err;
    openmetrics_begin(&metrics, METRICS_OPENMETRICS, &text);
    openmetrics_family(&metrics, &gauge);
    char number[16];
    const char *const labels[] = { "same", number };
    for (unsigned i = 0; i < MANY; i++) { /* the hash grows */
        snprintf(number, sizeof number, "%u", i);
        openmetrics_uint(&metrics, labels, i);
    }
    assert_false(metrics.refused);
    size_t length = text.length;
    snprintf(number, sizeof number, "%u", 1234U);
    openmetrics_uint(&metrics, labels, 99);
    openmetrics_uint(&metrics, (const char *const[]){ "same", "1235" }, 99);
    assert_int_equal(text.length, length);
    assert_int_equal(openmetrics_end(&metrics, &err), -EEXIST);
    assert_string_equal(err.subject, "t_things{kind=\"same\",name=\"1234\"}"); /* the first */
    buf_deinit(&text);
}

static void a_family_is_written_once_and_in_one_piece(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct openmetrics metrics;
    struct error err;
    openmetrics_begin(&metrics, METRICS_OPENMETRICS, &text);
    write_some(&metrics);
    size_t length = text.length;
    openmetrics_family(&metrics, &gauge); /* again, after another one */
    openmetrics_uint(&metrics, (const char *const[]){ "new", "" }, 1);
    openmetrics_family(&metrics, &same_name);
    openmetrics_uint(&metrics, NULL, 1);
    assert_int_equal(text.length, length);
    assert_int_equal(openmetrics_end(&metrics, &err), -EEXIST);
    assert_string_equal(err.subject, "t_things");
    buf_deinit(&text);
}

/* --- the table of families -------------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    if (!islower((unsigned char)*name))
        return false;
    for (; *name != '\0'; name++) {
        if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
            return false;
    }
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void check_family(const struct metric_family *family)
{
    static const char *const reserved[] = { "_total", "_created", "_count", "_sum", "_bucket" };
    bool is_good = is_name(family->name) && strncmp(family->name, "tcpwhy_", 7) == 0;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        is_good &= !ends_with(family->name, reserved[i]);
    if (family->unit != NULL)
        is_good &= ends_with(family->name, family->unit);
    for (unsigned i = 0; i < METRIC_LABELS_MAX && family->labels[i] != NULL; i++)
        is_good &= is_name(family->labels[i]) && strncmp(family->labels[i], "__", 2) != 0;
    is_good &= strpbrk(family->help, "\"\\\n") == NULL && ends_with(family->help, ".");
    if (!is_good)
        fail_msg("%s breaks a convention", family->name);
}

static void families_keep_to_the_conventions(void **state)
{
    (void)state;
    size_t count = 0;
    const struct metric_family *family, *other;
    for (; (family = metrics_family_at(count)) != NULL; count++) {
        check_family(family);
        for (size_t i = 0; i < count && (other = metrics_family_at(i)) != NULL; i++)
            assert_string_not_equal(family->name, other->name);
    }
    assert_in_range(count, 20, METRIC_FAMILIES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dialects_name_counters_differently),
        cmocka_unit_test(a_family_without_samples_has_its_head),
        cmocka_unit_test(numbers),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(labels_from_outside),
        cmocka_unit_test(a_series_is_written_once),
        cmocka_unit_test(a_family_is_written_once_and_in_one_piece),
        cmocka_unit_test(families_keep_to_the_conventions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
