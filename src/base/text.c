#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

size_t text_utf8_decode(const char *text, size_t length, uint32_t *ret_code_point)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] < 0x80) {
        *ret_code_point = bytes[0];
        return 1;
    }
    size_t size;
    uint32_t code_point, least;
    if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf) {
        size = 2, code_point = bytes[0] & 0x1fU, least = 0x80;
    } else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef) {
        size = 3, code_point = bytes[0] & 0x0fU, least = 0x800;
    } else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4) {
        size = 4, code_point = bytes[0] & 0x07U, least = 0x10000;
    } else {
        return 0;
    }
    if (size > length)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        code_point = code_point << 6 | (bytes[i] & 0x3fU);
    }
    if (code_point < least || code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff))
        return 0;
    *ret_code_point = code_point;
    return size;
}

/* Unicode Bidi_Control, format and other characters without a glyph. */
bool text_is_invisible(uint32_t code_point)
{
    return (code_point >= 0x80 && code_point < 0xa0) || code_point == 0xad || code_point == 0x61c ||
        (code_point >= 0x200b && code_point <= 0x200f) || (code_point >= 0x2028 && code_point <= 0x202e) ||
        (code_point >= 0x2060 && code_point <= 0x206f) || code_point == 0xfeff ||
        (code_point >= 0xfff0 && code_point <= 0xfffb) || code_point >= 0xe0000;
}

size_t text_plain(const char *text, size_t length)
{
    size_t plain = 0;
    while (plain < length && (unsigned char)text[plain] >= 0x20 && (unsigned char)text[plain] < 0x7f)
        plain++;
    return plain;
}

void text_escape(struct buf *out, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t plain = text_plain(text, left);
        if (plain > 0) {
            buf_add(out, text, plain);
            text += plain;
            left -= plain;
            continue;
        }
        uint32_t code_point;
        size_t size = text_utf8_decode(text, left, &code_point);
        if (size == 0) {
            buf_printf(out, "\\x%02x", (unsigned char)*text);
            size = 1;
        } else if (code_point == '\n') {
            buf_str(out, "\\n");
        } else if (code_point == '\t') {
            buf_str(out, "\\t");
        } else if (code_point == '\r') {
            buf_str(out, "\\r");
        } else if (code_point < 0x20 || code_point == 0x7f) {
            buf_printf(out, "\\x%02x", (unsigned)code_point);
        } else if (text_is_invisible(code_point)) {
            buf_printf(out, "\\u{%" PRIx32 "}", code_point);
        } else {
            buf_add(out, text, size);
        }
        text += size;
        left -= size;
    }
}

bool text_shell_quote(struct buf *out, const char *text)
{
    struct buf escaped = { 0 };
    text_escape(&escaped, text);
    bool plain = strcmp(buf_text(&escaped), text) == 0;
    buf_deinit(&escaped);
    if (!plain)
        return false;
    buf_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_str(out, "'\\''");
        else
            buf_char(out, *text);
    }
    buf_char(out, '\'');
    return true;
}

static size_t width_of(const char *text, size_t length)
{
    size_t width = 0;
    while (length > 0) {
        uint32_t code_point;
        size_t size = text_plain(text, length);
        if (size > 0) {
            width += size;
        } else if ((size = text_utf8_decode(text, length, &code_point)) == 0) {
            size = 1;
            width++;
        } else {
            /* wcwidth() knows wide and combining characters only in a UTF-8 locale. Elsewhere one column is assumed. */
            int columns = code_point < 0x80 ? 1 : wcwidth((wchar_t)code_point);
            width += columns < 0 ? 1 : (size_t)columns;
        }
        text += size;
        length -= size;
    }
    return width;
}

size_t text_width(const char *text)
{
    return width_of(text, strlen(text));
}

void text_wrap(struct buf *out, const char *text, size_t indent, size_t width)
{
    size_t column = indent;
    bool at_start = true;
    while (*text != '\0') {
        text += strspn(text, " ");
        size_t length = strcspn(text, " ");
        if (length == 0)
            break;
        size_t word = width_of(text, length);
        if (!at_start && column + 1 + word > width) {
            buf_char(out, '\n');
            buf_repeat(out, " ", indent);
            column = indent;
            at_start = true;
        }
        if (!at_start) {
            buf_char(out, ' ');
            column++;
        }
        buf_add(out, text, length);
        column += word;
        at_start = false;
        text += length;
    }
}

void text_count(struct buf *out, uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buf_char(out, ',');
        buf_char(out, digits[i]);
    }
}

