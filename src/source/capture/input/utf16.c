#include "source/capture/input/utf16.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { UNIT = 2, UTF8_MAX = 4, PIECE_UNITS = 32 * 1024, REPLACEMENT = 0xfffd };

struct utf16 {
    struct input below;
    bool big_endian;
};

static uint32_t unit_at(const struct utf16 *utf16, const char *bytes)
{
    const unsigned char *two = (const unsigned char *)bytes;
    return utf16->big_endian ? (uint32_t)two[0] << 8 | two[1] : (uint32_t)two[1] << 8 | two[0];
}

static size_t encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* Decodes one character. Returns its length in bytes, or 0 if its second half is not available yet. */
static size_t decode(const struct utf16 *utf16, const char *bytes, size_t available, bool at_end, uint32_t *ret_code)
{
    uint32_t unit = unit_at(utf16, bytes);
    *ret_code = unit;
    if (unit < 0xd800 || unit > 0xdfff)
        return UNIT;
    *ret_code = REPLACEMENT;
    if (unit > 0xdbff)
        return UNIT;
    if (available < 2 * UNIT)
        return at_end ? UNIT : 0;
    uint32_t low = unit_at(utf16, bytes + UNIT);
    if (low < 0xdc00 || low > 0xdfff)
        return UNIT;
    *ret_code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    return 2 * UNIT;
}

static ssize_t utf16_read(void *state, char *out, size_t size)
{
    struct utf16 *utf16 = state;
    ssize_t filled = input_fill(&utf16->below, (size_t)PIECE_UNITS * UNIT);
    if (filled < 0)
        return filled;
    const char *bytes = input_bytes(&utf16->below);
    size_t available = (size_t)filled, at = 0, length = 0;
    while (available - at >= UNIT && size - length >= UTF8_MAX) {
        uint32_t code;
        size_t taken = decode(utf16, bytes + at, available - at, utf16->below.ended, &code);
        if (taken == 0)
            break;
        at += taken;
        length += encode(code, out + length);
    }
    /* Half a unit at the end becomes a replacement character, so that the damage is visible. */
    if (length == 0 && available - at == 1 && utf16->below.ended && size >= UTF8_MAX) {
        at++;
        length = encode(REPLACEMENT, out);
    }
    input_consume(&utf16->below, at);
    return (ssize_t)length;
}

static void utf16_close(void *state)
{
    struct utf16 *utf16 = state;
    input_close(&utf16->below);
    free(utf16);
}

/* Recognises UTF-16 without a byte order mark. Most units of ASCII text have one NUL byte; other texts have none. */
static bool is_utf16_without_mark(const char *bytes, size_t length, bool big_endian)
{
    enum { LOOKED_AT = 64 };
    size_t units = length / UNIT < LOOKED_AT ? length / UNIT : LOOKED_AT, nul = 0;
    for (size_t i = 0; i < units; i++) {
        nul += bytes[i * UNIT + (big_endian ? 0 : 1)] == '\0';
        if (bytes[i * UNIT + (big_endian ? 1 : 0)] == '\0')
            return false;
    }
    return units >= 8 && nul * 4 >= units * 3;
}

int utf16_push_filter(struct input *input)
{
    ssize_t filled = input_fill(input, INPUT_PEEK);
    if (filled < 0)
        return (int)filled;
    const char *bytes = input_bytes(input);
    size_t length = (size_t)filled;
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        input_consume(input, 3);
        return 0;
    }
    bool little_mark = length >= UNIT && memcmp(bytes, "\xff\xfe", UNIT) == 0;
    bool big_mark = length >= UNIT && memcmp(bytes, "\xfe\xff", UNIT) == 0;
    bool big_endian = big_mark || (!little_mark && is_utf16_without_mark(bytes, length, true));
    if (!big_endian && !little_mark && !is_utf16_without_mark(bytes, length, false))
        return 0;
    if (little_mark || big_mark)
        input_consume(input, UNIT);
    struct utf16 *utf16 = xcalloc(1, sizeof *utf16);
    *utf16 = (struct utf16){ .below = *input, .big_endian = big_endian };
    *input = (struct input){
        .read = utf16_read, .close = utf16_close, .state = utf16, .modified_ms = utf16->below.modified_ms
    };
    return 0;
}
