/*
 * Get-NetTCPConnection | ConvertTo-Json: an array of objects, or one object. State is a number, or a name with
 * -EnumsAsStrings. PowerShell 5.1 wraps an array that another command has passed on: {"value":[…],"Count":2}. The text
 * is read piece by piece; only the values that are needed are stored.
 */
#include <errno.h>
#include <string.h>

#include "source/capture/formats/powershell.h"

enum { TEXT_MAX = VALUE_MAX + 1 };

/* The position in the text. */
struct json_reader {
    struct capture *capture;
    const char *at, *end;        /* the bytes that the input has available */
    struct stored_record record; /* its values point into the input until that is refilled */
    unsigned depth;              /* of open objects and arrays */
    unsigned record_depth;       /* depth of the object that is a connection; 0: none is open */
    enum property property;      /* the property whose value comes next */
    bool after_key;
    bool in_array;          /* the outermost value, or that of the wrapper, is an array */
    unsigned wrapper_depth; /* depth of the open wrapper; 0: none */
    bool is_wrapped;        /* the property whose value comes next is called "value", as in a wrapper */
    uint64_t line;
    struct token value;  /* the last string or number: in the input or in `text` */
    char text[TEXT_MAX]; /* a value with escapes, or one that crosses a refill */
    size_t length;
};

static bool is_kept(const struct json_reader *reader, const struct token *value)
{
    const char *kept = (const char *)&reader->record;
    return value->text >= kept && value->text < kept + sizeof reader->record;
}

/* Copies the values of the record that point into the input, because the bytes are about to be consumed. */
static void copy_record(struct json_reader *reader)
{
    for (int property = 0; property < PROPERTY_COUNT; property++) {
        struct token value = reader->record.record.values[property];
        if (value.text != NULL && !is_kept(reader, &value))
            stored_record_set(&reader->record, (enum property)property, value.text, value.length);
    }
}

/* Reads more bytes. False at the end. */
static bool refill(struct json_reader *reader)
{
    copy_record(reader);
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

static void store(struct json_reader *reader, const char *bytes, size_t length)
{
    size_t room = TEXT_MAX - 1 - reader->length;
    length = length < room ? length : room;
    memcpy(reader->text + reader->length, bytes, length);
    reader->length += length;
}

/* Reads an escape after its backslash. A character that is not ASCII becomes "?". */
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
        store(reader, code < 0x80 ? (const char[]){ (char)code } : "?", 1);
        return true;
    }
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        kept = kept == escapes[i][0] ? escapes[i][1] : kept;
    store(reader, &kept, 1);
    return true;
}

/* Reads a string after its first quote. */
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
        store(reader, from, (size_t)(at - from));
        reader->at = at;
        int c = next_byte(reader);
        if (c < 0 || c == '"') {
            reader->value = (struct token){ reader->text, reader->length };
            return c == '"';
        }
        if (c != '\\')
            store(reader, &(char){ (char)c }, 1);
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

/* Reads a number, true, false or null. */
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
        store(reader, from, reader->value.length);
    } while (reader->at == reader->end && refill(reader));
    reader->value = (struct token){ reader->text, reader->length };
}

/* Handles a complete string or number: the name of a property or its value. */
static void use_text(struct json_reader *reader, bool is_string)
{
    if (reader->record_depth != reader->depth)
        return;
    struct token *value = &reader->value;
    value->length = value->length < VALUE_MAX ? value->length : VALUE_MAX;
    if (is_string && !reader->after_key) {
        reader->property = property_find(value->text, value->length);
        reader->is_wrapped = token_is(value, "value");
        return;
    }
    if (reader->property == PROPERTY_NONE || (!is_string && token_is(value, "null")))
        return;
    if (value->text == reader->text)
        stored_record_set(&reader->record, reader->property, value->text, value->length);
    else
        reader->record.record.values[reader->property] = *value;
}

/* True if the object that was taken for a record is a wrapper of records. */
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
        reader->record.record = (struct conn_record){ 0 };
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
        enum line_kind kind = conn_record_add(capture, &reader->record.record);
        if (kind == LINE_MALFORMED)
            note(capture, reader->line, "an object that is no connection");
        else
            capture_count(capture, kind);
    }
    if (reader->depth > 0 && reader->wrapper_depth == reader->depth) {
        reader->in_array = reader->depth > 1; /* records and wrappers are alone or in an array */
        reader->wrapper_depth = 0;
    }
    reader->depth -= reader->depth > 0;
    reader->after_key = false;
}

/* Reads to the end of the text. Returns 0 or a negative errno. */
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
                use_text(reader, true);
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
            use_text(reader, false);
        }
    }
    if (capture->out_of_memory)
        return -ENOMEM;
    refill(reader); /* consumes what was read */
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

/* True if the key is followed by a colon. In the headings of CSV it is not. */
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
