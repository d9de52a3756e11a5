#include "model/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/csv.h"
#include "base/text.h"
#include "model/holders.h"

struct value value_unknown(void)
{
    return (struct value){ .kind = VALUE_UNKNOWN };
}

struct value value_number(uint64_t number)
{
    return (struct value){ .kind = VALUE_NUMBER, .number = number };
}

struct value value_ms(uint64_t ms)
{
    return (struct value){ .kind = VALUE_MS, .number = ms };
}

struct value value_us(uint64_t us)
{
    return (struct value){ .kind = VALUE_US, .number = us };
}

struct value value_text(const char *text)
{
    return (struct value){ .kind = text != NULL ? VALUE_TEXT : VALUE_UNKNOWN, .text = text };
}

struct value value_address(const struct ip *ip)
{
    return (struct value){ .kind = VALUE_ADDRESS, .ip = *ip };
}

struct value value_endpoint(const struct ip *ip, uint16_t port)
{
    return (struct value){ .kind = VALUE_ENDPOINT, .ip = *ip, .port = port };
}

/* --- order and identity --------------------------------------------------------------------------------------- */

bool value_equal(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && a->prefix == b->prefix && a->port == b->port && a->number == b->number &&
        (a->text == b->text || (a->text != NULL && b->text != NULL && strcmp(a->text, b->text) == 0)) &&
        ip_equal(&a->ip, &b->ip);
}

uint64_t value_hash(const struct value *value, uint64_t seed)
{
    uint64_t words[4] = {
        value->kind | (uint64_t)value->prefix << 8 | (uint64_t)value->port << 16,
        value->number,
    };
    if (value->text != NULL)
        return hash_bytes(hash_words(seed, words, 2), value->text, strlen(value->text));
    bool has_address = value->kind == VALUE_ADDRESS || value->kind == VALUE_NET || value->kind == VALUE_ENDPOINT ||
        value->kind == VALUE_SERVICE_OUT;
    memcpy(words + 2, value->ip.bytes, sizeof value->ip.bytes);
    return hash_words(seed, words, has_address ? 4 : 2);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int value_compare(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind) {
        if (a->kind == VALUE_UNKNOWN || b->kind == VALUE_UNKNOWN)
            return a->kind == VALUE_UNKNOWN ? 1 : -1;
        return compare_numbers(a->kind, b->kind);
    }
    int order = compare_numbers(a->number, b->number);
    if (order == 0 && a->text != NULL && b->text != NULL)
        order = strcmp(a->text, b->text);
    if (order == 0)
        order = ip_compare(&a->ip, &b->ip);
    if (order == 0)
        order = compare_numbers(a->prefix, b->prefix);
    return order != 0 ? order : compare_numbers(a->port, b->port);
}

/* --- writing -------------------------------------------------------------------------------------------------- */

void value_format_ms(struct buf *out, uint64_t ms)
{
    uint64_t seconds = ms / 1000;
    if (ms < 1000)
        buf_printf(out, "%" PRIu64 "ms", ms);
    else if (seconds < 60)
        buf_printf(out, "%" PRIu64 "s", seconds);
    else if (seconds < 3600)
        buf_printf(out, "%" PRIu64 "m%" PRIu64 "s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        buf_printf(out, "%" PRIu64 "h%" PRIu64 "m", seconds / 3600, seconds % 3600 / 60);
    else
        buf_printf(out, "%" PRIu64 "d%" PRIu64 "h", seconds / 86400, seconds % 86400 / 3600);
}

static void format_us(struct buf *out, uint64_t us)
{
    if (us < 1000)
        buf_printf(out, "%" PRIu64 "us", us);
    else if (us < 1000000)
        buf_printf(out, "%" PRIu64 ".%" PRIu64 "ms", us / 1000, us % 1000 / 100);
    else
        value_format_ms(out, us / 1000);
}

static void format_net(struct buf *out, const struct value *value)
{
    struct ip_net net = { .address = value->ip, .prefix = value->prefix };
    ip_net_format(out, &net);
}

/* "812/nginx:7 813/nginx:7", not escaped */
static void format_holders(struct buf *out, const struct value *value, const struct snapshot *snapshot)
{
    const struct holder *first = holders_at(snapshot, (uint32_t)value->number);
    for (const struct holder *holder = first; holder != NULL; holder = holders_next(snapshot, holder)) {
        const struct process *process = holders_process(snapshot, holder);
        buf_printf(out, "%s%" PRIu32 "/%s", holder == first ? "" : " ", process->pid,
            process->name != NULL ? process->name : "?");
        if (holder->fd != FD_UNKNOWN)
            buf_printf(out, ":%" PRIu32, holder->fd);
    }
}

/* Writes all kinds except times (people and programs read them differently) and text (each format escapes it). */
static void format_plain(const struct value *value, struct buf *out)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_NUMBER:
        buf_printf(out, "%" PRIu64, value->number);
        break;
    case VALUE_ADDRESS:
        ip_format(out, &value->ip);
        break;
    case VALUE_NET:
        format_net(out, value);
        break;
    case VALUE_ENDPOINT:
        ip_port_format(out, &value->ip, value->port);
        break;
    case VALUE_SERVICE_IN:
        buf_printf(out, "*:%u (in)", value->port);
        break;
    case VALUE_SERVICE_OUT:
        ip_port_format(out, &value->ip, value->port);
        buf_str(out, " (out)");
        break;
    case VALUE_UNKNOWN:
    case VALUE_MS:
    case VALUE_US:
    case VALUE_TEXT:
    case VALUE_HOLDERS:
        break;
    }
}

