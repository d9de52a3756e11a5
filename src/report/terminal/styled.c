#include "report/terminal/styled.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "report/terminal/ascii.h"

static const char *const colours[] = {
    [STYLED_STRONG] = "\033[1m",
    [STYLED_EMPHASIS] = "\033[3m",
    [STYLED_CODE] = "\033[36m",
    [STYLED_LINK] = "\033[4m",
};

static bool is_mark(char c)
{
    return c >= STYLED_STRONG && c <= STYLED_END;
}

void styled_text(struct buf *out, const char *text, size_t length, const struct report_style *style)
{
    struct buf raw = { 0 }, escaped = { 0 };
    buf_add(&raw, text, length);
    text_escape(&escaped, buf_text(&raw));
    if (style->utf8)
        buf_str(out, buf_text(&escaped));
    else
        ascii_add(out, buf_text(&escaped), " ");
    buf_deinit(&raw);
    buf_deinit(&escaped);
}

void styled_code(struct buf *out, const char *text, size_t length, const struct report_style *style)
{
    size_t start = out->length;
    styled_text(out, text, length, style);
    for (size_t i = start; i < out->length; i++) {
        if (out->data[i] == ' ')
            out->data[i] = STYLED_SPACE;
    }
}

void styled_open(struct buf *out, enum styled_mark mark, const struct report_style *style)
{
    if (style->colour)
        buf_char(out, (char)mark);
    else if (mark == STYLED_CODE)
        buf_char(out, '`');
}

void styled_close(struct buf *out, enum styled_mark mark, const struct report_style *style)
{
    if (style->colour)
        buf_char(out, STYLED_END);
    else if (mark == STYLED_CODE)
        buf_char(out, '`');
}

/* The number of bytes of one character or mark, and its columns. */
static size_t unit(const char *text, size_t *ret_columns)
{
    *ret_columns = 0;
    if (is_mark(*text))
        return 1;
    if (*text == STYLED_SPACE) {
        *ret_columns = 1;
        return 1;
    }
    uint32_t code_point;
    size_t size = text_utf8_decode(text, strnlen(text, 4), &code_point);
    if (size == 0)
        size = 1;
    char character[5] = { 0 };
    memcpy(character, text, size);
    *ret_columns = text_width(character);
    return size;
}

static bool ends_word(char c)
{
    return c == '\0' || c == ' ' || c == STYLED_BREAK;
}

/* The columns and bytes of the word at `text`. */
static size_t word_width(const char *text, size_t *ret_length)
{
    size_t width = 0, length = 0, columns;
    while (!ends_word(text[length])) {
        length += unit(text + length, &columns);
        width += columns;
    }
    *ret_length = length;
    return width;
}

size_t styled_width(const char *text)
{
    size_t width = 0, length;
    while (*text != '\0') {
        if (ends_word(*text)) {
            width++;
            text++;
        }
        width += word_width(text, &length);
        text += length;
    }
    return width;
}

size_t styled_longest_word(const char *text)
{
    size_t longest = 0, width = 0, columns;
    while (*text != '\0') {
        bool ends = ends_word(*text) || *text == STYLED_SPACE;
        text += unit(text, &columns);
        width = ends ? 0 : width + columns;
        longest = width > longest ? width : longest;
    }
    return longest;
}

/*
 * Where to cut a word that is wider than a line: after the last space of code; else after the last separator, such as a
 * slash, in the second half of the line; else at the width.
 */
static size_t cut_word(const char *word, size_t width)
{
    size_t at = 0, used = 0, after_space = 0, after_sign = 0, columns;
    for (;;) {
        size_t size = unit(word + at, &columns);
        /* A space at the end of a line is not shown, so it may be beyond the width. */
        if (word[at] == STYLED_SPACE && used <= width && at > 0)
            after_space = at + size;
        if (used + columns > width && at > 0)
            break;
        used += columns;
        if (strchr("/-_.,:;=&?", word[at]) != NULL && used > width / 2)
            after_sign = at + size;
        at += size;
    }
    if (after_space > 0)
        return after_space;
    return after_sign > 0 ? after_sign : at;
}

/* Copies text and turns marks into escape sequences. Returns the columns. */
static size_t put(struct styled_lines *lines, size_t length, struct buf *out)
{
    size_t width = 0, columns;
    const char *end = lines->at + length;
    while (lines->at < end) {
        char c = *lines->at;
        size_t size = unit(lines->at, &columns);
        if (c == STYLED_END) {
            buf_str(out, "\033[0m");
            if (lines->depth > 0)
                lines->depth--;
            for (unsigned i = 0; i < lines->depth && i < STYLED_DEPTH; i++)
                buf_str(out, colours[(unsigned char)lines->open[i]]);
        } else if (is_mark(c)) {
            if (lines->depth < STYLED_DEPTH)
                lines->open[lines->depth] = c;
            lines->depth++;
            buf_str(out, colours[(unsigned char)c]);
        } else if (c == STYLED_SPACE) {
            buf_char(out, ' ');
        } else {
            buf_add(out, lines->at, size);
        }
        width += columns;
        lines->at += size;
    }
    return width;
}

size_t styled_line(struct styled_lines *lines, size_t width, struct buf *out)
{
    size_t column = 0, length;
    for (unsigned i = 0; i < lines->depth && i < STYLED_DEPTH; i++)
        buf_str(out, colours[(unsigned char)lines->open[i]]);
    for (;;) {
        const char *word = lines->at + strspn(lines->at, " ");
        if (*word == '\0' || *word == STYLED_BREAK) {
            lines->at = *word == '\0' ? word : word + 1;
            break;
        }
        size_t word_columns = word_width(word, &length);
        if (column > 0 && column + 1 + word_columns > width) {
            lines->at = word;
            break;
        }
        if (column > 0) {
            buf_char(out, ' ');
            column++;
        }
        lines->at = word;
        if (column + word_columns > width) {
            column += put(lines, cut_word(word, width), out);
            if (out->data[out->length - 1] == ' ') {
                out->data[--out->length] = '\0';
                column--;
            }
            break;
        }
        column += put(lines, length, out);
    }
    if (lines->depth > 0)
        buf_str(out, "\033[0m");
    return column;
}
