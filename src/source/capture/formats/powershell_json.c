/*
 * Get-NetTCPConnection | ConvertTo-Json: an array of objects, or one object; State a number or, with -EnumsAsStrings, a
 * name. PowerShell 5.1 wraps an array that another command has passed on: {"value":[…],"Count":2}. Read piece by piece:
 * only the strings and numbers of the objects that matter are ever kept.
 */
#include <errno.h>
#include <string.h>

#include "source/capture/formats/powershell.h"

enum { TEXT_MAX = VALUE_MAX + 1 };

/* Where in the text it is. */
struct json_reader {
    struct capture *capture;
    const char *at, *end;      /* of what the input has available */
    struct kept_record record; /* its values are in the input, until that is refilled */
    unsigned depth;            /* of what is open */
    unsigned record_depth;     /* of the object that is a connection; 0: none is open */
    enum property property;    /* whose value comes next */
    bool after_key;
    bool in_array;          /* what is outermost in the wrapper, or else in the text, is an array */
    unsigned wrapper_depth; /* of the wrapper that is open; 0: none */
    bool is_wrapped;        /* the property whose value comes next is the "value" of a wrapper, if it has no other */
    uint64_t line;
    struct token value;  /* the string or number that was read last: in the input, or in text */
    char text[TEXT_MAX]; /* of one that has escapes, or is not in one piece */
    size_t length;
};

static bool is_kept(const struct json_reader *reader, const struct token *value)
{
    const char *kept = (const char *)&reader->record;
    return value->text >= kept && value->text < kept + sizeof reader->record;
}

/* What is known of the record so far would go with the bytes that it stands in. */
static void keep_record(struct json_reader *reader)
{
    for (int property = 0; property < PROPERTY_COUNT; property++) {
        struct token value = reader->record.record.values[property];
        if (value.text != NULL && !is_kept(reader, &value))
            kept_record_set(&reader->record, (enum property)property, value.text, value.length);
    }
}

/* More bytes behind those that are used up; false at the end. */
static bool refill(struct json_reader *reader)
{
    keep_record(reader);
    struct input *input = reader->capture->input;
    input_consume(input, (size_t)(reader->at - input_bytes(input)));
    ssize_t available = input_fill(input, 1);
    reader->at = input_bytes(input);
    reader->end = reader->at + (available > 0 ? available : 0);
    return reader->at < reader->end;
}

static inline int next_byte(struct json_reader *reader)
{
    if (reader->at == reader->end && !refill(reader))
        return -1;
    return (unsigned char)*reader->at++;
}

static void keep(struct json_reader *reader, const char *bytes, size_t length)
{
    size_t room = TEXT_MAX - 1 - reader->length;
    length = length < room ? length : room;
    memcpy(reader->text + reader->length, bytes, length);
    reader->length += length;
}

/* What a backslash and the characters behind it stand for, where that is ASCII; else a question mark. */
static bool read_escape(struct json_reader *reader)
{
    static const char escapes[][2] = { { 'n', '\n' }, { 't', '\t' }, { 'r', '\r' }, { 'b', '\b' }, { 'f', '\f' } };
    int c = next_byte(reader);
    if (c < 0)
        return false;
    char kept = (char)c;
    if (c == 'u') {
        unsigned code = 0;
        for (unsigned i = 0; i < 4 && (c = next_byte(reader)) >= 0; i++)
            code = code << 4 | (unsigned)((c | 0x20) >= 'a' ? (c | 0x20) - 'a' + 10 : c - '0');
        keep(reader, code < 0x80 ? (const char[]){ (char)code } : "?", 1);
        return true;
    }
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        kept = kept == escapes[i][0] ? escapes[i][1] : kept;
    keep(reader, &kept, 1);
    return true;
}

/* A string behind its first quote. */
static bool read_string(struct json_reader *reader)
{
    reader->length = 0;
    for (;;) {
        const char *from = reader->at, *at = from;
        while (at < reader->end && *at != '"' && *at != '\\')
            at++;
        if (reader->length == 0 && at < reader->end && *at == '"') {
            reader->value = (struct token){ from, (size_t)(at - from) };
            reader->at = at + 1;
            return true;
        }
        keep(reader, from, (size_t)(at - from));
        reader->at = at;
        int c = next_byte(reader);
        if (c < 0 || c == '"') {
            reader->value = (struct token){ reader->text, reader->length };
            return c == '"';
        }
        if (c != '\\')
            keep(reader, &(char){ (char)c }, 1);
        else if (!read_escape(reader))
            return false;
    }
}

static bool ends_bare(char c)
{
    return c == ',' || c == '}' || c == ']' || c == ':' || (unsigned char)c <= ' ';
}

static void skip_blanks(struct json_reader *reader)
{
    const char *at = reader->at;
    while (at < reader->end && *at == ' ')
        at++;
    reader->at = at;
}

/* A number, or true, false, null. */
static void read_bare(struct json_reader *reader)
{
    reader->length = 0;
    reader->at--;
    do {
        const char *from = reader->at, *at = from;
        while (at < reader->end && !ends_bare(*at))
            at++;
        reader->at = at;
        reader->value = (struct token){ from, (size_t)(at - from) };
        if (reader->length == 0 && reader->at < reader->end)
            return;
        keep(reader, from, reader->value.length);
    } while (reader->at == reader->end && refill(reader));
    reader->value = (struct token){ reader->text, reader->length };
}

