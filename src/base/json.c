#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static void write_out(struct json *json, const char *text, size_t length)
{
    if (json->error == 0 && fwrite(text, 1, length, json->out) != length)
        json->error = errno ? -errno : -EIO;
}

static void put(struct json *json, const char *text, size_t length)
{
    if (length > sizeof json->pending - json->pending_length) {
        write_out(json, json->pending, json->pending_length);
        json->pending_length = 0;
    }
    if (length > sizeof json->pending) {
        write_out(json, text, length);
        return;
    }
    memcpy(json->pending + json->pending_length, text, length);
    json->pending_length += length;
}

static void put_str(struct json *json, const char *text)
{
    put(json, text, strlen(text));
}

static void new_line(struct json *json)
{
    if (json->compact)
        return;
    put_str(json, "\n");
    for (unsigned i = 0; i < json->depth; i++)
        put_str(json, "  ");
}

/* Writes the comma, newline and indentation before a value or a key. */
static void separate(struct json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->has_items)
        put_str(json, ",");
    if (json->depth > 0)
        new_line(json);
    json->has_items = true;
}

static void open_with(struct json *json, const char *bracket)
{
    separate(json);
    put_str(json, bracket);
    json->depth++;
    json->has_items = false;
}

static void close_with(struct json *json, const char *bracket)
{
    json->depth--;
    if (json->has_items)
        new_line(json);
    put_str(json, bracket);
    json->has_items = true;
}

static void put_quoted(struct json *json, const char *text)
{
    put_str(json, "\"");
    size_t left = strlen(text);
    while (left > 0) {
        /* The longest run that needs no escaping goes out in one piece. */
        size_t run = 0;
        while (run < left && (unsigned char)text[run] >= 0x20 && (unsigned char)text[run] < 0x7f && text[run] != '"' &&
            text[run] != '\\')
            run++;
        put(json, text, run);
        text += run;
        left -= run;
        if (left == 0)
            break;
        char escaped[16];
        uint32_t code_point;
        size_t size = text_utf8_decode(text, left, &code_point);
        if (size == 0) {
            snprintf(escaped, sizeof escaped, json->keeps_bytes ? "\\udc%02x" : "\\\\x%02x", (unsigned char)*text);
            put_str(json, escaped);
            size = 1;
        } else if (code_point == '"' || code_point == '\\') {
            snprintf(escaped, sizeof escaped, "\\%c", (char)code_point);
            put_str(json, escaped);
        } else if (code_point > 0xffff && text_is_invisible(code_point)) {
            /* A surrogate pair: RFC 8259 §7 */
            snprintf(escaped, sizeof escaped, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd7c0 + (code_point >> 10),
                0xdc00 + (code_point & 0x3ff));
            put_str(json, escaped);
        } else if (code_point < 0x20 || code_point == 0x7f || text_is_invisible(code_point)) {
            snprintf(escaped, sizeof escaped, "\\u%04" PRIx32, code_point);
            put_str(json, escaped);
        } else {
            put(json, text, size);
        }
        text += size;
        left -= size;
    }
    put_str(json, "\"");
}

void json_begin(struct json *json, FILE *out, bool compact)
{
    json->out = out;
    json->depth = 0;
    json->compact = compact;
    json->keeps_bytes = json->has_items = json->after_key = false;
    json->error = 0;
    json->pending_length = 0;
}

void json_end_line(struct json *json)
{
    put_str(json, "\n");
    json->has_items = false;
}

int json_end(struct json *json)
{
    if (json->has_items)
        json_end_line(json);
    write_out(json, json->pending, json->pending_length);
    json->pending_length = 0;
    if (json->error == 0 && fflush(json->out) != 0)
        json->error = errno ? -errno : -EIO;
    return json->error;
}

void json_object(struct json *json)
{
    open_with(json, "{");
}

void json_object_end(struct json *json)
{
    close_with(json, "}");
}

void json_array(struct json *json)
{
    open_with(json, "[");
}

void json_array_end(struct json *json)
{
    close_with(json, "]");
}

void json_key(struct json *json, const char *key)
{
    separate(json);
    put_quoted(json, key);
    put_str(json, json->compact ? ":" : ": ");
    json->after_key = true;
}

static void value(struct json *json, const char *text)
{
    separate(json);
    put_str(json, text);
}

void json_string(struct json *json, const char *text)
{
    if (text == NULL) {
        value(json, "null");
        return;
    }
    separate(json);
    put_quoted(json, text);
}

void json_uint(struct json *json, uint64_t number)
{
    char text[24];
    char *at = text + sizeof text;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    separate(json);
    put(json, at, (size_t)(text + sizeof text - at));
}

void json_int(struct json *json, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    value(json, text);
}

void json_seconds(struct json *json, uint64_t milliseconds)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 ".%03u", milliseconds / 1000, (unsigned)(milliseconds % 1000));
    value(json, text);
}

void json_seconds_us(struct json *json, uint64_t microseconds)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 ".%06u", microseconds / 1000000, (unsigned)(microseconds % 1000000));
    value(json, text);
}

void json_thousandths(struct json *json, int64_t thousandths)
{
    char text[32];
    uint64_t number = thousandths < 0 ? -(uint64_t)thousandths : (uint64_t)thousandths;
    snprintf(
        text, sizeof text, "%s%" PRIu64 ".%03u", thousandths < 0 ? "-" : "", number / 1000, (unsigned)(number % 1000));
    value(json, text);
}

void json_bool(struct json *json, bool flag)
{
    value(json, flag ? "true" : "false");
}

void json_null(struct json *json)
{
    value(json, "null");
}

void json_member_string(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_string(json, text);
}

void json_member_uint(struct json *json, const char *key, uint64_t number)
{
    json_key(json, key);
    json_uint(json, number);
}

void json_member_bool(struct json *json, const char *key, bool flag)
{
    json_key(json, key);
    json_bool(json, flag);
}

void json_member_null(struct json *json, const char *key)
{
    json_key(json, key);
    json_null(json);
}
