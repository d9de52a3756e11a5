#include "report/terminal/markdown.h"

#include <string.h>

#include "base/text.h"
#include "knowledge/knowledge.h"
#include "unit.h"

static void expect_render(const char *markdown, struct report_style style, const char *expected)
{
    struct buf out = { 0 };
    assert_int_equal(markdown_render(markdown, &style, &out), 0);
    assert_string_equal(buf_text(&out), expected);
    buf_deinit(&out);
}

static const struct report_style plain = { .width = 60 };
static const struct report_style fancy = { .width = 60, .utf8 = true, .colour = true };

static void paragraphs_and_headings(void **state)
{
    (void)state;
    expect_render("# Title\n\nOne *two* **three** `four five` and so on until the line is\nfull.\n\n"
                  "## Section\n\nText.\n\n### Part\n\nMore.\n",
        plain,
        "Title\n"
        "=====\n"
        "\n"
        "  One two three `four five` and so on until the line is\n"
        "  full.\n"
        "\n"
        "Section\n"
        "  Text.\n"
        "\n"
        "  Part\n"
        "  More.\n");
}

static void lists_within_lists(void **state)
{
    (void)state;
    expect_render("Before:\n\n- one item that is long enough to be wrapped to a second line\n  - inner\n- two\n\n"
                  "9. nine\n10. ten\n\nAfter.\n",
        plain,
        "  Before:\n"
        "\n"
        "  - one item that is long enough to be wrapped to a second\n"
        "    line\n"
        "    - inner\n"
        "  - two\n"
        "\n"
        "  9. nine\n"
        "  10. ten\n"
        "\n"
        "  After.\n");
    expect_render("- loose\n\n- items\n\n      code\n", plain,
        "  - loose\n"
        "\n"
        "  - items\n"
        "\n"
        "      code\n");
}

static void quotes_rules_and_code(void **state)
{
    (void)state;
    expect_render("> said\n> so\n\n```c\nint a;\n\n\treturn;\n```\n\n---\n", plain,
        "  > said so\n"
        "\n"
        "    int a;\n"
        "\n"
        "        return;\n"
        "\n"
        "  ----------------------------------------------------------\n");
}

static void links_show_their_address(void **state)
{
    (void)state;
    expect_render("See [the RFC](https://rfc.example/9293), <https://a.example>.\n", plain,
        "  See the RFC <https://rfc.example/9293>, https://a.example.\n");
}

static void tables_fit_the_width(void **state)
{
    (void)state;
    expect_render("| State | What it is | n |\n|---|---|--:|\n"
                  "| A | short | 1 |\n| BB | a cell that is far too long for one line of sixty columns | 200 |\n",
        plain,
        "  State  What it is                                        n\n"
        "  -----  ----------------------------------------------  ---\n"
        "  A      short                                             1\n"
        "  BB     a cell that is far too long for one line of     200\n"
        "         sixty columns\n");
}

static void colours_only_when_asked(void **state)
{
    (void)state;
    expect_render("**a** `b`\n", fancy, "  \033[1ma\033[0m \033[36mb\033[0m\n");
    /* A style ends at the end of a line and begins again on the next. */
    expect_render("**aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbb c**\n", fancy,
        "  \033[1maaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\033[0m\n  \033[1mbbbbbbbbbbbbbbbbbbbbbbb "
        "c\033[0m\n");
    /* The inner style ends, the outer one continues. */
    expect_render("**a *b* c**\n", fancy, "  \033[1ma \033[3mb\033[0m\033[1m c\033[0m\n");
}

static void ascii_where_there_is_no_utf8(void **state)
{
    (void)state;
    struct report_style style = { .width = 60, .utf8 = true };
    expect_render("- ½ – “x” → ≥ Ö 日\n", style, "  • ½ – “x” → ≥ Ö 日\n");
    expect_render("- ½ – “x” → ≥ Ö 日\n", plain, "  - 1/2 - \"x\" -> >= \\u{d6} \\u{65e5}\n");
}

static void hostile_characters_are_escaped(void **state)
{
    (void)state;
    static const char *const hostile[] = {
        "a\033[31mb",
        "# a\033[31mb",
        "`a\033]0;x\007b`",
        "```\na\033[31mb\x01\x05\n```",
        "| a\033[31m |\n|---|\n| \x02\x03\x04 |",
        "[a](http://x\033[31m/)",
        "`a \x06 b`",
        ("> \xc2\x9b"
         "31m \xe2\x80\xae"),
        "&#27;[31m &esc; \xff\xfe",
        "- \x05\x05\x05 **\x01**",
    };
    const struct report_style styles[] = { { .width = 60 }, { .width = 60, .utf8 = true } };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        for (size_t j = 0; j < 2; j++) {
            struct buf out = { 0 };
            assert_int_equal(markdown_render(hostile[i], &styles[j], &out), 0);
            assert_true(out.length > 0);
            for (const char *c = buf_text(&out); *c != '\0'; c++)
                assert_true(*c == '\n' || ((unsigned char)*c >= 0x20 && *c != 0x7f));
            assert_null(strstr(buf_text(&out), "\xc2\x9b"));
            assert_null(strstr(buf_text(&out), "\xe2\x80\xae"));
            buf_deinit(&out);
        }
    }
    expect_render("a\033[31mb", fancy, "  a\\x1b[31mb\n");
}