/* A string or number that is complete: a property's name, or its value. */
static void take_text(struct json_reader *reader, bool is_string)
{
    if (reader->record_depth != reader->depth)
        return;
    struct token *value = &reader->value;
    value->length = value->length < VALUE_MAX ? value->length : VALUE_MAX;
    if (is_string && !reader->after_key) {
        reader->property = property_find(value->text, value->length);
        reader->is_wrapped = word_is(value, "value");
        return;
    }
    if (reader->property == PROPERTY_NONE || (!is_string && word_is(value, "null")))
        return;
    if (value->text == reader->text)
        kept_record_set(&reader->record, reader->property, value->text, value->length);
    else
        reader->record.record.values[reader->property] = *value;
}

/* What was taken for a record is a wrapper of records. */
static bool opens_wrapped(const struct json_reader *reader)
{
    if (reader->wrapper_depth != 0 || reader->record_depth != reader->depth || !reader->after_key ||
        !reader->is_wrapped)
        return false;
    for (int property = 0; property < PROPERTY_COUNT; property++) {
        if (reader->record.record.values[property].text != NULL)
            return false;
    }
    return reader->depth > 0;
}

static void open_one(struct json_reader *reader, bool array)
{
    if (opens_wrapped(reader)) {
        reader->wrapper_depth = reader->depth;
        reader->record_depth = 0;
    }
    if (reader->depth++ == reader->wrapper_depth)
        reader->in_array = array;
    unsigned within = reader->depth - reader->wrapper_depth;
    bool in_list = within == 1 || (within == 2 && reader->in_array);
    if (!array && reader->record_depth == 0 && in_list) {
        reader->record_depth = reader->depth;
        reader->record.record = (struct record){ 0 };
        reader->is_wrapped = false;
    }
    reader->after_key = false;
}

static void note(struct capture *capture, uint64_t line, const char *what)
{
    struct first_line *first = &capture->first_malformed;
    capture->kinds[LINE_MALFORMED]++;
    if (first->number != 0)
        return;
    first->number = line;
    strncpy(first->text, what, sizeof first->text - 1);
}

static void close_one(struct json_reader *reader)
{
    struct capture *capture = reader->capture;
    if (reader->depth > 0 && reader->record_depth == reader->depth) {
        reader->record_depth = 0;
        enum line_kind kind = record_add(capture, &reader->record.record);
        if (kind == LINE_MALFORMED)
            note(capture, reader->line, "an object that is no connection");
        else
            capture_count(capture, kind);
    }
    if (reader->depth > 0 && reader->wrapper_depth == reader->depth) {
        reader->in_array = reader->depth > 1; /* records and wrappers stand alone, or in an array */
        reader->wrapper_depth = 0;
    }
    reader->depth -= reader->depth > 0;
    reader->after_key = false;
}

/* Reads to the end. Returns 0 or a negative errno. */
static int read_all(struct json_reader *reader)
{
    struct capture *capture = reader->capture;
    int c;
    while ((c = next_byte(reader)) >= 0 && !capture->out_of_memory) {
        if (c == '{' || c == '[') {
            open_one(reader, c == '[');
        } else if (c == '}' || c == ']') {
            close_one(reader);
        } else if (c == '"') {
            if (read_string(reader))
                take_text(reader, true);
        } else if (c == ':') {
            reader->after_key = true;
        } else if (c == ',') {
            reader->after_key = false;
            reader->property = PROPERTY_NONE;
        } else if (c == ' ') {
            skip_blanks(reader);
        } else if (c == '\n') {
            reader->line++;
        } else if (c > ' ') {
            read_bare(reader);
            take_text(reader, false);
        }
    }
    if (capture->out_of_memory)
        return -ENOMEM;
    refill(reader); /* takes what was read */
    ssize_t left = input_fill(capture->input, 1);
    if (left < 0)
        return (int)left;
    if (reader->depth > 0)
        note(capture, reader->line, "the end of the text, in the middle of an object");
    return 0;
}

int powershell_json_parse(const struct format *self, struct capture *capture, struct error *err)
{
    (void)self;
    ssize_t filled = input_fill(capture->input, 1);
    if (filled < 0)
        return error_set(err, (int)filled, NULL, "cannot be read: %s", strerror((int)-filled));
    const char *start = input_bytes(capture->input);
    struct json_reader reader = { .capture = capture, .line = 1, .at = start, .end = start };
    int result = read_all(&reader);
    if (result < 0)
        return error_set(err, result, NULL, "cannot be read to its end: %s", strerror(-result));
    capture->lines = reader.line;
    return 0;
}

/* A quoted name with a colon behind it, which the headings of CSV have not. */
static bool has_key(const char *bytes, size_t length, const char *key)
{
    const char *end = bytes + length;
    const char *at = memmem(bytes, length, key, strlen(key));
    at = at != NULL ? at + strlen(key) : end;
    while (at < end && *at == ' ')
        at++;
    return at < end && *at == ':';
}

unsigned powershell_json_recognise(const struct format *self, const char *bytes, size_t length, bool repairs)
{
    (void)self;
    (void)repairs;
    enum { CERTAIN = 1000000 };
    return has_key(bytes, length, "\"LocalAddress\"") && has_key(bytes, length, "\"State\"") ? CERTAIN : 0;
}
