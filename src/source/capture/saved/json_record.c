#include "source/capture/saved/json_record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "model/conn.h"
#include "model/ip.h"
#include "model/state.h"

/* --- members of structs ----------------------------------------------------------------------------------------- */

static uint64_t load(const void *at, size_t size)
{
    uint8_t byte;
    uint16_t half;
    uint32_t word;
    uint64_t number = 0;
    switch (size) {
    case sizeof byte:
        memcpy(&byte, at, size);
        return byte;
    case sizeof half:
        memcpy(&half, at, size);
        return half;
    case sizeof word:
        memcpy(&word, at, size);
        return word;
    default:
        memcpy(&number, at, sizeof number);
        return number;
    }
}

/* False if the number does not fit. */
static bool store(void *at, size_t size, uint64_t number)
{
    if (size < sizeof number && number >> (8 * size) != 0)
        return false;
    uint8_t byte = (uint8_t)number;
    uint16_t half = (uint16_t)number;
    uint32_t word = (uint32_t)number;
    const void *from = size == sizeof byte ? (void *)&byte
        : size == sizeof half              ? (void *)&half
        : size == sizeof word              ? (void *)&word
                                           : (void *)&number;
    memcpy(at, from, size);
    return true;
}

static const char *load_text(const void *at)
{
    const char *text;
    memcpy(&text, at, sizeof text);
    return text;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static bool is_known(const struct record *record, const struct record_field *field, const void *object)
{
    const unsigned char *at = (const unsigned char *)object + field->offset;
    if (field->present != 0) {
        uint64_t present = load((const unsigned char *)object + record->present_offset, record->present_size);
        return (present & field->present) == field->present;
    }
    switch ((enum record_kind)field->kind) {
    case RECORD_TEXT:
        return load_text(at) != NULL;
    case RECORD_LETTER:
        return *at != '?' && *at != '\0';
    case RECORD_INDEX:
        return load(at, field->size) != NO_INDEX;
    case RECORD_FD:
        return (int32_t)load(at, field->size) >= 0;
    case RECORD_NUMBER:
    case RECORD_LIMIT:
    case RECORD_BOOL:
        return field->needed || load(at, field->size) != 0;
    case RECORD_FLAG:
    case RECORD_NAME:
    case RECORD_STATE:
    case RECORD_ADDRESS:
        break;
    }
    return true;
}

static void write_address(struct json *json, const struct ip *ip)
{
    char text[INET6_ADDRSTRLEN];
    if (ip_is_v4(ip))
        inet_ntop(AF_INET, ip->bytes + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, ip->bytes, text, sizeof text);
    json_string(json, text);
}

static void write_value(struct json *json, const struct record_field *field, const void *at)
{
    uint64_t number = field->size <= sizeof number ? load(at, field->size) : 0;
    switch ((enum record_kind)field->kind) {
    case RECORD_BOOL:
    case RECORD_FLAG:
        json_bool(json, true);
        break;
    case RECORD_TEXT:
        json_string(json, load_text(at));
        break;
    case RECORD_LETTER:
        json_string(json, (char[]){ *(const char *)at, '\0' });
        break;
    case RECORD_NAME:
        json_string(json, field->names[number]);
        break;
    case RECORD_STATE:
        json_string(json, state_name((enum conn_state)number));
        break;
    case RECORD_ADDRESS:
        write_address(json, at);
        break;
    case RECORD_LIMIT:
        if (number == UINT32_MAX)
            json_string(json, "none");
        else
            json_uint(json, number);
        break;
    case RECORD_NUMBER:
    case RECORD_INDEX:
    case RECORD_FD:
        json_uint(json, number);
        break;
    }
}

void record_write(struct json *json, const struct record *record, const void *object)
{
    for (const struct record_field *field = record->fields; field->key != NULL; field++) {
        if (!is_known(record, field, object))
            continue;
        json_key(json, field->key);
        write_value(json, field, (const unsigned char *)object + field->offset);
    }
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bool read_name(const struct json_reader *reader, const struct record_field *field, void *at)
{
    for (unsigned i = 0; field->names[i] != NULL; i++) {
        if (json_text_is(reader, field->names[i]))
            return store(at, field->size, i);
    }
    return false;
}

static bool read_state(const struct json_reader *reader, const struct record_field *field, void *at)
{
    for (int state = STATE_UNKNOWN; state < STATE_COUNT; state++) {
        if (json_text_is(reader, state_name((enum conn_state)state)))
            return store(at, field->size, (uint64_t)state);
    }
    return false;
}

static bool read_address(const struct json_reader *reader, struct ip *ip)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (reader->length >= sizeof text)
        return false;
    memcpy(text, reader->text, reader->length);
    text[reader->length] = '\0';
    if (inet_pton(AF_INET, text, bytes) == 1)
        *ip = ip_from_v4(bytes);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        *ip = ip_from_v6(bytes);
    else
        return false;
    return true;
}

static bool read_number(const struct json_reader *reader, const struct record_field *field, void *at)
{
    return reader->whole && (!reader->negative || reader->number == 0) && store(at, field->size, reader->number);
}

/* Reads the value of the field. `token` is its first token. */
static bool read_value(
    struct json_reader *reader, enum json_token token, const struct record_field *field, void *at, struct arena *arena)
{
    switch ((enum record_kind)field->kind) {
    case RECORD_BOOL:
        *(bool *)at = token == JSON_TRUE;
        return token == JSON_TRUE || token == JSON_FALSE;
    case RECORD_FLAG:
        return token == JSON_TRUE || token == JSON_FALSE;
    case RECORD_TEXT: {
        if (token != JSON_STRING)
            return false;
        const char *text = arena_strndup(arena, reader->text, reader->length);
        memcpy(at, &text, sizeof text);
        return true;
    }
    case RECORD_LETTER:
        if (token != JSON_STRING || reader->length != 1)
            return false;
        *(char *)at = *reader->text;
        return true;
    case RECORD_NAME:
        return token == JSON_STRING && read_name(reader, field, at);
    case RECORD_STATE:
        return token == JSON_STRING && read_state(reader, field, at);
    case RECORD_ADDRESS:
        return token == JSON_STRING && read_address(reader, at);
    case RECORD_LIMIT:
        if (token == JSON_STRING && json_text_is(reader, "none"))
            return store(at, field->size, UINT32_MAX);
        return token == JSON_NUMBER && read_number(reader, field, at);
    case RECORD_FD:
        return token == JSON_NUMBER && reader->number <= INT32_MAX && read_number(reader, field, at);
    case RECORD_NUMBER:
    case RECORD_INDEX:
        return token == JSON_NUMBER && read_number(reader, field, at);
    }
    return false;
}

/* Writers keep to the order of the table. So the wanted field is usually the one after the last field. */
static const struct record_field *find_field(
    const struct json_reader *reader, const struct record *record, const struct record_field *expected)
{
    for (const struct record_field *field = expected; field->key != NULL; field++) {
        if (json_text_is(reader, field->key))
            return field;
    }
    for (const struct record_field *field = record->fields; field != expected; field++) {
        if (json_text_is(reader, field->key))
            return field;
    }
    return NULL;
}

/*
 * Returns false if a needed field is missing. A missing field clears its presence bits, so other fields with the same
 * bits are unknown too.
 */
static bool check_missing(const struct record *record, uint64_t seen, uint64_t *present)
{
    for (unsigned i = 0; record->fields[i].key != NULL; i++) {
        if ((seen >> i & 1) != 0)
            continue;
        if (record->fields[i].needed)
            return false;
        *present &= ~(uint64_t)record->fields[i].present;
    }
    return true;
}

int record_read(struct json_reader *reader, const struct record *record, void *object, struct arena *arena,
    record_other other, void *data)
{
    unsigned char *bytes = object;
    uint64_t seen = 0, present = 0;
    const struct record_field *expected = record->fields;
    enum json_token token;
    while ((token = json_next(reader)) == JSON_KEY) {
        const struct record_field *field = find_field(reader, record, expected);
        if (field == NULL) {
            int result = other != NULL ? other(data, reader) : json_skip(reader, json_next(reader)) ? 0 : -EINVAL;
            if (result < 0)
                return result;
            continue;
        }
        token = json_next(reader);
        if (token == JSON_NULL) /* null is treated as a missing key */
            continue;
        if (!read_value(reader, token, field, bytes + field->offset, arena))
            return -EINVAL;
        if (token != JSON_FALSE)
            present |= field->present;
        seen |= UINT64_C(1) << (field - record->fields);
        expected = field + 1;
    }
    bool ended = token == JSON_OBJECT_END && (reader->depth > 0 || json_next(reader) == JSON_DONE);
    if (!ended || !check_missing(record, seen, &present))
        return -EINVAL;
    if (record->present_size > 0)
        store(bytes + record->present_offset, record->present_size, present);
    return 0;
}
