#include "source/capture/formats/columns.h"

#include <stdint.h>

#include "base/text.h"

/* The columns of wide and fullwidth characters, approximately: UAX #11. wcwidth() would depend on the locale. */
static size_t columns_of_character(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {
        { 0x1100, 0x115f },   /* Hangul Jamo */
        { 0x2e80, 0xa4cf },   /* CJK, Kana */
        { 0xac00, 0xd7a3 },   /* Hangul */
        { 0xf900, 0xfaff },   /* CJK compatibility */
        { 0xfe30, 0xfe6f },   /* CJK compatibility forms */
        { 0xff00, 0xff60 },   /* fullwidth forms */
        { 0xffe0, 0xffe6 },   /* fullwidth signs */
        { 0x1f300, 0x1f64f }, /* emoji and pictographs */
        { 0x20000, 0x3fffd }, /* CJK extensions */
    };
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        if (code >= wide[i].first && code <= wide[i].last)
            return 2;
    }
    return 1;
}

/* Reads the next character. Returns its length in bytes. */
static size_t scan_character(const char *text, size_t length, size_t *ret_columns)
{
    uint32_t code;
    size_t bytes = text_utf8_decode(text, length, &code);
    *ret_columns = bytes > 0 ? columns_of_character(code) : 1;
    return bytes > 0 ? bytes : 1;
}

size_t columns_of(const char *text, size_t length)
{
    size_t at = text_plain(text, length), width = at;
    while (at < length) {
        size_t columns;
        at += scan_character(text + at, length - at, &columns);
        width += columns;
    }
    return width;
}

size_t columns_offset(const char *text, size_t length, size_t at)
{
    size_t offset = 0;
    for (size_t column = 0; column < at && offset < length;) {
        size_t columns;
        offset += scan_character(text + offset, length - offset, &columns);
        column += columns;
    }
    return offset;
}
