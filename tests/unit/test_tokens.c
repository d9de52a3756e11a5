/* Tokens found eight bytes at a time, compared with tokens found byte by byte. */
#include "unit.h"

#include <stdlib.h>

#include "source/text/tokens.h"

static unsigned split_slowly(const char *text, size_t length, struct token *words, unsigned most, const char **ret_rest)
{
    unsigned count = 0;
    const char *end = text + length;
    words[0] = (struct token){ .text = text };
    for (;; count++) {
        while (text < end && (unsigned char)*text <= ' ')
            text++;
        if (text == end || count == most)
            break;
        words[count].text = text;
        while (text < end && (unsigned char)*text > ' ')
            text++;
        words[count].length = (size_t)(text - words[count].text);
    }
    *ret_rest = text;
    return count;
}

/* The text ends where its memory ends, so that the sanitizer notices a read beyond it. */
static void compare(const char *text, size_t length, unsigned most)
{
    enum { WORDS_MAX = 80 };
    struct token found[WORDS_MAX], wanted[WORDS_MAX];
    const char *rest, *wanted_rest;
    char *exact = malloc(length + 1);
    assert_non_null(exact);
    memcpy(exact, text, length);
    exact[length] = '\0';
    unsigned count = tokens_split(exact, length, found, most, &rest);
    assert_int_equal(count, split_slowly(exact, length, wanted, most, &wanted_rest));
    assert_ptr_equal(rest, wanted_rest);
    for (unsigned i = 0; i < count || i == 0; i++) {
        assert_ptr_equal(found[i].text, wanted[i].text);
        if (count > 0)
            assert_int_equal(found[i].length, wanted[i].length);
    }
    free(exact);
}

static void every_length(void **state)
{
    (void)state;
    enum { LONGEST = 140 };
    char text[LONGEST];
    for (size_t length = 0; length <= LONGEST; length++) {
        memset(text, ' ', sizeof text);
        compare(text, length, 4);
        memset(text, 'x', sizeof text);
        compare(text, length, 4);
        for (size_t at = 0; at < length; at++) { /* one blank, then one word */
            memset(text, 'x', sizeof text);
            text[at] = '\t';
            compare(text, length, 4);
            memset(text, ' ', sizeof text);
            text[at] = '\xff';
            compare(text, length, 1);
        }
    }
}

/*
 * Bytes at each boundary: control characters, ' ' and '!', 0x7f, and bytes beyond ASCII, where an addition could carry.
 */
static void every_byte(void **state)
{
    (void)state;
    static const char bytes[] = "\x01\t\x1f !~\x7f\x80\x81\xa0\xdf\xe0\xff";
    uint64_t random = 1;
    for (unsigned round = 0; round < 20000; round++) {
        char text[150] = "";
        size_t length = round % sizeof text;
        for (size_t i = 0; i < length; i++) {
            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            text[i] = bytes[(random >> 33) % (sizeof bytes - 1)];
        }
        compare(text, length, 1 + round % 79);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),
        cmocka_unit_test(every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
