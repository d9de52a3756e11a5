#include "base/json_read.h"

#include <string.h>

#include "base/text.h"

/* Which token may come next. */
enum expects {
    EXPECTS_VALUE,
    EXPECTS_FIRST_VALUE, /* or the end of the array */
    EXPECTS_FIRST_KEY,   /* or the end of the object */
    EXPECTS_KEY,
    EXPECTS_COMMA, /* or the end of what is open */
    EXPECTS_NOTHING,
    EXPECTS_ERROR,
};

void json_reader_init(struct json_reader *reader)
{
    *reader = (struct json_reader){ .expects = EXPECTS_ERROR };
}

void json_reader_deinit(struct json_reader *reader)
{
    buf_deinit(&reader->decoded);
}

void json_read(struct json_reader *reader, const char *bytes, size_t length)
{
    reader->at = bytes;
    reader->end = bytes + length;
    reader->depth = 0;
    reader->expects = EXPECTS_VALUE;
}

static enum json_token bad(struct json_reader *reader)
{
    reader->expects = EXPECTS_ERROR;
    return JSON_BAD;
}

static void skip_space(struct json_reader *reader)
{
    while (reader->at < reader->end &&
        (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

/* A value has ended. */
static void value_ends(struct json_reader *reader)
{
    reader->expects = reader->depth > 0 ? EXPECTS_COMMA : EXPECTS_NOTHING;
}

/* --- strings ---------------------------------------------------------------------------------------------------- */

static int hex4(const struct json_reader *reader, const char *at, uint32_t *ret_unit)
{
    if (reader->end - at < 4)
        return -1;
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
            : c >= 'a' && c <= 'f'            ? (unsigned)(c - 'a') + 10
            : c >= 'A' && c <= 'F'            ? (unsigned)(c - 'A') + 10
                                              : 16;
        if (digit == 16)
            return -1;
        unit = unit << 4 | digit;
    }
    *ret_unit = unit;
    return 0;
}

static void add_utf8(struct buf *out, uint32_t c)
{
    char bytes[4];
    size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(leads[length] | c);
    buf_add(out, bytes, length);
}

/* Decodes the digits after "\u". Returns the number of characters used, or 0 on error. */
static size_t decode_unicode(struct json_reader *reader, const char *at)
{
    uint32_t unit, low;
    if (hex4(reader, at, &unit) < 0 || unit == 0)
        return 0;
    if (unit >= 0xd800 && unit <= 0xdbff) { /* the first half of a pair: RFC 8259 §7 */
        if (reader->end - at < 10 || at[4] != '\\' || at[5] != 'u' || hex4(reader, at + 6, &low) < 0 || low < 0xdc00 ||
            low > 0xdfff)
            return 0;
        add_utf8(&reader->decoded, 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00)));
        return 10;
    }
    if (unit >= 0xdc80 && unit <= 0xdcff)
        buf_char(&reader->decoded, (char)(unit & 0xff));
    else if (unit >= 0xdc00 && unit <= 0xdfff)
        return 0;
    else
        add_utf8(&reader->decoded, unit);
    return 4;
}

/* Decodes the escape at `at`, just after its backslash. Returns the position after it, or NULL on error. */
static const char *decode_escape(struct json_reader *reader, const char *at)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (at == reader->end)
        return NULL;
    const char *name = *at != '\0' ? strchr(names, *at) : NULL;
    if (name != NULL) {
        buf_char(&reader->decoded, values[name - names]);
        return at + 1;
    }
    size_t length = *at == 'u' ? decode_unicode(reader, at + 1) : 0;
    return length > 0 ? at + 1 + length : NULL;
}

/* Skips to the next quote, backslash, or character that a string must not contain. */
static const char *plain_run(const char *at, const char *end)
{
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) {
        if ((unsigned char)*at < 0x80) {
            at++;
            continue;
        }
        uint32_t code_point;
        size_t size = text_utf8_decode(at, (size_t)(end - at), &code_point);
        if (size == 0)
            return end; /* not UTF-8 */
        at += size;
    }
    return at;
}

/* Reads the rest of a string; its opening quote is already read. */
static bool read_string(struct json_reader *reader)
{
    const char *start = reader->at;
    const char *at = plain_run(start, reader->end);
    if (at < reader->end && *at == '"') { /* no escapes: nearly all strings */
        reader->text = start;
        reader->length = (size_t)(at - start);
        reader->at = at + 1;
        return true;
    }
    buf_clear(&reader->decoded);
    while (at < reader->end && *at == '\\') {
        buf_add(&reader->decoded, start, (size_t)(at - start));
        start = decode_escape(reader, at + 1);
        if (start == NULL)
            return false;
        at = plain_run(start, reader->end);
    }
    if (at >= reader->end || *at != '"')
        return false;
    buf_add(&reader->decoded, start, (size_t)(at - start));
    reader->text = buf_text(&reader->decoded);
    reader->length = reader->decoded.length;
    reader->at = at + 1;
    return true;
}