void value_write_text(const struct value *value, const struct snapshot *snapshot, struct buf *out)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_UNKNOWN:
        buf_char(out, '-');
        break;
    case VALUE_MS:
        value_format_ms(out, value->number);
        break;
    case VALUE_US:
        format_us(out, value->number);
        break;
    case VALUE_TEXT:
        text_escape(out, value->text);
        break;
    case VALUE_HOLDERS: {
        struct buf raw = { 0 };
        format_holders(&raw, value, snapshot);
        text_escape(out, buf_text(&raw));
        buf_deinit(&raw);
        break;
    }
    default:
        format_plain(value, out);
    }
}

static void format_seconds(struct buf *out, const struct value *value)
{
    if (value->kind == VALUE_MS)
        buf_printf(out, "%" PRIu64 ".%03u", value->number / 1000, (unsigned)(value->number % 1000));
    else
        buf_printf(out, "%" PRIu64 ".%06u", value->number / 1000000, (unsigned)(value->number % 1000000));
}

void value_write_csv(const struct value *value, const struct snapshot *snapshot, struct buf *out)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_UNKNOWN:
        break;
    case VALUE_MS:
    case VALUE_US:
        format_seconds(out, value);
        break;
    case VALUE_TEXT:
        csv_text(out, value->text);
        break;
    case VALUE_HOLDERS: {
        struct buf raw = { 0 };
        format_holders(&raw, value, snapshot);
        csv_text(out, buf_text(&raw));
        buf_deinit(&raw);
        break;
    }
    default:
        format_plain(value, out);
    }
}

static void write_json_holders(const struct value *value, const struct snapshot *snapshot, struct json *json)
{
    json_array(json);
    const struct holder *first = holders_at(snapshot, (uint32_t)value->number);
    for (const struct holder *holder = first; holder != NULL; holder = holders_next(snapshot, holder)) {
        const struct process *process = holders_process(snapshot, holder);
        json_object(json);
        json_member_uint(json, "pid", process->pid);
        json_member_string(json, "process", process->name);
        if (holder->fd != FD_UNKNOWN)
            json_member_uint(json, "fd", holder->fd);
        else
            json_member_null(json, "fd");
        json_object_end(json);
    }
    json_array_end(json);
}

void value_write_json(const struct value *value, const struct snapshot *snapshot, struct json *json)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_UNKNOWN:
        json_null(json);
        break;
    case VALUE_NUMBER:
        json_uint(json, value->number);
        break;
    case VALUE_MS:
        json_seconds(json, value->number);
        break;
    case VALUE_US:
        json_seconds_us(json, value->number);
        break;
    case VALUE_TEXT:
        json_string(json, value->text);
        break;
    case VALUE_HOLDERS:
        write_json_holders(value, snapshot, json);
        break;
    default: {
        struct buf text = { 0 };
        format_plain(value, &text);
        json_string(json, buf_text(&text));
        buf_deinit(&text);
    }
    }
}