void text_duration(struct buf *out, uint64_t milliseconds)
{
    uint64_t seconds = milliseconds / 1000;
    if (milliseconds < 1000)
        buf_printf(out, "%" PRIu64 " ms", milliseconds);
    else if (seconds < 10 && milliseconds % 1000 >= 100)
        buf_printf(out, "%" PRIu64 ".%" PRIu64 " s", seconds, milliseconds % 1000 / 100);
    else if (seconds < 60)
        buf_printf(out, "%" PRIu64 " s", seconds);
    else if (seconds < 3600 && seconds % 60 == 0)
        buf_printf(out, "%" PRIu64 " min", seconds / 60);
    else if (seconds < 3600)
        buf_printf(out, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
    else if (seconds < 86400 && seconds % 3600 < 60)
        buf_printf(out, "%" PRIu64 " h", seconds / 3600);
    else if (seconds < 86400)
        buf_printf(out, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600, seconds % 3600 / 60);
    else if (seconds % 86400 < 3600)
        buf_printf(out, "%" PRIu64 " d", seconds / 86400);
    else
        buf_printf(out, "%" PRIu64 " d %" PRIu64 " h", seconds / 86400, seconds % 86400 / 3600);
}

void text_bytes(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB" };
    if (bytes < 1000) {
        buf_printf(out, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return;
    }
    size_t unit = 0;
    double value = (double)bytes / 1000;
    while (value >= 999.95 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    buf_printf(out, "%.1f %s", value, units[unit]);
}

unsigned text_distance(const char *a, const char *b)
{
    enum { MOST = 64 };
    size_t length_a = strlen(a), length_b = strlen(b);
    if (length_a >= MOST || length_b >= MOST)
        return MOST;
    unsigned rows[3][MOST]; /* the row before the last, the last, this one */
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= length_b; j++) {
        before[j] = 0;
        last[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= length_a; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= length_b; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            unsigned best = last[j - 1] + (ca != cb);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == cb &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[length_b];
}

static int word_character(char c)
{
    return c == '-' ? '_' : tolower((unsigned char)c);
}

bool text_same_word(const char *a, const char *b)
{
    while (*a != '\0' && word_character(*a) == word_character(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

int text_parse_number(const char *text, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (*text == '\0')
        return -EINVAL;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
            return -EINVAL;
    }
    if (number > max)
        return -EINVAL;
    *ret_number = number;
    return 0;
}

/* The digits after a decimal point, as a part of `unit`. More than nine are of no importance. */
static uint64_t part_of(uint64_t unit, const char *digits, size_t count)
{
    enum { SIGNIFICANT = 9 };
    uint64_t part = 0, whole = 1;
    for (size_t i = 0; i < count && i < SIGNIFICANT; i++) {
        part = part * 10 + (uint64_t)(digits[i] - '0');
        whole *= 10;
    }
    return unit * part / whole;
}

/* Parses one number with its unit, "1.5m". Returns the rest of the text; NULL if it is neither. */
static const char *parse_one_duration(const char *text, uint64_t *ret_milliseconds, uint64_t *ret_unit)
{
    static const struct {
        const char *name;
        uint64_t milliseconds;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "", 1000 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 },
        { "d", 86400000 } };
    static const char digits[] = "0123456789";
    char number_text[16];
    uint64_t number;
    size_t whole = strspn(text, digits), parts = text[whole] == '.' ? strspn(text + whole + 1, digits) : 0;
    if (whole == 0 || whole >= sizeof number_text || (text[whole] == '.' && parts == 0))
        return NULL;
    memcpy(number_text, text, whole);
    number_text[whole] = '\0';
    if (text_parse_number(number_text, UINT32_MAX, &number) < 0)
        return NULL;
    const char *unit = text + whole + (parts > 0 ? parts + 1 : 0);
    size_t length = strcspn(unit, digits);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) == length && strncmp(unit, units[i].name, length) == 0) {
            *ret_unit = units[i].milliseconds;
            *ret_milliseconds = number * *ret_unit + part_of(*ret_unit, text + whole + 1, parts);
            return unit + length;
        }
    }
    return NULL;
}

int text_parse_duration(const char *text, uint64_t *ret_milliseconds)
{
    uint64_t sum = 0, last_unit = UINT64_MAX;
    do {
        uint64_t milliseconds, unit;
        text = parse_one_duration(text, &milliseconds, &unit);
        if (text == NULL || unit >= last_unit) /* "1h30m", not "30m1h" */
            return -EINVAL;
        sum += milliseconds;
        last_unit = unit;
    } while (*text != '\0');
    *ret_milliseconds = sum;
    return 0;
}