static void depth_and_narrowness_do_no_harm(void **state)
{
    (void)state;
    struct buf markdown = { 0 }, out = { 0 };
    buf_repeat(&markdown, "> ", 200);
    buf_str(&markdown, "quoted\n\n");
    for (size_t depth = 0; depth < 60; depth++) {
        buf_repeat(&markdown, "  ", depth);
        buf_str(&markdown, "- item\n");
    }
    buf_repeat(&markdown, "**_", 500);
    buf_str(&markdown, "x\n\n|");
    buf_repeat(&markdown, " word |", 100);
    buf_str(&markdown, "\n|");
    buf_repeat(&markdown, "---|", 100);
    buf_str(&markdown, "\n\n[](x) - \n1.\n\n```\nnever closed");
    const struct report_style narrow = { .width = 1, .utf8 = true, .colour = true };
    assert_int_equal(markdown_render(buf_text(&markdown), &narrow, &out), 0);
    assert_non_null(strstr(buf_text(&out), "never closed"));
    buf_clear(&out);
    assert_int_equal(markdown_render("", &plain, &out), 0);
    assert_string_equal(buf_text(&out), "");
    buf_deinit(&markdown);
    buf_deinit(&out);
}

/* --- all pages, at several widths ----------------------------------------------------------------------- */

static void without_code_blocks(const char *text, struct buf *out)
{
    bool in_code = false;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        length += text[length] == '\n';
        bool fence = strncmp(text, "```", 3) == 0;
        if (!in_code && !fence)
            buf_add(out, text, length);
        in_code ^= fence;
        text += length;
    }
}

static void expect_lines_within(const char *text, const struct report_style *style, const char *page)
{
    while (*text != '\0') {
        struct buf line = { 0 };
        for (; *text != '\0' && *text != '\n'; text++) {
            if (*text == '\033') {
                assert_true(style->colour);
                text += strcspn(text, "m");
            } else {
                assert_true(style->utf8 || (unsigned char)*text < 0x80);
                buf_char(&line, *text);
            }
        }
        if (text_width(buf_text(&line)) > style->width)
            fail_msg("%s, width %u: %s", page, style->width, buf_text(&line));
        assert_true(line.length == 0 || line.data[line.length - 1] != ' ');
        buf_deinit(&line);
        text += *text == '\n';
    }
}

static void no_page_exceeds_the_width(void **state)
{
    (void)state;
    const unsigned widths[] = { 60, 80, 120 };
    size_t count;
    const struct page *pages = knowledge_pages(&count);
    for (size_t i = 0; i < count; i++) {
        struct buf markdown = { 0 };
        without_code_blocks(pages[i].text, &markdown);
        for (size_t j = 0; j < sizeof widths / sizeof *widths * 4; j++) {
            const struct report_style style = { .width = widths[j / 4], .utf8 = j & 1, .colour = j & 2 };
            struct buf out = { 0 };
            assert_int_equal(markdown_render(buf_text(&markdown), &style, &out), 0);
            expect_lines_within(buf_text(&out), &style, pages[i].name);
            buf_deinit(&out);
        }
        buf_deinit(&markdown);
    }
}

static void long_words_are_cut_and_code_is_not(void **state)
{
    (void)state;
    expect_render("https://example.org/a/very/long/path/that/does/not/fit/into/the/line\n", plain,
        "  https://example.org/a/very/long/path/that/does/not/fit/\n"
        "  into/the/line\n");
    /* Code in a text stays on one line, so that it can be copied. If it does not fit, it is broken at a space. */
    expect_render("This is what shows it best: `tcpwhy count --state close-wait`, and more.\n", plain,
        "  This is what shows it best:\n"
        "  `tcpwhy count --state close-wait`, and more.\n");
    expect_render("`netsh int ipv4 set dynamicport tcp start=10000 num=55535 store=persistent`\n", plain,
        "  `netsh int ipv4 set dynamicport tcp start=10000 num=55535\n"
        "  store=persistent`\n");
    expect_render("`netsh int ipv4 set dynamicport tcp start=10000 num=55535 store=persistent`\n", fancy,
        "  \033[36mnetsh int ipv4 set dynamicport tcp start=10000 num=55535\033[0m\n"
        "  \033[36mstore=persistent\033[0m\n");
    expect_render("```\naaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccc\n```\n", plain,
        "    aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccc\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paragraphs_and_headings),
        cmocka_unit_test(lists_within_lists),
        cmocka_unit_test(quotes_rules_and_code),
        cmocka_unit_test(links_show_their_address),
        cmocka_unit_test(tables_fit_the_width),
        cmocka_unit_test(colours_only_when_asked),
        cmocka_unit_test(ascii_where_there_is_no_utf8),
        cmocka_unit_test(hostile_characters_are_escaped),
        cmocka_unit_test(depth_and_narrowness_do_no_harm),
        cmocka_unit_test(no_page_exceeds_the_width),
        cmocka_unit_test(long_words_are_cut_and_code_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