/* --- numbers and words ------------------------------------------------------------------------------------------ */

static const char *digits(const struct json_reader *reader, const char *at)
{
    while (at < reader->end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static enum json_token read_number(struct json_reader *reader)
{
    const char *at = reader->at;
    reader->negative = *at == '-';
    at += reader->negative;
    const char *start = at;
    uint64_t number = 0;
    bool whole = true;
    for (; at < reader->end && *at >= '0' && *at <= '9'; at++)
        whole &= !__builtin_mul_overflow(number, 10, &number) &&
            !__builtin_add_overflow(number, (uint64_t)(*at - '0'), &number);
    if (at == start || (*start == '0' && at - start > 1))
        return bad(reader);
    if (at < reader->end && *at == '.') {
        start = ++at;
        at = digits(reader, at);
        whole = false;
        if (at == start)
            return bad(reader);
    }
    if (at < reader->end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < reader->end && (*at == '+' || *at == '-');
        start = at;
        at = digits(reader, at);
        whole = false;
        if (at == start)
            return bad(reader);
    }
    reader->number = number;
    reader->whole = whole;
    reader->at = at;
    value_ends(reader);
    return JSON_NUMBER;
}

static enum json_token read_word(struct json_reader *reader)
{
    static const struct {
        const char *word;
        enum json_token token;
    } words[] = { { "true", JSON_TRUE }, { "false", JSON_FALSE }, { "null", JSON_NULL } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i].word);
        if ((size_t)(reader->end - reader->at) >= length && memcmp(reader->at, words[i].word, length) == 0) {
            reader->at += length;
            value_ends(reader);
            return words[i].token;
        }
    }
    return bad(reader);
}

/* --- tokens ----------------------------------------------------------------------------------------------------- */

static enum json_token open_with(struct json_reader *reader, bool object)
{
    if (reader->depth == JSON_DEPTH_MAX)
        return bad(reader);
    uint32_t bit = UINT32_C(1) << reader->depth++;
    reader->objects = object ? reader->objects | bit : reader->objects & ~bit;
    reader->expects = object ? EXPECTS_FIRST_KEY : EXPECTS_FIRST_VALUE;
    reader->at++;
    return object ? JSON_OBJECT : JSON_ARRAY;
}

static bool in_object(const struct json_reader *reader)
{
    return reader->depth > 0 && (reader->objects >> (reader->depth - 1) & 1) != 0;
}

static enum json_token close_with(struct json_reader *reader)
{
    bool object = in_object(reader);
    if (*reader->at != (object ? '}' : ']'))
        return bad(reader);
    reader->at++;
    reader->depth--;
    value_ends(reader);
    return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_token read_key(struct json_reader *reader)
{
    if (*reader->at != '"')
        return bad(reader);
    reader->at++;
    if (!read_string(reader))
        return bad(reader);
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != ':')
        return bad(reader);
    reader->at++;
    reader->expects = EXPECTS_VALUE;
    return JSON_KEY;
}

static enum json_token read_value(struct json_reader *reader)
{
    char c = *reader->at;
    if (c == '"') {
        reader->at++;
        if (!read_string(reader))
            return bad(reader);
        value_ends(reader);
        return JSON_STRING;
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(reader);
    if (c == '{' || c == '[')
        return open_with(reader, c == '{');
    return read_word(reader);
}

enum json_token json_next(struct json_reader *reader)
{
    if (reader->expects == EXPECTS_ERROR)
        return JSON_BAD;
    skip_space(reader);
    if (reader->at == reader->end)
        return reader->expects == EXPECTS_NOTHING ? JSON_DONE : bad(reader);
    char c = *reader->at;
    switch ((enum expects)reader->expects) {
    case EXPECTS_COMMA:
        if (c != ',')
            return close_with(reader);
        reader->at++;
        reader->expects = in_object(reader) ? EXPECTS_KEY : EXPECTS_VALUE;
        return json_next(reader);
    case EXPECTS_FIRST_KEY:
        return c == '}' ? close_with(reader) : read_key(reader);
    case EXPECTS_KEY:
        return read_key(reader);
    case EXPECTS_FIRST_VALUE:
        return c == ']' ? close_with(reader) : read_value(reader);
    case EXPECTS_VALUE:
        return read_value(reader);
    case EXPECTS_NOTHING:
    case EXPECTS_ERROR:
        break;
    }
    return bad(reader);
}

bool json_skip(struct json_reader *reader, enum json_token token)
{
    if (token == JSON_BAD || token == JSON_DONE)
        return false;
    if (token != JSON_OBJECT && token != JSON_ARRAY)
        return true;
    unsigned outside = reader->depth - 1;
    while (reader->depth > outside) {
        if (json_next(reader) == JSON_BAD)
            return false;
    }
    return true;
}

bool json_text_is(const struct json_reader *reader, const char *text)
{
    return strlen(text) == reader->length && memcmp(reader->text, text, reader->length) == 0;
}
