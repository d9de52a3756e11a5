#include "base/json_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/json.h"

/* The tokens of a document as letters: "{k n}" for {"a": 1}; "!" for invalid JSON. */
static const char *tokens_of(const char *text, size_t length)
{
    static const char letters[] = { [JSON_BAD] = '!',
        [JSON_DONE] = '.',
        [JSON_OBJECT] = '{',
        [JSON_OBJECT_END] = '}',
        [JSON_ARRAY] = '[',
        [JSON_ARRAY_END] = ']',
        [JSON_KEY] = 'k',
        [JSON_STRING] = 's',
        [JSON_NUMBER] = 'n',
        [JSON_TRUE] = 't',
        [JSON_FALSE] = 'f',
        [JSON_NULL] = '0' };
    static char shown[256];
    struct json_reader reader;
    json_reader_init(&reader);
    json_read(&reader, text, length);
    size_t count = 0;
    enum json_token token;
    do {
        token = json_next(&reader);
        shown[count++] = letters[token];
    } while (token != JSON_BAD && token != JSON_DONE && count < sizeof shown - 1);
    shown[count] = '\0';
    json_reader_deinit(&reader);
    return shown;
}

static void documents_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tokens;
    } rows[] = {
        { "{}", "{}." },
        { " [ ] ", "[]." },
        { "{\"a\":1,\"b\":[true,false,null,\"x\"],\"c\":{}}", "{knk[tf0s]k{}}." },
        { "-12.5e+3", "n." },
        { "0", "n." },
        { "\"\\u00e9\\ud83d\\ude00\\n\"", "s." },
        { "[[[]]]", "[[[]]]." },
        /* invalid JSON */
        { "", "!" },
        { "{", "{!" },
        { "[1,]", "[n!" },
        { "{\"a\":1,}", "{kn!" },
        { "{\"a\" 1}", "{!" },
        { "{1:2}", "{!" },
        { "[1 2]", "[n!" },
        { "[1}", "[n!" },
        { "01", "!" },
        { "1.", "!" },
        { "-", "!" },
        { ".5", "!" },
        { "tru", "!" },
        { "\"a", "!" },
        { "\"\\x\"", "!" },
        { "\"\\u12\"", "!" },
        { "\"\\u0000\"", "!" },
        { "\"\\ud800\"", "!" },
        { "\"\\udc41\"", "!" },
        { "\"\n\"", "!" },
        { "\"\xff\"", "!" },
        { "1 2", "n!" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char shown[300];
        snprintf(shown, sizeof shown, "%s", tokens_of(rows[i].text, strlen(rows[i].text)));
        if (strcmp(shown, rows[i].tokens) != 0)
            print_error("%s\n", rows[i].text);
        assert_string_equal(shown, rows[i].tokens);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char deep[100];
    memset(deep, '[', sizeof deep);
    const char *tokens = tokens_of(deep, sizeof deep);
    assert_int_equal(strlen(tokens), JSON_DEPTH_MAX + 1);
    assert_int_equal(tokens[JSON_DEPTH_MAX], '!');
}

static void numbers_say_whether_they_fit(void **state)
{
    (void)state;
    struct json_reader reader;
    json_reader_init(&reader);
    static const struct {
        const char *text;
        uint64_t number;
        bool whole, negative;
    } rows[] = {
        { "18446744073709551615", UINT64_MAX, true, false },
        { "18446744073709551616", 0, false, false },
        { "-7", 7, true, true },
        { "1.0", 0, false, false },
        { "1e3", 0, false, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_read(&reader, rows[i].text, strlen(rows[i].text));
        assert_int_equal(json_next(&reader), JSON_NUMBER);
        assert_int_equal(reader.whole, rows[i].whole);
        assert_int_equal(reader.negative, rows[i].negative);
        if (rows[i].whole)
            assert_true(reader.number == rows[i].number);
    }
    json_reader_deinit(&reader);
}

/* The bytes of a process name come back unchanged, whatever they are. */
static void strings_of_any_bytes_come_back(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "nginx", "a\"b\\c/\b\f\n\r\t\x01\x7f", "Grüße 日本語 😀", "\xff\xfe",
        "half \xc3", "\xed\xa0\x80", "\xe2\x80\xae", "\xf3\xa0\x80\x81", "\\udcff" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        struct json json;
        json_begin(&json, out, true);
        json.keeps_bytes = true;
        json_string(&json, texts[i]);
        assert_int_equal(json_end(&json), 0);
        fclose(out);
        struct json_reader reader;
        json_reader_init(&reader);
        json_read(&reader, text, size);
        assert_int_equal(json_next(&reader), JSON_STRING);
        assert_int_equal(reader.length, strlen(texts[i]));
        assert_memory_equal(reader.text, texts[i], reader.length);
        assert_int_equal(json_next(&reader), JSON_DONE);
        json_reader_deinit(&reader);
        free(text);
    }
}

static void values_are_skipped_whole(void **state)
{
    (void)state;
    const char *text = "{\"a\":{\"b\":[1,{\"c\":2}]},\"d\":3}";
    struct json_reader reader;
    json_reader_init(&reader);
    json_read(&reader, text, strlen(text));
    assert_int_equal(json_next(&reader), JSON_OBJECT);
    assert_int_equal(json_next(&reader), JSON_KEY);
    assert_true(json_skip(&reader, json_next(&reader)));
    assert_int_equal(json_next(&reader), JSON_KEY);
    assert_true(json_text_is(&reader, "d"));
    assert_true(json_skip(&reader, json_next(&reader)));
    assert_int_equal(json_next(&reader), JSON_OBJECT_END);
    json_read(&reader, "[1,", 3);
    assert_false(json_skip(&reader, json_next(&reader)));
    json_reader_deinit(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_taken_apart),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(numbers_say_whether_they_fit),
        cmocka_unit_test(strings_of_any_bytes_come_back),
        cmocka_unit_test(values_are_skipped_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
